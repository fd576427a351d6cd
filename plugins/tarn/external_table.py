"""The external table that a dataset declares: its definition as GoogleSQL, and the way to bring the server to it.

The definition is sent as DDL and not as a ``tables.insert``: of ``externalDataConfiguration.schema`` the API's own
document says that it is disallowed for Parquet, and a schema beside it, in the table itself, makes BigQuery leave out
the partition keys. CREATE EXTERNAL TABLE takes columns and partition columns together for every format. Sources:
https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#ExternalDataConfiguration (schema)
https://github.com/hashicorp/terraform-provider-google/issues/8717
https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language#create_external_table_statement
"""

import contextlib
import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass

from google.api_core.exceptions import BadRequest, Conflict, NotFound, PreconditionFailed
from google.cloud import bigquery

from tarn.bigquery import RETRY, TYPE_NAMES
from tarn.cleaning import Policy
from tarn.dataset import Column, Dataset
from tarn.errors import LoadFailed
from tarn.evolution import EVOLVED, text_column
from tarn.layout import hive_uri_prefix, source_uri
from tarn.settings import Settings

RACES = 5
LABEL_LENGTH = 63
DEFINITION_LABEL = "tarn-definition"
"""The label that carries the fingerprint of the definition: how a server words it back is the server's own."""


@dataclass(frozen=True)
class ExternalTable:
    """What is wanted of the server: the table's address, the DDL of its definition, its columns and its labels."""

    reference: bigquery.TableReference
    definition: str
    columns: tuple[tuple[str, str], ...]
    labels: dict[str, str]

    @property
    def fingerprint(self) -> str:
        """Changes when the definition does."""
        return self.labels[DEFINITION_LABEL]


def external_table(dataset: Dataset, settings: Settings, evolved: Collection[str] = ()) -> ExternalTable:
    """The external table that a dataset declares. Its partition key stands behind the columns.

    ``evolved`` names columns of text that the publisher has added and the dataset does not declare.
    """
    key = dataset.partition_by.value
    columns = (*dataset.columns, *map(text_column, sorted(evolved)))
    definition = _definition(dataset, columns, settings)
    labels = settings.resource_labels | {
        "tarn-dataset": dataset.name[:LABEL_LENGTH],
        DEFINITION_LABEL: hashlib.sha256(definition.encode()).hexdigest()[:16],
    }
    fields = [(column.name, TYPE_NAMES.get(column.type, column.type.value)) for column in columns]
    reference = bigquery.TableReference.from_string(f"{settings.project}.{settings.lake_dataset}.{dataset.table}")
    return ExternalTable(reference, definition, (*fields, (key, "DATE")), labels)


def evolved_columns(
    client: bigquery.Client, dataset: Dataset, settings: Settings, arrived: Collection[str]
) -> frozenset[str]:
    """The undeclared columns that the table should have: those that it has, and those of a partition that arrives.

    None where no policy of the dataset lets its table evolve.
    """
    if Policy.EVOLVE not in (dataset.new_columns, dataset.changed_types):
        return frozenset()
    declared = {column.name for column in dataset.columns}
    try:
        found = client.get_table(external_table(dataset, settings).reference, retry=RETRY).schema
    except NotFound:
        found = []
    present = {field.name for field in found if field.description == EVOLVED}
    return frozenset(present | set(arrived)) - declared


def ensure_table(client: bigquery.Client, wanted: ExternalTable, settings: Settings) -> bool:
    """Create or replace an external table where what the server holds differs; tells whether it had to.

    Several may do so at once: whoever comes late finds the table as it should be. Raises LoadFailed where a table of
    another kind has the name.
    """
    for _ in range(RACES):
        with contextlib.suppress(Conflict, PreconditionFailed, _LostRace):
            return _ensure_table_once(client, wanted, settings)
    raise LoadFailed(f"The table {wanted.reference} keeps being changed by others: see who, then load again.")


class _LostRace(Exception):
    """Another has changed the table while this one was about to."""


def _ensure_table_once(client: bigquery.Client, wanted: ExternalTable, settings: Settings) -> bool:
    found = _find(client, wanted)
    if found is not None and _is_as_wanted(found, wanted):
        return False
    create = "CREATE OR REPLACE EXTERNAL TABLE" if found else "CREATE EXTERNAL TABLE IF NOT EXISTS"
    config = bigquery.QueryJobConfig(labels=settings.resource_labels)
    job = client.query(f"{create} {wanted.definition}", config, location=settings.location, retry=RETRY)
    try:
        job.result(retry=RETRY)
    except BadRequest as error:
        if "concurrent" in error.message.lower():
            raise _LostRace from error
        raise
    # Without an etag: labels are merged key by key, and another who makes the same table at once may add the same.
    labelled = bigquery.Table(wanted.reference)
    labelled.labels = (found.labels if found else {}) | wanted.labels
    client.update_table(labelled, ["labels"], retry=RETRY)
    return True


def _find(client: bigquery.Client, wanted: ExternalTable) -> bigquery.Table | None:
    try:
        found = client.get_table(wanted.reference, retry=RETRY)
    except NotFound:
        return None
    if found.table_type != "EXTERNAL":
        raise LoadFailed(
            f"{wanted.reference} is a {found.table_type.lower()}, and the load wants an external table of that name:"
            " rename or drop it, or give the dataset another `table`."
        )
    return found


def _is_as_wanted(found: bigquery.Table, wanted: ExternalTable) -> bool:
    columns = tuple((field.name, TYPE_NAMES.get(field.field_type, field.field_type)) for field in found.schema)
    return found.labels.items() >= wanted.labels.items() and columns == wanted.columns


def _definition(dataset: Dataset, columns: Collection[Column], settings: Settings) -> str:
    key = dataset.partition_by.value
    fields = ",\n".join(
        f"  `{column.name}` {column.type.value} OPTIONS (description = {_text(column.description)})"
        for column in columns
    )
    options = {
        "format": _text("PARQUET"),
        "uris": f"[{_text(source_uri(dataset, settings))}]",
        "hive_partition_uri_prefix": _text(hive_uri_prefix(dataset, settings)),
        "require_hive_partition_filter": "FALSE",
        "description": _text(f"{dataset.description} Publisher: {dataset.publisher}."),
    }
    listed = ",\n".join(f"  {name} = {value}" for name, value in options.items())
    name = f"`{settings.project}.{settings.lake_dataset}.{dataset.table}`"
    return f"{name} (\n{fields}\n)\nWITH PARTITION COLUMNS (`{key}` DATE)\nOPTIONS (\n{listed}\n)"


def _text(value: str) -> str:
    # JSON's escapes are GoogleSQL's too, but for the surrogate pairs that it would write of what is not ASCII.
    return json.dumps(value, ensure_ascii=False)
