"""Hooks: SQL that a project runs before and after its models, seeds, snapshots and whole runs."""

import json
from typing import Any

import pytest
from dbt.tests.adapter.hooks.test_model_hooks import (
    MODEL_POST_HOOK,
    MODEL_PRE_HOOK,
    BaseHookRefs,
    BasePrePostModelHooks,
    BasePrePostModelHooksInConfig,
    BasePrePostModelHooksInConfigKwargs,
    BasePrePostModelHooksInConfigWithCount,
    BasePrePostModelHooksOnSeeds,
    BasePrePostModelHooksOnSeedsPlusPrefixed,
    BasePrePostModelHooksOnSeedsPlusPrefixedWhitespace,
    BasePrePostModelHooksOnSnapshots,
    BasePrePostSnapshotHooksInConfigKwargs,
)
from dbt.tests.adapter.hooks.test_run_hooks import BasePrePostRunHooks
from dbt.tests.fixtures.project import TestProjInfo

pytestmark = [pytest.mark.slow, pytest.mark.adapter]

TOLD = ("target_dbname", "target_host", "target_name", "target_schema", "target_type", "target_user", "target_pass")
"""What a hook of the suite writes of its target; BigQuery's has neither host nor user nor password."""


def make_hook_table(project: TestProjInfo, name: str) -> None:
    """The table that the suite's hooks write to; some of them rely on the order of its columns."""
    texts = ["test_state", *TOLD], ["run_started_at", "invocation_id", "thread_id"]
    before, after = (", ".join(f"{column} STRING" for column in columns) for columns in texts)
    columns = f"{before}, target_threads INT64, {after}"
    project.run_sql(f"create or replace table {project.test_schema}.{name} ({columns})")


def hooks_that_ran(project: TestProjInfo, table: str, state: str) -> list[dict[str, Any]]:
    sql = f"select to_json_string(t) from {project.test_schema}.{table} as t where test_state = '{state}'"
    return [json.loads(row[0]) for row in project.run_sql(sql, fetch="all")]


def assert_told(project: TestProjInfo, hook: dict[str, Any]) -> None:
    assert (hook["target_name"], hook["target_type"], hook["target_threads"]) == ("default", "bigquery", 4)
    assert hook["target_schema"] == project.test_schema
    assert hook["run_started_at"] and hook["invocation_id"] and hook["thread_id"]


class ModelHooks:
    @pytest.fixture(scope="class", autouse=True)
    def setUp(self, project: TestProjInfo) -> None:
        make_hook_table(project, "on_model_hook")

    def check_hooks(self, state: str, project: TestProjInfo, host: str | None, count: int = 1) -> None:
        hooks = hooks_that_ran(project, "on_model_hook", state)
        assert len(hooks) == count
        for hook in hooks:
            assert_told(project, hook)


class ProjectHooks(ModelHooks):
    """The suite's VACUUM is PostgreSQL's: here the hook outside of a transaction selects."""

    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        outside = {"sql": "select 1", "transaction": False}
        return {
            "models": {"test": {"pre-hook": [MODEL_PRE_HOOK, outside], "post-hook": [outside, MODEL_POST_HOOK]}},
        }


class TestPrePostModelHooks(ProjectHooks, BasePrePostModelHooks):
    pass


class TestPrePostModelHooksInConfigWithCount(ProjectHooks, BasePrePostModelHooksInConfigWithCount):
    pass


class TestHookRefs(ModelHooks, BaseHookRefs):
    pass


class TestPrePostModelHooksInConfig(ModelHooks, BasePrePostModelHooksInConfig):
    pass


class TestPrePostModelHooksInConfigKwargs(ModelHooks, BasePrePostModelHooksInConfigKwargs):
    pass


ADD, FILL = "alter table {{ this }} add column new_col int64", "update {{ this }} set new_col = 1 where true"
"""BigQuery updates nothing without a WHERE."""


class TestPrePostModelHooksOnSeeds(BasePrePostModelHooksOnSeeds):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        null = "select cast(null as {{ dbt.type_int() }}) as id"
        return {"seeds": {"post-hook": [ADD, FILL, null], "quote_columns": False}}


class PlusPrefixed:
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return {"seeds": {"+post-hook": [ADD, FILL], "quote_columns": False}}


class TestPrePostModelHooksOnSeedsPlusPrefixed(PlusPrefixed, BasePrePostModelHooksOnSeedsPlusPrefixed):
    pass


class TestPrePostModelHooksOnSeedsPlusPrefixedWhitespace(
    PlusPrefixed, BasePrePostModelHooksOnSeedsPlusPrefixedWhitespace
):
    pass


def snapshot_hooks(folder: str) -> dict[str, Any]:
    return {"snapshot-paths": [folder], "snapshots": {"post-hook": [ADD, FILL]}, "seeds": {"quote_columns": False}}


class TestPrePostModelHooksOnSnapshots(BasePrePostModelHooksOnSnapshots):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return snapshot_hooks("test-snapshots")


class TestPrePostSnapshotHooksInConfigKwargs(BasePrePostSnapshotHooksInConfigKwargs):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return snapshot_hooks("test-kwargs-snapshots")


class TestPrePostRunHooks(BasePrePostRunHooks):
    @pytest.fixture
    def setUp(self, project: TestProjInfo, monkeypatch: pytest.MonkeyPatch) -> None:
        make_hook_table(project, "on_run_hook")
        for name in ("schemas", "db_schemas"):
            project.run_sql(f"drop table if exists {project.test_schema}.{name}")
        monkeypatch.setenv("TERM_TEST", "TESTING")

    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        when = {}
        for state in ("start", "end"):
            order = f"{{{{ target.schema }}}}.{state}_hook_order_test"
            when[state] = [
                f"{{{{ custom_run_hook('{state}', target, run_started_at, invocation_id) }}}}",
                f"create table {order} (id int64)",
                f"drop table {order}",
            ]
        written = [
            "create table {{ target.schema }}.schemas (schema string)",
            "insert into {{ target.schema }}.schemas (schema) values ('{{ schemas | join(\"'), ('\") }}')",
            "create table {{ target.schema }}.db_schemas (db string, schema string)",
            "insert into {{ target.schema }}.db_schemas (db, schema) values "
            "{% for one in database_schemas %}('{{ one | join(\"', '\") }}'){{ ', ' if not loop.last }}{% endfor %}",
        ]
        return {
            "on-run-start": [*when["start"], "{{ log(env_var('TERM_TEST'), info=True) }}"],
            "on-run-end": when["end"] + written,
            "seeds": {"quote_columns": False},
        }

    def check_hooks(self, state: str, project: TestProjInfo, host: str | None) -> None:
        [hook] = hooks_that_ran(project, "on_run_hook", state)
        assert_told(project, hook)
