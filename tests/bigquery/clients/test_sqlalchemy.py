"""sqlalchemy-bigquery."""

import datetime
from collections.abc import Iterator
from decimal import Decimal

import pytest
import sqlalchemy as sa
from google.cloud import bigquery
from google.cloud.bigquery_storage import BigQueryReadClient

from tests.bigquery.clients.conftest import ROWS

pytest.importorskip("sqlalchemy_bigquery")


@pytest.fixture
def engine(client: bigquery.Client, storage_client: BigQueryReadClient) -> Iterator[sa.Engine]:
    """An engine that reads large results by the Storage Read API, as the library does of itself."""
    made = sa.create_engine(
        f"bigquery://{client.project}?user_supplied_client=True",
        connect_args={"client": client, "bqstorage_client": storage_client},
    )
    yield made
    made.dispose()


@pytest.fixture
def orders(engine: sa.Engine, dataset: str) -> sa.Table:
    """A table made by SQLAlchemy, with two rows that it inserted."""
    table = sa.Table(
        "orders",
        sa.MetaData(),
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.String),
        sa.Column("price", sa.Numeric),
        sa.Column("day", sa.Date),
        schema=dataset.split(".")[1],
    )
    table.create(engine)
    with engine.begin() as connection:
        connection.execute(
            table.insert(),
            [
                {"id": 1, "name": "it's", "price": Decimal("1.25"), "day": datetime.date(2024, 2, 29)},
                {"id": 2, "name": None, "price": None, "day": None},
            ],
        )
    return table


def test_create_and_load(engine: sa.Engine, orders: sa.Table) -> None:
    with engine.connect() as connection:
        rows = connection.execute(sa.select(orders).order_by(orders.c.id)).all()
    assert rows == [(1, "it's", Decimal("1.25"), datetime.date(2024, 2, 29)), (2, None, None, None)]


def test_tables_are_reflected(engine: sa.Engine, orders: sa.Table) -> None:
    inspector = sa.inspect(engine)
    assert inspector.get_table_names(schema=orders.schema) == [f"{orders.schema}.orders"]
    assert [c["name"] for c in inspector.get_columns("orders", schema=orders.schema)] == ["id", "name", "price", "day"]
    assert not inspector.has_table("missing", schema=orders.schema)


def test_parameters(engine: sa.Engine, orders: sa.Table) -> None:
    days = [datetime.date(2024, 2, 29), datetime.date(2024, 3, 1)]
    condition = sa.and_(orders.c.name == "it's", orders.c.day.in_(days), orders.c.price > Decimal("1.2"))
    with engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).where(condition)).scalar() == 1
        changed = connection.execute(orders.update().where(orders.c.id == 2).values(name="two"))
        assert changed.rowcount == 1
        assert connection.execute(sa.select(orders.c.name).where(orders.c.id == 2)).scalar() == "two"


def test_pages_of_a_hundred_thousand_rows(engine: sa.Engine, numbers: str) -> None:
    with engine.connect() as connection:
        result = connection.execute(sa.text(f"SELECT x FROM `{numbers}` ORDER BY x"))
        assert [row.x for part in result.partitions(9_000) for row in part] == list(range(1, ROWS + 1))


def test_external_table(engine: sa.Engine, trips: str) -> None:
    schema, name = trips.split(".")[1:]
    table = sa.Table(name, sa.MetaData(), schema=schema, autoload_with=engine)
    query = sa.select(sa.func.sum(table.c.total)).where(table.c.month == datetime.date(2020, 4, 1))
    with engine.connect() as connection:
        assert connection.execute(query).scalar() == 4.0


def test_error(engine: sa.Engine) -> None:
    with engine.connect() as connection, pytest.raises(sa.exc.DatabaseError, match="Unrecognized name: nothing"):
        connection.execute(sa.text("SELECT nothing"))
