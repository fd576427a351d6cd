"""CREATE FUNCTION, CREATE TABLE FUNCTION, and DROP of any routine."""

from sqlglot import exp

from tarn_bigquery.catalog.catalog import Key, create, remove, replace
from tarn_bigquery.catalog.resources import new_routine
from tarn_bigquery.engine.ddl_call import Call, narrowed
from tarn_bigquery.engine.googlesql import javascript
from tarn_bigquery.engine.queries import Outcome
from tarn_bigquery.errors import already_exists, not_found, unsupported
from tarn_bigquery.sql import ddl
from tarn_bigquery.sql.routine_names import routine_key
from tarn_bigquery.sql.routines import created_path, routine_body


def create_function(call: Call) -> Outcome:
    """Keep a function as a resource. Raises ApiError where there is one of that name."""
    node = narrowed(exp.Create, call.tree)
    key = routine_key(created_path(node), call.context)
    catalog = call.context.catalog
    catalog.dataset(key.dataset)
    exists = catalog.find(key) is not None
    if exists and node.args.get("exists"):
        return _outcome("SKIP", key)
    if exists and not node.args.get("replace"):
        raise already_exists("Routine", key)
    body = new_routine(key.dataset, key.name, routine_body(node, call.statement) | _description(node))
    if body["language"] == "JAVASCRIPT" and not javascript.is_available():
        raise unsupported("JavaScript functions where the package mini-racer is not installed")
    with call.queries.database.transaction() as transaction:
        transaction.change(replace(key, body) if exists else create(key, body))
    return _outcome("REPLACE" if exists else "CREATE", key)


def _description(node: exp.Create) -> dict[str, str]:
    description = ddl.options(node).get("description")
    return {} if description is None else {"description": description}


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
