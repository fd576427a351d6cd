"""Datasets and tables made, changed and dropped: DuckDB's side and the catalog's in one transaction."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tarn_bigquery.catalog import partitions, resources
from tarn_bigquery.catalog.catalog import Resource, create, dataset_key, remove, replace, table_key, update
from tarn_bigquery.catalog.names import (
    DatasetRef,
    TableRef,
    check_dataset_id,
    check_table_id,
    duck_path,
    duck_schema,
    duck_table,
    quote,
)
from tarn_bigquery.engine.database import Database, Transaction
from tarn_bigquery.engine.layout import NOT_PARTITIONED, check_layout, partitioning_of
from tarn_bigquery.errors import ApiError, already_exists, invalid
from tarn_bigquery.sql.compiler.defaults import default_of
from tarn_bigquery.sql.types import Field, duck_type, normalized

Edit = Callable[[Resource], Resource]


def create_dataset(database: Database, ref: DatasetRef, given: Resource) -> Resource:
    check_dataset_id(ref.dataset)
    body = resources.new_dataset(ref, given)
    # DuckDB refuses the later of two that make one schema at the same time: here that one finds it made.
    with database.schemas, database.transaction() as transaction:
        if database.catalog.find(dataset_key(ref)):
            raise already_exists("Dataset", ref)
        transaction.cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(duck_schema(ref))}")
        transaction.change(create(dataset_key(ref), body))
    return body


def update_dataset(database: Database, ref: DatasetRef, edit: Edit) -> Resource:
    with database.transaction() as transaction:
        transaction.change(update(dataset_key(ref), edit))
    return database.catalog.dataset(ref)


def delete_dataset(database: Database, ref: DatasetRef, *, contents: bool) -> None:
    """Drop a dataset. Raises ApiError `resourceInUse` where it has tables and `contents` may not go with it."""
    catalog = database.catalog
    catalog.dataset(ref)
    inside = [key for kind in ("Table", "Routine") for key, _ in catalog.children(kind, ref)]
    if inside and not contents:
        raise ApiError("resourceInUse", f"Dataset {ref} is still in use")
    with database.schemas, database.transaction() as transaction:
        for _, body in catalog.children("Table", ref):
            if is_stored(body):
                transaction.rewrites(ref_of(body), body)
        transaction.cursor.execute(f"DROP SCHEMA IF EXISTS {quote(duck_schema(ref))} CASCADE")
        transaction.change(*(remove(key) for key in inside), remove(dataset_key(ref)))


def create_table(transaction: Transaction, body: Resource, *, replacing: bool = False) -> None:
    """Make a table, view or external table of a resource that `resources.new_table` gave, with no rows."""
    ref = ref_of(body)
    body = _completed(transaction, body)
    if replacing:
        _about_to_go(transaction, ref)
    # A table of the name that is replaced, or has expired, may still have its rows here.
    if is_stored(body):
        transaction.cursor.execute(f"CREATE OR REPLACE TABLE {duck_path(ref)} {columns_ddl(body)}")
    else:
        transaction.cursor.execute(f"DROP TABLE IF EXISTS {duck_path(ref)}")
    change = replace if replacing else create
    transaction.change(change(table_key(ref), body))


def create_beside(transaction: Transaction, body: Resource) -> str:
    """Make a table that shall take the place of one of its name, beside that one: it may be filled with its rows.

    Returns the path to fill. `put_in_place` is to follow in the same transaction.
    """
    ref = ref_of(body)
    body = _completed(transaction, body)
    _about_to_go(transaction, ref)
    path = _path_beside(ref)
    transaction.cursor.execute(f"CREATE OR REPLACE TABLE {path} {columns_ddl(body)}")
    transaction.change(replace(table_key(ref), body))
    return path


def put_in_place(transaction: Transaction, ref: TableRef) -> None:
    """Have the table that was made beside another be the one of its name."""
    transaction.cursor.execute(f"DROP TABLE IF EXISTS {duck_path(ref)}")
    transaction.cursor.execute(f"ALTER TABLE {_path_beside(ref)} RENAME TO {quote(duck_table(ref))}")


@contextmanager
def held(transaction: Transaction, ref: TableRef, sql: str) -> Iterator[str]:
    """The rows of a query, kept while the table that they are for is changed. Gives the path of where they are."""
    path = _path_beside(ref)
    transaction.cursor.execute(f"CREATE OR REPLACE TABLE {path} AS {sql}")
    yield path
    transaction.cursor.execute(f"DROP TABLE {path}")


def _path_beside(ref: TableRef) -> str:
    return f"{quote(duck_schema(ref.parent))}.{quote(f'{duck_table(ref)}~new')}"


def _completed(transaction: Transaction, body: Resource) -> Resource:
    """The table with what its dataset says of it. Raises ApiError for names and a layout that may not be."""
    ref = ref_of(body)
    if transaction.catalog.is_expired(body):
        raise invalid(f"Invalid expiration time of the table {ref}: it is in the past.", "expirationTime")
    body = _with_expiration(body, transaction.catalog.dataset(ref.parent), transaction.catalog.clock())
    check_table_id(ref.table)
    _check_names(fields_of(body))
    _check_modes(fields_of(body))
    if is_stored(body):
        check_layout(body)
        for field in fields_of(body):
            # One that is no value of its column is told now, and not when it is first needed.
            default_of(field)
    return body


def _about_to_go(transaction: Transaction, ref: TableRef) -> None:
    current = transaction.catalog.find(table_key(ref))
    if current is not None and is_stored(current):
        transaction.rewrites(ref, current)


def _with_expiration(body: Resource, dataset: Resource, now: int) -> Resource:
    """The table with what its dataset says of expiration: of partitions before tables, as only one of them holds."""
    time = body.get("timePartitioning")
    partition_life, table_life = dataset.get("defaultPartitionExpirationMs"), dataset.get("defaultTableExpirationMs")
    if time and partition_life:
        return body | {"timePartitioning": {"expirationMs": str(partition_life)} | time}
    if "expirationTime" in body or not table_life:
        return body
    return body | {"expirationTime": str(now + int(table_life))}


def drop_table(transaction: Transaction, body: Resource) -> None:
    ref = ref_of(body)
    if is_stored(body):
        transaction.rewrites(ref, body)
        transaction.cursor.execute(f"DROP TABLE IF EXISTS {duck_path(ref)}")
    transaction.change(remove(table_key(ref)))


def drop_partition(transaction: Transaction, body: Resource, partition: str) -> None:
    """Take the rows of one partition away. Raises ApiError `invalid` for a partition that cannot be."""
    if body["type"] != "TABLE":
        raise invalid(f"Cannot address the partition ${partition} of a table of type {body['type']}.")
    ref = ref_of(body)
    transaction.rewrites(ref, body)
    transaction.cursor.execute(f"DELETE FROM {duck_path(ref)} WHERE {partitions.condition(body, partition)}")  # noqa: S608
    touch(ref, transaction)


def update_table(transaction: Transaction, ref: TableRef, current: Resource, edit: Edit) -> None:
    """Change a table's resource; a changed schema changes the stored table too."""
    wanted = edit(current)
    _check_partitioning(current, wanted)
    if current["type"] == "TABLE" and "schema" in wanted:
        fields = normalized(wanted["schema"].get("fields", []))
        _check_names(fields)
        _check_modes(fields)
        evolve(transaction, ref, fields_of(current), fields)
        check_layout({**wanted, "schema": {"fields": fields}})

    def apply(latest: Resource) -> Resource:
        body = _layout_of(latest) | edit(latest)
        if "schema" in body:
            body = {**body, "schema": {**body["schema"], "fields": normalized(body["schema"].get("fields", []))}}
        return body

    transaction.change(update(table_key(ref), apply))


_MODES = {"NULLABLE", "REQUIRED", "REPEATED"}
_RESERVED = ("_PARTITION", "_TABLE_", "_FILE_", "_ROW_TIMESTAMP", "__ROOT__", "_COLIDENTIFIER")


def _check_names(fields: list[Field]) -> None:
    """Raises ApiError `invalid` for columns named as pseudo-columns are, or as one another."""
    seen = set()
    for field in fields:
        if field["name"].upper().startswith(_RESERVED):
            raise invalid(
                f'Invalid field name "{field["name"]}". Field names are not allowed to start with the '
                f"(case-insensitive) prefixes {', '.join(_RESERVED[:-1])} and {_RESERVED[-1]}"
            )
        if field["name"].lower() in seen:
            raise invalid(f"Duplicate column name {field['name']} in the schema")
        seen.add(field["name"].lower())


def _check_modes(fields: list[Field]) -> None:
    """Raises ApiError `invalid` for columns, or fields of them, of a mode that there is not."""
    for field in fields:
        if field.get("mode", "NULLABLE") not in _MODES:
            raise invalid(f"Invalid value for mode: {field['mode']} is not a valid value")
        _check_modes(field.get("fields", []))


def _layout_of(body: Resource) -> Resource:
    """How a table's rows are parted, which a client that leaves it out does not change."""
    return {name: body[name] for name in ("timePartitioning", "rangePartitioning") if name in body}


def _check_partitioning(current: Resource, wanted: Resource) -> None:
    """Raises ApiError `invalid` for a change of the column that parts a table's rows, or of the partitions' size."""
    before, after = partitioning_of(current), partitioning_of(wanted)
    if after not in {NOT_PARTITIONED, before}:
        change = "Cannot convert non partitioned/clustered table to partitioned/clustered table."
        raise invalid(
            change if before == NOT_PARTITIONED else "Cannot change partitioning spec for a partitioned table."
        )


def evolve(transaction: Transaction, ref: TableRef, old: list[Field], new: list[Field]) -> None:
    """Bring a stored table from one schema to another: new columns, relaxed modes. Else ApiError `invalid`."""
    _check_kept(ref, old, new)
    path = duck_path(ref)
    wanted = {field["name"].lower(): field for field in new}
    known = {field["name"].lower() for field in old}
    for field in old:
        name = field["name"]
        after = wanted[name.lower()]
        if field.get("mode") == "REQUIRED" and after.get("mode", "NULLABLE") == "NULLABLE":
            transaction.cursor.execute(f"ALTER TABLE {path} ALTER COLUMN {quote(name)} DROP NOT NULL")
        if duck_type(field) != duck_type(after):
            transaction.rewrites(ref, {"schema": {"fields": old}})
            transaction.cursor.execute(f"ALTER TABLE {path} ALTER COLUMN {quote(name)} TYPE {duck_type(after)}")
    for field in new:
        if field["name"].lower() not in known:
            transaction.cursor.execute(f"ALTER TABLE {path} ADD COLUMN {quote(field['name'])} {duck_type(field)}")


def _check_kept(ref: TableRef, old: list[Field], new: list[Field], inside: str = "") -> None:
    """Raises ApiError `invalid` where a column, or a field of one, is gone, is another, or would lack in old rows."""
    wanted = {field["name"].lower(): field for field in new}
    known = {field["name"].lower() for field in old}
    for field in new:
        if field["name"].lower() not in known and field.get("mode") == "REQUIRED":
            name = inside + field["name"]
            raise _mismatch(ref, f"Cannot add required fields to an existing schema. (field: {name})")
    for field in old:
        name = inside + field["name"]
        after = wanted.get(field["name"].lower())
        if after is None:
            raise _mismatch(ref, f"Field {name} is missing in new schema")
        if field["type"] != after["type"]:
            raise _mismatch(ref, f"Field {name} has changed type from {field['type']} to {after['type']}")
        before_mode, after_mode = (each.get("mode") or "NULLABLE" for each in (field, after))
        if before_mode != after_mode and (before_mode, after_mode) != ("REQUIRED", "NULLABLE"):
            raise _mismatch(ref, f"Field {name} has changed mode from {before_mode} to {after_mode}")
        _check_kept(ref, field.get("fields", []), after.get("fields", []), f"{name}.")


def touch(ref: TableRef, transaction: Transaction) -> None:
    """Note that a table's rows have changed."""
    transaction.change(update(table_key(ref), resources.stamped))


def is_stored(body: Resource) -> bool:
    """Whether the rows are the database's own: views and external tables have theirs elsewhere."""
    return body["type"] in {"TABLE", "SNAPSHOT"}


def ref_of(body: Resource) -> TableRef:
    return TableRef.from_rest(body["tableReference"], "")


def fields_of(body: Resource) -> list[Field]:
    return body.get("schema", {}).get("fields", [])


def columns_ddl(body: Resource) -> str:
    """The column list of a stored table. A table without a schema has one column that nobody sees."""
    columns = [
        f"{quote(f['name'])} {duck_type(f)}{' NOT NULL' if f.get('mode') == 'REQUIRED' else ''}"
        for f in fields_of(body)
    ]
    columns = columns or ["_empty BOOLEAN"]
    if partitions.is_ingestion_time(body):
        kind = duck_type({"type": "TIMESTAMP"})
        columns.append(f"{quote(partitions.INGESTION_TIME)} {kind} DEFAULT ({partitions.arrival(body)})")
    return f"({', '.join(columns)})"


def _mismatch(ref: TableRef, detail: str) -> Exception:
    return invalid(f"Provided Schema does not match Table {ref}. {detail}")
