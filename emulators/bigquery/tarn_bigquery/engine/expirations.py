"""`expiration_timestamp` reckoned when the statement runs: a table keeps a moment, not the expression for it."""

from datetime import UTC, datetime

from sqlglot import exp

from tarn_bigquery.engine.ddl_call import Call
from tarn_bigquery.errors import invalid_query
from tarn_bigquery.sql.parse import parse

_OPTION = "expiration_timestamp"


def reckon_expirations(call: Call) -> None:
    """Put in the place of each such option in the call's tree its milliseconds since the epoch."""
    for option in list(call.tree.find_all(exp.Property)):
        value = option.args.get("value")
        if option.name.lower() == _OPTION and isinstance(value, exp.Expr) and not isinstance(value, exp.Null):
            option.set("value", exp.Literal.string(str(_milliseconds(call, value))))


def _milliseconds(call: Call, value: exp.Expr) -> int:
    statement = parse(f"SELECT UNIX_MILLIS(TIMESTAMP({value.sql('bigquery')}))")[0]
    queries = call.queries
    with queries.connection(call.job.session) as cursor, queries.prepared(statement, call.context, cursor) as query:
        [(milliseconds,)] = cursor.sql(query.sql).fetchall()
    if milliseconds is None or milliseconds <= datetime.now(UTC).timestamp() * 1000:
        raise invalid_query(f"The option {_OPTION} must be a moment that is still to come.")
    return int(milliseconds)
