"""A small lake of hand-made rows in a real object server and a real emulator, and real dbt over it."""

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dbt.artifacts.schemas.run import RunResult
from dbt.cli.main import dbtRunner, dbtRunnerResult
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage

from tarn.dataset import Dataset, load_dataset
from tarn.marts import dbt_environment, window_variables
from tarn.settings import CHECKOUT, Settings

DATASETS = CHECKOUT / "datasets"
GOOD = {"success", "pass", "warn", "no-op"}
ARROW = {
    "STRING": pa.string(),
    "INT64": pa.int64(),
    "FLOAT64": pa.float64(),
    "NUMERIC": pa.decimal128(38, 9),
    "BOOL": pa.bool_(),
    "DATE": pa.date32(),
    "DATETIME": pa.timestamp("us"),
    "TIMESTAMP": pa.timestamp("us", "UTC"),
}

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Lake:
    """The bucket and the external tables of a lake."""

    settings: Settings
    objects: storage.Bucket
    tables: bigquery.Client

    @classmethod
    def create(cls, settings: Settings) -> "Lake":
        """An empty lake at the settings' addresses."""
        nobody = AnonymousCredentials()
        gcs = storage.Client(settings.project, nobody, client_options={"api_endpoint": settings.gcs_url})
        tables = bigquery.Client(settings.project, nobody, client_options={"api_endpoint": settings.bigquery_url})
        tables.create_dataset(settings.lake_dataset)
        return cls(settings, gcs.create_bucket(settings.bucket), tables)

    def put(self, name: str, partition: str, rows: Iterable[Row]) -> None:
        """Replace the file of a dataset's partition, which is named by its first day."""
        dataset = load_dataset(DATASETS / f"{name}.yaml")
        schema = pa.schema([(column.name, ARROW[column.type]) for column in dataset.columns])
        content = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(list(rows), schema), content)
        self.file(name, partition).upload_from_string(content.getvalue())
        self._declare(dataset)

    def file(self, name: str, partition: str) -> storage.Blob:
        """The object that holds a partition of a dataset."""
        key = load_dataset(DATASETS / f"{name}.yaml").partition_by
        return self.objects.blob(f"{name}/{key}={partition}/part-0.parquet")

    def _declare(self, dataset: Dataset) -> None:
        folder = f"gs://{self.objects.name}/{dataset.prefix}"
        config = bigquery.ExternalConfig(bigquery.SourceFormat.PARQUET)
        config.source_uris = [f"{folder}/*"]
        config.schema = [bigquery.SchemaField(column.name, column.type) for column in dataset.columns]
        layout = bigquery.HivePartitioningOptions()
        layout.mode = "CUSTOM"
        layout.source_uri_prefix = f"{folder}/{{{dataset.partition_by}:DATE}}"
        config.hive_partitioning = layout
        table = bigquery.Table(f"{self.settings.project}.{self.settings.lake_dataset}.{dataset.table}")
        table.external_data_configuration = config
        self.tables.create_table(table, exists_ok=True)

    def labels(self) -> dict[str, dict[str, str]]:
        """The labels of each table and view that dbt has made, by its name."""
        made = [one for one in self.tables.list_datasets() if one.dataset_id.startswith(self.settings.marts_dataset)]
        return {table.table_id: table.labels for one in made for table in self.tables.list_tables(one.dataset_id)}

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """What a query over the marts gives."""
        default = f"{self.settings.project}.{self.settings.marts_dataset}"
        job = self.tables.query(sql, job_config=bigquery.QueryJobConfig(default_dataset=default))
        return [dict(row) for row in job.result()]

    def mart(self, name: str) -> list[str]:
        """The rows of a mart, in an order that does not depend on how they are stored."""
        return sorted(row["line"] for row in self.rows(f"SELECT TO_JSON_STRING(t) AS line FROM `{name}` AS t"))


class Dbt:
    """dbt over a lake, in this process: its own start takes longer than what it does here.

    It works on what has a pipeline's tag, and is given partitions of one granularity.
    """

    def __init__(self, settings: Settings, pipeline: str, granularity: str) -> None:
        self.environment = dbt_environment(settings) | window_variables(())
        self.target = Path(self.environment["DBT_TARGET_PATH"])
        self.pipeline = pipeline
        self.granularity = granularity

    def run(
        self, *arguments: str, start: str | None = None, end: str | None = None, granularity: str | None = None
    ) -> dbtRunnerResult:
        """Run a dbt command, for the partitions from ``start`` to ``end`` where these are given."""
        window = {"start": start, "end": end}
        edges = {f"TARN_{edge}_{granularity or self.granularity}".upper(): day for edge, day in window.items() if day}
        chosen = [] if "--select" in arguments else ["--select", f"tag:{self.pipeline}"]
        with pytest.MonkeyPatch.context() as patch:
            for name, value in (self.environment | edges).items():
                patch.setenv(name, value)
            return dbtRunner().invoke(["--quiet", *arguments, *chosen])

    def results(self, *arguments: str, **edges: str) -> list[RunResult]:
        """Run a dbt command that works on nodes; what came of each."""
        outcome = self.run(*arguments, **edges)
        if outcome.exception:
            raise outcome.exception
        return list(outcome.result)

    def statuses(self, *arguments: str, **edges: str) -> dict[str, str]:
        """Run a dbt command that works on nodes; the status of each by its name."""
        return {result.node.name: str(result.status) for result in self.results(*arguments, **edges)}

    def build(self, *arguments: str, **edges: str) -> None:
        """Build all of the pipeline; no model, seed or test may fail."""
        self._held("build", *arguments, **edges)

    def refresh(self) -> None:
        """Make the models anew from all of the lake, without their tests."""
        self._held("run", "--full-refresh")

    def _held(self, *arguments: str, **edges: str) -> None:
        results = self.results(*arguments, **edges)
        assert not [f"{result.node.name}: {result.message}" for result in results if result.status not in GOOD]


@pytest.fixture(scope="module")
def lake_settings(tmp_path_factory: pytest.TempPathFactory, any_gcs: str, bigquery_url: str) -> Settings:
    """Settings of a lake of the module's own."""
    home = tmp_path_factory.mktemp("lake")
    own = home.name.replace("-", "_")
    return Settings(
        home=home,
        bucket=f"bucket-{home.name}",
        lake_dataset=f"{own}_external",
        marts_dataset=f"{own}_marts",
        labels="team=data,env=test",
        gcs_endpoint=any_gcs,
        bigquery_endpoint=bigquery_url,
    )


@pytest.fixture(scope="module")
def dbt(request: pytest.FixtureRequest, lake_settings: Settings) -> Dbt:
    """dbt over the module's lake, for the PIPELINE that the module names, partitioned as its GRANULARITY says."""
    return Dbt(lake_settings, request.module.PIPELINE, getattr(request.module, "GRANULARITY", "month"))


@pytest.fixture(scope="module")
def lake(lake_settings: Settings) -> Lake:
    """The module's lake, with nothing in it yet."""
    return Lake.create(lake_settings)
