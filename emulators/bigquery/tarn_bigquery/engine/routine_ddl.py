"""CREATE FUNCTION, CREATE TABLE FUNCTION, and DROP of any routine."""

import re
from dataclasses import replace

from sqlglot import exp

from tarn_bigquery.catalog.catalog import Key, create, remove
from tarn_bigquery.catalog.catalog import replace as replace_resource
from tarn_bigquery.catalog.resources import new_routine
from tarn_bigquery.engine.ddl_call import Call, narrowed
from tarn_bigquery.engine.googlesql import javascript
from tarn_bigquery.engine.queries import Outcome
from tarn_bigquery.errors import already_exists, not_found, unsupported
from tarn_bigquery.sql import ddl
from tarn_bigquery.sql.parse import parse
from tarn_bigquery.sql.routines import created_path, routine_body, routine_key


def create_function(call: Call) -> Outcome:
    """Keep a function as a resource. Raises ApiError where there is one of that name."""
    call, description = _without_options(call)
    node = narrowed(exp.Create, call.tree)
    key = routine_key(created_path(node), call.context)
    catalog = call.context.catalog
    catalog.dataset(key.dataset)
    exists = catalog.find(key) is not None
    if exists and node.args.get("exists"):
        return _outcome("SKIP", key)
    if exists and not node.args.get("replace"):
        raise already_exists("Routine", key)
    body = new_routine(key.dataset, key.name, routine_body(node, call.statement) | description)
    if body["language"] == "JAVASCRIPT" and not javascript.is_available():
        raise unsupported("JavaScript functions where the package mini-racer is not installed")
    with call.queries.database.transaction() as transaction:
        transaction.change(replace_resource(key, body) if exists else create(key, body))
    return _outcome("REPLACE" if exists else "CREATE", key)


_OPTIONS = re.compile(r"(?P<before>.*\))\s*(?P<options>OPTIONS\s*\(.*\))\s*;?\s*", re.IGNORECASE | re.DOTALL)


def _without_options(call: Call) -> tuple[Call, dict[str, str]]:
    """The call without the OPTIONS behind a function's body, which sqlglot leaves unread, and what they describe."""
    found = _OPTIONS.fullmatch(call.statement.text) if isinstance(call.tree, exp.Command) else None
    if found is None:
        return call, {}
    options = parse(f"CREATE TABLE t (x INT64) {found['options']}")[0].tree
    description = ddl.options(options).get("description")
    bare = replace(call, statement=parse(found["before"])[0])
    return bare, {} if description is None else {"description": description}


def drop_function(call: Call) -> Outcome:
    drop = narrowed(exp.Drop, call.tree)
    outcome = Outcome("")
    for node in drop.args["tables"]:
        key = routine_key([part.name for part in node.parts], call.context)
        if call.context.catalog.find(key) is None:
            if not drop.args.get("exists"):
                raise not_found("Routine", key)
            outcome = _outcome("SKIP", key)
            continue
        with call.queries.database.transaction() as transaction:
            transaction.change(remove(key))
        outcome = _outcome("DROP", key)
    return outcome


def _outcome(operation: str, key: Key) -> Outcome:
    reference = {**key.dataset.rest(), "routineId": key.name}
    return Outcome("", statistics={"ddlOperationPerformed": operation, "ddlTargetRoutine": reference})
