"""Airflow's BigQuery operators, sensors and hook, each run as a worker runs it, in a process of its own.

Arguments: the project, the dataset, the prefix of the trips, the address of a CSV file, the table of many numbers.
Prints what came of each step as one JSON object.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

from airflow.providers.google.cloud.hooks.bigquery import BigQueryHook
from airflow.providers.google.cloud.operators.bigquery import (
    BigQueryCreateEmptyDatasetOperator,
    BigQueryCreateTableOperator,
    BigQueryDeleteTableOperator,
    BigQueryGetDataOperator,
    BigQueryGetDatasetTablesOperator,
    BigQueryInsertJobOperator,
    BigQueryUpdateTableOperator,
    BigQueryUpsertTableOperator,
)
from airflow.providers.google.cloud.sensors.bigquery import (
    BigQueryTableExistenceSensor,
    BigQueryTablePartitionExistenceSensor,
)
from airflow.providers.google.cloud.transfers.gcs_to_bigquery import GCSToBigQueryOperator

FIELDS = [{"name": "id", "type": "INTEGER"}, {"name": "name", "type": "STRING"}]


class TaskInstance:
    """As much of a task instance as operators use: a place for links and results."""

    task_id = "step"
    dag_id = "steps"
    run_id = "manual"
    map_index = -1
    try_number = 1

    def xcom_push(self, key: str, value: Any) -> None:
        """Nobody reads what is pushed here."""


def execute(operator: Any) -> Any:
    return operator.execute({"ti": TaskInstance(), "task_instance": TaskInstance(), "task": operator})


class Steps:
    def __init__(self, project: str, dataset: str, trips: str, csv: str, numbers: str) -> None:
        self.project, self.dataset, self.trips, self.csv, self.numbers = project, dataset, trips, csv, numbers
        self.place = {"project_id": project, "dataset_id": dataset}

    def dataset_is_made(self) -> Any:
        for _ in range(2):
            operator = BigQueryCreateEmptyDatasetOperator(
                task_id="dataset", if_exists="ignore", dataset_reference={"location": "US"}, **self.place
            )
            execute(operator)
        return [table["tableId"] for table in execute(BigQueryGetDatasetTablesOperator(task_id="tables", **self.place))]

    def bucket_is_loaded(self) -> Any:
        bucket, _, name = self.csv.removeprefix("gs://").partition("/")
        load = GCSToBigQueryOperator(
            task_id="load",
            bucket=bucket,
            source_objects=[name],
            destination_project_dataset_table=f"{self.project}.{self.dataset}.loaded",
            project_id=self.project,
            schema_fields=FIELDS,
            skip_leading_rows=1,
            write_disposition="WRITE_TRUNCATE",
        )
        execute(load)
        return execute(
            BigQueryGetDataOperator(task_id="data", table_id="loaded", table_project_id=self.project, **self.place)
        )

    def parameters_are_bound(self) -> Any:
        parameter = {"name": "least", "parameterType": {"type": "INT64"}, "parameterValue": {"value": "2"}}
        query = {
            "query": f"SELECT name FROM `{self.project}.{self.dataset}.loaded` WHERE id >= @least",
            "useLegacySql": False,
            "parameterMode": "NAMED",
            "queryParameters": [parameter],
        }
        operator = BigQueryInsertJobOperator(task_id="query", project_id=self.project, configuration={"query": query})
        job_id = execute(operator)
        hook = BigQueryHook(use_legacy_sql=False, location="US")
        return [dict(row) for row in hook.get_query_results(job_id=job_id, project_id=self.project, location="US")]

    def external_table_is_made(self) -> Any:
        resource = {
            "tableReference": {"projectId": self.project, "datasetId": self.dataset, "tableId": "trips"},
            "externalDataConfiguration": {
                "sourceFormat": "PARQUET",
                "sourceUris": [f"{self.trips}/*"],
                "autodetect": True,
                "hivePartitioningOptions": {"mode": "CUSTOM", "sourceUriPrefix": f"{self.trips}/{{month:DATE}}"},
            },
        }
        operator = BigQueryCreateTableOperator(
            task_id="external", table_id="trips", table_resource=resource, if_exists="ignore", **self.place
        )
        execute(operator)
        execute(operator)
        query = f"SELECT COUNT(*) AS n FROM `{self.project}.{self.dataset}.trips` WHERE month = '2020-04-01'"
        job = {"query": {"query": query, "useLegacySql": False}}
        job_id = execute(BigQueryInsertJobOperator(task_id="count", project_id=self.project, configuration=job))
        hook = BigQueryHook(use_legacy_sql=False, location="US")
        return [row["n"] for row in hook.get_query_results(job_id=job_id, project_id=self.project, location="US")]

    def tables_are_changed(self) -> Any:
        reference = {"projectId": self.project, "datasetId": self.dataset, "tableId": "days"}
        resource = {
            "tableReference": reference,
            "schema": {"fields": [{"name": "day", "type": "DATE"}]},
            "timePartitioning": {"type": "DAY", "field": "day"},
        }
        execute(
            BigQueryUpsertTableOperator(
                task_id="upsert", table_resource=resource, project_id=self.project, dataset_id=self.dataset
            )
        )
        change = {"description": "Days.", "labels": {"kind": "days"}}
        update = BigQueryUpdateTableOperator(
            task_id="update", table_id="days", table_resource=change, fields=["description", "labels"], **self.place
        )
        changed = execute(update)
        return {name: changed[name] for name in ("description", "labels")}

    def sensors_see(self) -> Any:
        fill = f"INSERT INTO `{self.project}.{self.dataset}.days` VALUES ('2024-01-01')"
        job = {"query": {"query": fill, "useLegacySql": False}}
        execute(BigQueryInsertJobOperator(task_id="fill", project_id=self.project, configuration=job))
        seen = [
            BigQueryTableExistenceSensor(task_id="sensor", table_id=name, **self.place).poke({})
            for name in ("days", "missing")
        ]
        for partition in ("20240101", "20240102"):
            sensor = BigQueryTablePartitionExistenceSensor(
                task_id="sensor", table_id="days", partition_id=partition, **self.place
            )
            seen.append(sensor.poke({}))
        return seen

    def many_rows_are_paged(self) -> Any:
        hook = BigQueryHook(use_legacy_sql=False, location="US")
        _, dataset, table = self.numbers.split(".")
        rows = hook.list_rows(dataset_id=dataset, table_id=table, project_id=self.project, return_iterator=True)
        return sum(row["x"] for row in rows)

    def errors_are_told(self) -> Any:
        job = {"query": {"query": "SELECT nothing", "useLegacySql": False}}
        operator = BigQueryInsertJobOperator(task_id="wrong", project_id=self.project, configuration=job)
        table = f"{self.project}.{self.dataset}.missing"
        return [
            message_of(lambda: execute(operator)),
            message_of(lambda: execute(BigQueryDeleteTableOperator(task_id="drop", deletion_dataset_table=table))),
        ]


def message_of(work: Callable[[], Any]) -> str:
    """What the client says that is wrong."""
    try:
        work()
    except Exception as error:  # noqa: BLE001 - whichever class Airflow has made of it
        return str(error)
    return "nothing"


def main() -> None:
    steps = Steps(*sys.argv[1:])
    names = [name for name, member in vars(Steps).items() if not name.startswith("_") and callable(member)]
    print("REPORT", json.dumps({name: getattr(steps, name)() for name in names}))  # noqa: T201


if __name__ == "__main__":
    main()
