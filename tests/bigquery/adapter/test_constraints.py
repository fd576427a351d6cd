"""Contracts: what dbt declares of a table when it makes it, in BigQuery's words."""

import pytest
from dbt.tests.adapter.constraints import fixtures
from dbt.tests.adapter.constraints.test_constraints import (
    BaseConstraintQuotedColumn,
    BaseConstraintsRuntimeDdlEnforcement,
    BaseIncrementalConstraintsRuntimeDdlEnforcement,
    BaseIncrementalContractSqlHeader,
    BaseModelConstraintsRuntimeEnforcement,
    BaseTableContractSqlHeader,
)

pytestmark = [pytest.mark.slow, pytest.mark.adapter]


def made(columns: str, picked: str, first: str = "color") -> str:
    """The statement that makes the suite's model, which reads another only to wait for it."""
    waits = "" if first == "`from`" else "-- depends_on: <foreign_key_model_identifier>"
    model = f"{waits} select 'blue' as {first}, 1 as id, '2019-01-01' as date_day"
    return (
        f"create or replace table <model_identifier> ({columns}) options() "
        f"as (select {picked} from ({model}) as model_subq);"
    )


class ColumnConstraints:
    @pytest.fixture(scope="class")
    def expected_sql(self) -> str:
        key = "primary key not enforced references <foreign_key_model_identifier> (id) not enforced"
        return made(f"id int64 not null {key}, color string, date_day string", "id, color, date_day")


class TestConstraintsRuntimeDdlEnforcement(ColumnConstraints, BaseConstraintsRuntimeDdlEnforcement):
    pass


class TestIncrementalConstraintsRuntimeDdlEnforcement(
    ColumnConstraints, BaseIncrementalConstraintsRuntimeDdlEnforcement
):
    pass


class TestModelConstraintsRuntimeEnforcement(BaseModelConstraintsRuntimeEnforcement):
    @pytest.fixture(scope="class")
    def expected_sql(self) -> str:
        keys = (
            "primary key (id) not enforced, "
            "foreign key (id) references <foreign_key_model_identifier> (id) not enforced"
        )
        return made(f"id int64 not null, color string, date_day string, {keys}", "id, color, date_day")


class TestConstraintQuotedColumn(BaseConstraintQuotedColumn):
    @pytest.fixture(scope="class")
    def expected_sql(self) -> str:
        columns = "id int64 not null, `from` string not null, date_day string"
        return made(columns, "id, `from`, date_day", first="`from`")


class Header:
    """A header that makes the model a script: its variable is read by the model."""

    MATERIALIZED = "table"

    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        config = f"{{{{ config(materialized='{self.MATERIALIZED}', on_schema_change='append_new_columns') }}}}"
        header = "{% call set_sql_header(config) %} DECLARE greeting STRING DEFAULT 'hello'; {% endcall %}"
        return {
            "my_model_contract_sql_header.sql": f"{config} {header} select greeting as column_name",
            "constraints_schema.yml": fixtures.model_contract_header_schema_yml,
        }


class TestTableContractSqlHeader(Header, BaseTableContractSqlHeader):
    pass


class TestIncrementalContractSqlHeader(Header, BaseIncrementalContractSqlHeader):
    MATERIALIZED = "incremental"
