"""Materialized views: made, replaced, and put in the place of tables and views."""

from typing import Any

import pytest
from dbt.adapters.base.relation import BaseRelation
from dbt.tests.adapter.catalog.relation_types import CatalogRelationTypes
from dbt.tests.adapter.materialized_view.basic import MaterializedViewBasic
from dbt.tests.fixtures.project import TestProjInfo
from dbt.tests.util import get_connection, run_dbt

pytestmark = [pytest.mark.slow, pytest.mark.adapter]

TYPES = {"TABLE": "table", "VIEW": "view", "MATERIALIZED_VIEW": "materialized_view"}


def bigquery_table(project: TestProjInfo, relation: BaseRelation) -> Any:
    with get_connection(project.adapter) as connection:
        return connection.handle.get_table(f"{relation.database}.{relation.schema}.{relation.identifier}")


class TestMaterializedViewBasic(MaterializedViewBasic):
    @staticmethod
    def query_relation_type(project: TestProjInfo, relation: BaseRelation) -> str:
        return TYPES[bigquery_table(project, relation).table_type]

    @staticmethod
    def insert_record(project: TestProjInfo, table: BaseRelation, record: tuple[int, int]) -> None:
        project.run_sql(f"insert into {table} (id, value) values {record}")

    @staticmethod
    def refresh_materialized_view(project: TestProjInfo, materialized_view: BaseRelation) -> None:
        name = f"{materialized_view.database}.{materialized_view.schema}.{materialized_view.identifier}"
        project.run_sql(f"call BQ.REFRESH_MATERIALIZED_VIEW('{name}')")

    @staticmethod
    def query_row_count(project: TestProjInfo, relation: BaseRelation) -> int:
        return project.run_sql(f"select count(*) from {relation}", fetch="one")[0]

    def test_view_replaces_materialized_view(self, project: TestProjInfo, my_materialized_view: BaseRelation) -> None:
        """BigQuery's adapter puts no view in its place without a full refresh."""
        self.swap_materialized_view_to_view(project, my_materialized_view)
        run_dbt(["run", "--models", my_materialized_view.identifier, "--full-refresh"])
        assert self.query_relation_type(project, my_materialized_view) == "view"

    def test_materialized_view_only_updates_after_refresh(
        self, project: TestProjInfo, my_materialized_view: BaseRelation, my_seed: BaseRelation
    ) -> None:
        """BigQuery's are as fresh as what they are made of."""
        before = self.query_row_count(project, my_materialized_view)
        self.insert_record(project, my_seed, (4, 400))
        assert self.query_row_count(project, my_materialized_view) == before + 1
        self.refresh_materialized_view(project, my_materialized_view)
        assert self.query_row_count(project, my_materialized_view) == before + 1


class TestCatalogRelationTypes(CatalogRelationTypes):
    @pytest.mark.parametrize(
        ("node_name", "relation_type"),
        [
            ("seed.test.my_seed", "table"),
            ("model.test.my_table", "table"),
            ("model.test.my_view", "view"),
            ("model.test.my_materialized_view", "materialized view"),
        ],
    )
    def test_relation_types_populate_correctly(self, docs: Any, node_name: str, relation_type: str) -> None:
        super().test_relation_types_populate_correctly(docs, node_name, relation_type)
