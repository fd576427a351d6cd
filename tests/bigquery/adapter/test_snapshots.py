"""Snapshots: what dbt writes of rows that change, go and come back. The suite's own SQL is put into GoogleSQL."""

import pytest
from dbt.tests.adapter.simple_snapshot import fixtures, new_record_timestamp_mode
from dbt.tests.adapter.simple_snapshot.new_record_check_mode import BaseSnapshotNewRecordCheckMode
from dbt.tests.adapter.simple_snapshot.new_record_timestamp_mode import BaseSnapshotNewRecordTimestampMode
from dbt.tests.adapter.simple_snapshot.test_ephemeral_snapshot_hard_deletes import (
    BaseSnapshotEphemeralHardDeletes,
    BaseSnapshotNewColumnSpecificCheckCols,
    BaseSnapshotNewColumnTimestampStrategy,
    BaseSnapshotNewColumnWithDeletes,
)
from dbt.tests.adapter.simple_snapshot.test_various_configs import (
    BaseSnapshotColumnNames,
    BaseSnapshotColumnNamesFromDbtProject,
    BaseSnapshotInvalidColumnNames,
    BaseSnapshotMultiUniqueKey,
)

from .suite import InGoogleSql, as_tests

pytestmark = [pytest.mark.slow, pytest.mark.adapter]


class Snapshots(InGoogleSql):
    """dbt ends a row that is gone at CURRENT_TIMESTAMP(), which no DATETIME column takes."""

    MOMENT = "TIMESTAMP"


class NamedSnapshots(Snapshots):
    @pytest.fixture(scope="class")
    def snapshots(self) -> dict[str, str]:
        return {"snapshot.sql": with_text_key(fixtures.snapshot_actual_sql)}


def with_text_key(snapshot: str) -> str:
    """The suite's snapshot with its number cast to text before it is joined to others."""
    return snapshot.replace("'id || '", "'cast(id as string) || '")


class NewColumns(Snapshots):
    @pytest.fixture(scope="class")
    def source_alter_sql(self) -> str:
        """BigQuery gives no default to a column that is added."""
        return "alter table {database}.{schema}.src_customers add column dummy_column text"


for kind, bases in {
    NamedSnapshots: [
        BaseSnapshotColumnNames,
        BaseSnapshotColumnNamesFromDbtProject,
        BaseSnapshotInvalidColumnNames,
    ],
    Snapshots: [BaseSnapshotMultiUniqueKey],
    NewColumns: [
        BaseSnapshotEphemeralHardDeletes,
        BaseSnapshotNewColumnSpecificCheckCols,
        BaseSnapshotNewColumnTimestampStrategy,
        BaseSnapshotNewColumnWithDeletes,
    ],
}.items():
    globals().update(as_tests(__name__, bases, first=kind))


class NewRecords(Snapshots):
    @pytest.fixture(scope="class")
    def snapshots(self) -> dict[str, str]:
        return {"snapshot.sql": with_text_key(new_record_timestamp_mode._snapshot_actual_sql)}


class TestSnapshotNewRecordTimestampMode(NewRecords, BaseSnapshotNewRecordTimestampMode):
    pass


class TestSnapshotNewRecordCheckMode(NewRecords, BaseSnapshotNewRecordCheckMode):
    pass
