"""Seeds: CSV files as tables, again and again, whole or empty."""

import shutil
from pathlib import Path

import dbt.tests.adapter.simple_seed
import pytest
from dbt.tests.adapter.simple_seed import fixtures, seeds
from dbt.tests.adapter.simple_seed.test_seed import (
    BaseBasicSeedTests,
    BaseSeedConfigFullRefreshOff,
    BaseSeedConfigFullRefreshOn,
    BaseSeedCustomSchema,
    BaseSeedWithUniqueDelimiter,
    BaseSimpleSeedWithBOM,
)
from dbt.tests.adapter.simple_seed.test_seed_type_override import BaseSimpleSeedColumnOverride
from dbt.tests.fixtures.project import TestProjInfo
from dbt.tests.util import run_dbt

from .suite import InGoogleSql

pytestmark = [pytest.mark.slow, pytest.mark.adapter]

TYPES = {
    "date": "STRING",
    "text": "STRING",
    "integer": "INT64",
    "boolean": "BOOLEAN",
    "timestamp without time zone": "DATETIME",
}
SUITE_FOLDER = Path(dbt.tests.adapter.simple_seed.__path__[0])


class TestBasicSeedTests(InGoogleSql, BaseBasicSeedTests):
    def test_simple_seed_full_refresh_flag(self, project: TestProjInfo) -> None:
        """BigQuery drops no view along with the table that it reads."""
        self._build_relations_for_test(project)
        self._check_relation_end_state(run_result=run_dbt(["seed", "--full-refresh"]), project=project, exists=True)


class TestSeedConfigFullRefreshOn(InGoogleSql, BaseSeedConfigFullRefreshOn):
    def test_simple_seed_full_refresh_config(self, project: TestProjInfo) -> None:
        """As above."""
        self._build_relations_for_test(project)
        self._check_relation_end_state(run_result=run_dbt(["seed"]), project=project, exists=True)


class TestSeedConfigFullRefreshOff(InGoogleSql, BaseSeedConfigFullRefreshOff):
    pass


class TestSeedCustomSchema(InGoogleSql, BaseSeedCustomSchema):
    pass


class TestSeedWithUniqueDelimiter(InGoogleSql, BaseSeedWithUniqueDelimiter):
    pass


class TestSimpleSeedWithBOM(InGoogleSql, BaseSimpleSeedWithBOM):
    @pytest.fixture(scope="class", autouse=True)
    def setUp(self, project: TestProjInfo) -> None:
        """The file lies in the suite's own folder."""
        project.run_sql(seeds.seeds__expected_sql)
        shutil.copy(SUITE_FOLDER / "seed_bom.csv", Path(project.project_root) / "seeds")


class TestSimpleSeedColumnOverride(BaseSimpleSeedColumnOverride):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        properties = fixtures.properties__schema_yml
        for postgres, ours in TYPES.items():
            properties = properties.replace(f"type: {postgres}\n", f"type: {ours}\n")
        return {"schema.yml": properties}

    @staticmethod
    def seed_enabled_types() -> dict[str, str]:
        return dict.fromkeys(("seed_id", "birthday"), "STRING")

    @staticmethod
    def seed_tricky_types() -> dict[str, str]:
        return dict.fromkeys(("seed_id_str", "looks_like_a_bool", "looks_like_a_date"), "STRING")
