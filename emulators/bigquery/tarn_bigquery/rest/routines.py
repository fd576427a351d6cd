"""routines.*: functions, table functions and procedures as resources."""

import re
from typing import Any

from tarn_bigquery.catalog import resources
from tarn_bigquery.catalog.catalog import Change, Key, Resource, create, remove, update
from tarn_bigquery.catalog.names import DatasetRef, check_routine_id
from tarn_bigquery.errors import invalid
from tarn_bigquery.rest.http import Call
from tarn_bigquery.rest.pages import page

_LISTED = ("routineReference", "routineType", "creationTime", "lastModifiedTime", "language", "etag", "arguments",
           "returnType", "returnTableType")  # fmt: skip


def insert(call: Call) -> Resource:
    call.reference("routineReference")
    name = resources.require(call.body, "routineReference", "routineId")
    resources.require(call.body, "routineType")
    resources.require(call.body, "definitionBody")
    check_routine_id(name)
    key = Key("Routine", _dataset(call), name)
    call.engine.catalog.dataset(key.dataset)
    return _commit(call, key, create(key, resources.new_routine(key.dataset, name, call.body)))


def get(call: Call) -> Resource:
    return call.engine.catalog.get(_key(call))


def list_routines(call: Call) -> dict[str, Any]:
    ref = _dataset(call)
    call.engine.catalog.dataset(ref)
    kind = _kind_of(call.query.get("filter"))
    bodies = [body for _, body in call.engine.catalog.children("Routine", ref)]
    found, more = page(call, [body for body in bodies if kind in {None, body["routineType"]}])
    return {"routines": [{name: body[name] for name in _LISTED if name in body} for body in found], **more}


def _kind_of(text: str | None) -> str | None:
    """The kind of routines that a filter `routineType:PROCEDURE` lets through."""
    if not text:
        return None
    found = re.fullmatch(r"routineType:(\w+)", text.strip())
    if found is None:
        raise invalid(f"Invalid filter: {text}", "filter")
    return found[1].upper()


def put(call: Call) -> Resource:
    call.reference("routineReference")
    key = _key(call)

    def edit(current: Resource) -> Resource:
        resources.check_etag(current, call.headers.get("if-match"))
        again = resources.new_routine(key.dataset, key.name, call.body)
        return {**again, "creationTime": current["creationTime"]}

    call.engine.catalog.get(key)
    return _commit(call, key, update(key, edit))


def delete(call: Call) -> None:
    key = _key(call)
    resources.check_etag(call.engine.catalog.get(key), call.headers.get("if-match"))
    with call.engine.database.transaction() as transaction:
        transaction.change(remove(key))


def _commit(call: Call, key: Key, change: Change) -> Resource:
    with call.engine.database.transaction() as transaction:
        transaction.change(change)
    return call.engine.catalog.get(key)


def _dataset(call: Call) -> DatasetRef:
    return DatasetRef(call.path["project"], call.path["dataset"])


def _key(call: Call) -> Key:
    return Key("Routine", _dataset(call), call.path["routine"])
