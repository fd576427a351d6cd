"""Primary and foreign keys: kept, shown, and not enforced."""

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery

from tests.bigquery.test_load_and_copy import values


@pytest.fixture
def tables(client: bigquery.Client, dataset: str) -> str:
    """A dataset with `parents`, whose key is two columns, and `children`, which refer to it."""
    client.query_and_wait(f"CREATE TABLE `{dataset}.parents` (a INT64, b INT64, PRIMARY KEY (a, b) NOT ENFORCED)")
    client.query_and_wait(
        f"CREATE TABLE `{dataset}.children` (id INT64 PRIMARY KEY NOT ENFORCED, x INT64, y INT64, "
        f"CONSTRAINT parent FOREIGN KEY (x, y) REFERENCES `{dataset}.parents`(a, b) NOT ENFORCED)"
    )
    return dataset


def constraints(client: bigquery.Client, dataset: str) -> list[str]:
    rows = values(client, f"SELECT constraint_name FROM `{dataset}`.INFORMATION_SCHEMA.TABLE_CONSTRAINTS ORDER BY 1")
    return [name for (name,) in rows]


def test_the_resource_has_them(client: bigquery.Client, tables: str) -> None:
    found = client.get_table(f"{tables}.children").table_constraints
    assert found.primary_key.columns == ["id"]
    [parent] = found.foreign_keys
    assert (parent.name, parent.referenced_table.table_id) == ("parent", "parents")
    pairs = [(pair.referencing_column, pair.referenced_column) for pair in parent.column_references]
    assert pairs == [("x", "a"), ("y", "b")]


@pytest.mark.feature("SQL", "primary and foreign keys, not enforced, as on BigQuery")
def test_information_schema_has_them(client: bigquery.Client, tables: str) -> None:
    assert constraints(client, tables) == ["children.parent", "children.pk$", "parents.pk$"]
    rows = values(
        client,
        "SELECT constraint_name, column_name, ordinal_position, position_in_unique_constraint "
        f"FROM `{tables}`.INFORMATION_SCHEMA.KEY_COLUMN_USAGE WHERE table_name = 'children' ORDER BY 1, 3",
    )
    assert rows == [
        ("children.parent", "x", 1, 1),
        ("children.parent", "y", 2, 2),
        ("children.pk$", "id", 1, None),
    ]
    referred = values(
        client,
        f"SELECT table_name, column_name FROM `{tables}`.INFORMATION_SCHEMA.CONSTRAINT_COLUMN_USAGE "
        "WHERE constraint_name = 'children.parent' ORDER BY 2",
    )
    assert referred == [("parents", "a"), ("parents", "b")]


def test_they_are_not_enforced(client: bigquery.Client, tables: str) -> None:
    client.query_and_wait(f"INSERT INTO `{tables}.children` VALUES (1, 9, 9), (1, NULL, 9)")
    assert values(client, f"SELECT COUNT(*) FROM `{tables}.children`") == [(2,)]


def test_they_come_and_go(client: bigquery.Client, tables: str) -> None:
    table = f"`{tables}.children`"
    client.query_and_wait(f"ALTER TABLE {table} DROP CONSTRAINT parent")
    client.query_and_wait(f"ALTER TABLE {table} DROP PRIMARY KEY")
    client.query_and_wait(f"ALTER TABLE {table} DROP PRIMARY KEY IF EXISTS")
    client.query_and_wait(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS parent")
    assert constraints(client, tables) == ["parents.pk$"]
    client.query_and_wait(f"ALTER TABLE {table} ADD PRIMARY KEY (id) NOT ENFORCED")
    client.query_and_wait(
        f"ALTER TABLE {table} ADD FOREIGN KEY (x, y) REFERENCES `{tables}.parents`(a, b) NOT ENFORCED"
    )
    assert constraints(client, tables) == ["children.fk$1", "children.pk$", "parents.pk$"]


def test_the_ddl_makes_them_again(client: bigquery.Client, tables: str) -> None:
    before = client.get_table(f"{tables}.children").to_api_repr()["tableConstraints"]
    [(ddl,)] = values(client, f"SELECT ddl FROM `{tables}`.INFORMATION_SCHEMA.TABLES WHERE table_name = 'children'")
    client.delete_table(f"{tables}.children")
    client.query_and_wait(ddl)
    assert client.get_table(f"{tables}.children").to_api_repr()["tableConstraints"] == before


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("CREATE TABLE `{0}.t` (a INT64, PRIMARY KEY (a))", "must be NOT ENFORCED"),
        ("CREATE TABLE `{0}.t` (a INT64, PRIMARY KEY (z) NOT ENFORCED)", "Column z of the constraint"),
        ("ALTER TABLE `{0}.children` ADD PRIMARY KEY (x) NOT ENFORCED", "has a primary key already"),
        (
            "ALTER TABLE `{0}.children` ADD FOREIGN KEY (x) REFERENCES `{0}.parents`(z) NOT ENFORCED",
            "Column z of the constraint",
        ),
        ("ALTER TABLE `{0}.children` DROP CONSTRAINT nobody", "no constraint nobody"),
    ],
)
def test_what_cannot_be(client: bigquery.Client, tables: str, statement: str, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        client.query_and_wait(statement.format(tables))
