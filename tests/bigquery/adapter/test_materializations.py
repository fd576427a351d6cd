"""Models, seeds, snapshots, tests and what else dbt's suite asks of a warehouse.

Which classes are missing here, and why, stands in `left_out.yaml`.
"""

from typing import Any

import pytest
from dbt.tests.adapter.aliases import fixtures as aliases
from dbt.tests.adapter.aliases.test_aliases import (
    BaseAliasErrors,
    BaseAliases,
    BaseSameAliasDifferentDatabases,
    BaseSameAliasDifferentSchemas,
)
from dbt.tests.adapter.basic.test_adapter_methods import BaseAdapterMethod
from dbt.tests.adapter.basic.test_base import BaseSimpleMaterializations
from dbt.tests.adapter.basic.test_empty import BaseEmpty
from dbt.tests.adapter.basic.test_ephemeral import BaseEphemeral
from dbt.tests.adapter.basic.test_generic_tests import BaseGenericTests
from dbt.tests.adapter.basic.test_incremental import BaseIncremental, BaseIncrementalNotSchemaChange
from dbt.tests.adapter.basic.test_singular_tests import BaseSingularTests
from dbt.tests.adapter.basic.test_singular_tests_ephemeral import BaseSingularTestsEphemeral
from dbt.tests.adapter.basic.test_snapshot_check_cols import BaseSnapshotCheckCols
from dbt.tests.adapter.basic.test_snapshot_timestamp import BaseSnapshotTimestamp
from dbt.tests.adapter.basic.test_table_materialization import BaseTableMaterialization
from dbt.tests.adapter.basic.test_validate_connection import BaseValidateConnection
from dbt.tests.adapter.caching.test_caching import (
    BaseCachingLowercaseModel,
    BaseCachingSelectedSchemaOnly,
    BaseCachingUppercaseModel,
    BaseNoPopulateCache,
)
from dbt.tests.adapter.concurrency.test_concurrency import BaseConcurrency
from dbt.tests.adapter.constraints.test_constraints import (
    BaseConstraintsRollback,
    BaseIncrementalConstraintsColumnsEqual,
    BaseIncrementalConstraintsRollback,
    BaseIncrementalForeignKeyConstraint,
    BaseTableConstraintsColumnsEqual,
    BaseViewConstraintsColumnsEqual,
)
from dbt.tests.adapter.dbt_clone.test_dbt_clone import (
    BaseCloneNotPossible,
    BaseClonePossible,
    BaseCloneSameSourceAndTarget,
    BaseCloneSameTargetAndState,
)
from dbt.tests.adapter.dbt_debug.test_dbt_debug import BaseDebugInvalidProjectPostgres, BaseDebugPostgres
from dbt.tests.adapter.dbt_show.test_dbt_show import (
    BaseShowDoesNotHandleDoubleLimit,
    BaseShowLimit,
    BaseShowSqlHeader,
)
from dbt.tests.adapter.empty.test_empty import BaseTestEmpty, BaseTestEmptyInlineSourceRef, MetadataWithEmptyFlag
from dbt.tests.adapter.ephemeral.test_ephemeral import BaseEphemeralErrorHandling
from dbt.tests.adapter.hooks.test_model_hooks import BaseDuplicateHooksInConfigs, BaseHooksRefsOnSeeds
from dbt.tests.adapter.hooks.test_run_hooks import BaseAfterRunHooks
from dbt.tests.adapter.incremental.test_incremental_merge_exclude_columns import BaseMergeExcludeColumns
from dbt.tests.adapter.incremental.test_incremental_microbatch import BaseMicrobatch
from dbt.tests.adapter.incremental.test_incremental_on_schema_change import BaseIncrementalOnSchemaChange
from dbt.tests.adapter.incremental.test_incremental_predicates import BaseIncrementalPredicates
from dbt.tests.adapter.incremental.test_incremental_unique_id import BaseIncrementalUniqueKey
from dbt.tests.adapter.persist_docs.test_persist_docs import (
    BasePersistDocs,
    BasePersistDocsAllColumnsMissing,
    BasePersistDocsColumnMissing,
    BasePersistDocsCommentOnQuotedColumn,
    BasePersistDocsQuotedColumnCaseSensitive,
    BasePersistDocsQuotedDescriptionNotAppliedOnMismatch,
)
from dbt.tests.adapter.query_comment.test_query_comment import (
    BaseEmptyQueryComments,
    BaseMacroArgsQueryComments,
    BaseMacroInvalidQueryComments,
    BaseMacroQueryComments,
    BaseNullQueryComments,
    BaseQueryComments,
)
from dbt.tests.adapter.relations.test_changing_relation_type import BaseChangeRelationTypeValidator
from dbt.tests.adapter.sample_mode.test_sample_mode import BaseSampleModeTest
from dbt.tests.adapter.simple_copy.test_simple_copy import SimpleCopyBase
from dbt.tests.adapter.simple_seed.test_seed import (
    BaseSeedParsing,
    BaseSeedWithEmptyDelimiter,
    BaseSimpleSeedEnabledViaConfig,
    BaseTestEmptySeed,
)
from dbt.tests.adapter.simple_snapshot.test_snapshot import BaseSnapshotCheck
from dbt.tests.adapter.store_test_failures_tests.basic import (
    StoreTestFailuresAsExceptions,
    StoreTestFailuresAsGeneric,
    StoreTestFailuresAsInteractions,
    StoreTestFailuresAsProjectLevelEphemeral,
    StoreTestFailuresAsProjectLevelOff,
    StoreTestFailuresAsProjectLevelView,
)
from dbt.tests.adapter.store_test_failures_tests.test_store_test_failures import (
    BaseStoreTestFailures,
    BaseStoreTestFailuresLimit,
)
from dbt.tests.adapter.unit_testing.test_case_insensitivity import BaseUnitTestCaseInsensivity
from dbt.tests.adapter.unit_testing.test_invalid_input import BaseUnitTestInvalidInput
from dbt.tests.adapter.unit_testing.test_quoted_reserved_word_column_names import (
    BaseUnitTestQuotedReservedWordColumnNames,
    test_my_model_csv_fixtures_yml,
)
from dbt.tests.adapter.unit_testing.test_types import (
    BaseUnitTestingTypes,
    BaseUnitTestingVarcharFixtureNoTruncation,
    _length_test_yml,
)
from dbt.tests.fixtures.project import TestProjInfo

from .suite import as_tests

pytestmark = pytest.mark.slow

IN_CI = [
    BaseEphemeral,
    BaseGenericTests,
    BaseIncremental,
    BaseMergeExcludeColumns,
    BaseQueryComments,
    BaseSingularTests,
    BaseSnapshotTimestamp,
]
"""One class of each kind: what every run of the tests has time for."""

AS_THEY_ARE = [
    BaseAdapterMethod,
    BaseAfterRunHooks,
    BaseAliasErrors,
    BaseCachingLowercaseModel,
    BaseCachingSelectedSchemaOnly,
    BaseCachingUppercaseModel,
    BaseCloneNotPossible,
    BaseClonePossible,
    BaseCloneSameSourceAndTarget,
    BaseCloneSameTargetAndState,
    BaseConcurrency,
    BaseDebugInvalidProjectPostgres,
    BaseDebugPostgres,
    BaseDuplicateHooksInConfigs,
    BaseEmpty,
    BaseEmptyQueryComments,
    BaseEphemeralErrorHandling,
    BaseHooksRefsOnSeeds,
    BaseIncrementalForeignKeyConstraint,
    BaseIncrementalOnSchemaChange,
    BaseIncrementalUniqueKey,
    BaseMacroArgsQueryComments,
    BaseMacroInvalidQueryComments,
    BaseMacroQueryComments,
    BaseNoPopulateCache,
    BaseNullQueryComments,
    BasePersistDocs,
    BasePersistDocsAllColumnsMissing,
    BasePersistDocsColumnMissing,
    BasePersistDocsCommentOnQuotedColumn,
    BasePersistDocsQuotedColumnCaseSensitive,
    BasePersistDocsQuotedDescriptionNotAppliedOnMismatch,
    BaseSampleModeTest,
    BaseSeedParsing,
    BaseSeedWithEmptyDelimiter,
    BaseShowLimit,
    BaseShowSqlHeader,
    BaseSimpleSeedEnabledViaConfig,
    BaseSingularTestsEphemeral,
    BaseSnapshotCheck,
    BaseSnapshotCheckCols,
    BaseStoreTestFailures,
    BaseStoreTestFailuresLimit,
    BaseTableMaterialization,
    BaseTestEmpty,
    BaseTestEmptyInlineSourceRef,
    BaseTestEmptySeed,
    BaseUnitTestCaseInsensivity,
    BaseUnitTestInvalidInput,
    BaseValidateConnection,
    SimpleCopyBase,
    StoreTestFailuresAsExceptions,
    StoreTestFailuresAsGeneric,
    StoreTestFailuresAsInteractions,
    StoreTestFailuresAsProjectLevelEphemeral,
    StoreTestFailuresAsProjectLevelOff,
    StoreTestFailuresAsProjectLevelView,
]


class PlainTexts:
    """The suite's macro for a text has PostgreSQL's `::`."""

    @pytest.fixture(scope="class")
    def macros(self) -> dict[str, str]:
        cast = aliases.MACROS__CAST_SQL.replace("::text", "")
        return {"cast.sql": cast, "expect_value.sql": aliases.MACROS__EXPECT_VALUE_SQL}


OF_ALIASES = [BaseAliases, BaseSameAliasDifferentDatabases, BaseSameAliasDifferentSchemas]

globals().update(as_tests(__name__, IN_CI))
globals().update(as_tests(__name__, AS_THEY_ARE, mark=pytest.mark.adapter))
globals().update(as_tests(__name__, OF_ALIASES, mark=pytest.mark.adapter, first=PlainTexts))


@pytest.mark.adapter
class TestSimpleMaterializations(BaseSimpleMaterializations):
    """BigQuery puts no view in a table's place without a full refresh."""

    @pytest.fixture(scope="class")
    def test_config(self) -> dict[str, Any]:
        return {"require_full_refresh": True}


@pytest.mark.adapter
class TestIncrementalNotSchemaChange(BaseIncrementalNotSchemaChange):
    """The suite's model adds an INT64 to a STRING."""

    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        config = "{{ config(materialized='incremental', unique_key='k', on_schema_change='sync_all_columns') }}"
        columns = "select concat('1-', cast(current_timestamp() as string)) as k"
        later = "{% if is_incremental() %}, 'x' as `other cased` {% else %}, 'x' as `OTHER cased` {% endif %}"
        return {"incremental_not_schema_change.sql": f"{config} {columns} {later}"}


@pytest.mark.adapter
class TestMicrobatch(BaseMicrobatch):
    """BigQuery replaces whole partitions, so the model says by what it is partitioned."""

    @pytest.fixture(scope="class")
    def microbatch_model_sql(self) -> str:
        return """
            {{ config(
                materialized='incremental', incremental_strategy='microbatch', unique_key='id', event_time='event_time',
                batch_size='day', begin=modules.datetime.datetime(2020, 1, 1, 0, 0, 0),
                partition_by={'field': 'event_time', 'data_type': 'timestamp', 'granularity': 'day'}
            ) }}
            select * from {{ ref('input_model') }}
        """


class TestIncrementalPredicates(BaseIncrementalPredicates):
    """BigQuery has no delete+insert: the predicate narrows what a MERGE matches."""

    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        predicates = ["dbt_internal_dest.id != 2"]
        return {"models": {"+incremental_predicates": predicates, "+incremental_strategy": "merge"}}


class BigQueryTypes:
    """The suite's types in BigQuery's words: SQL, the type in YAML, the type in an error."""

    @pytest.fixture
    def string_type(self) -> str:
        return "STRING"

    @pytest.fixture
    def int_type(self) -> str:
        return "INT64"

    @pytest.fixture
    def data_types(self) -> list[list[str]]:
        return [
            ["1", "INT64", "INT64"],
            ["'1'", "STRING", "STRING"],
            ["date '2019-01-01'", "date", "DATE"],
            ["timestamp '2013-11-03 00:00:00-07'", "timestamp", "TIMESTAMP"],
            ["['a', 'b']", "ARRAY<STRING>", "ARRAY<STRING>"],
            ["numeric '1'", "numeric", "NUMERIC"],
            ["json '{\"a\": 1}'", "json", "JSON"],
        ]


@pytest.mark.adapter
class TestTableConstraintsColumnsEqual(BigQueryTypes, BaseTableConstraintsColumnsEqual):
    pass


@pytest.mark.adapter
class TestViewConstraintsColumnsEqual(BigQueryTypes, BaseViewConstraintsColumnsEqual):
    pass


@pytest.mark.adapter
class TestIncrementalConstraintsColumnsEqual(BigQueryTypes, BaseIncrementalConstraintsColumnsEqual):
    pass


class RequiredField:
    @pytest.fixture(scope="class")
    def expected_error_messages(self) -> list[str]:
        return ["Required field id cannot be null"]


@pytest.mark.adapter
class TestConstraintsRollback(RequiredField, BaseConstraintsRollback):
    pass


@pytest.mark.adapter
class TestIncrementalConstraintsRollback(RequiredField, BaseIncrementalConstraintsRollback):
    pass


@pytest.mark.adapter
class TestUnitTestingTypes(BaseUnitTestingTypes):
    @pytest.fixture
    def data_types(self) -> list[list[str]]:
        return [
            ["1", "1"],
            ["'1'", "1"],
            ["true", "true"],
            ["date '2020-01-02'", "2020-01-02"],
            ["timestamp '2013-11-03 00:00:00-0'", "2013-11-03 00:00:00-0"],
            ["numeric '1'", "1"],
            ["['a', 'b']", "['a', 'b']"],
        ]


@pytest.mark.adapter
class TestChangeRelationTypeValidator(BaseChangeRelationTypeValidator):
    """BigQuery puts no view in a table's place without a full refresh."""

    def _run_and_check_materialization(self, materialization: str, extra_args: list[str] | None = None) -> None:
        super()._run_and_check_materialization(materialization, ["--full-refresh"])


@pytest.mark.adapter
class TestShowDoesNotHandleDoubleLimit(BaseShowDoesNotHandleDoubleLimit):
    DATABASE_ERROR_MESSAGE = "Syntax error"


@pytest.mark.adapter
class TestMetadataWithEmptyFlag(MetadataWithEmptyFlag):
    """Without the models that give a column the type VARCHAR."""

    @pytest.mark.parametrize(
        "model",
        ["control", "get_columns_in_relation", "alter_relation_comment", "alter_column_comment", "truncate_relation"],
    )
    def test_run(self, project: TestProjInfo, model: str) -> None:
        super().test_run(project, model)


@pytest.mark.adapter
class TestUnitTestQuotedReservedWordColumnNames(BaseUnitTestQuotedReservedWordColumnNames):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        return {
            "my_model.sql": "select * from {{ ref('my_upstream_model') }}",
            "my_upstream_model.sql": "select 1 as `GROUP`",
            "unit_tests.yml": test_my_model_csv_fixtures_yml,
        }


@pytest.mark.adapter
class TestUnitTestingVarcharFixtureNoTruncation(BaseUnitTestingVarcharFixtureNoTruncation):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        model = "select tested_column, length(tested_column) as col_len from {{ ref('my_upstream_model') }}"
        return {
            "my_model.sql": model,
            "my_upstream_model.sql": "select cast('short' as string(5)) as tested_column",
            "schema.yml": _length_test_yml,
        }
