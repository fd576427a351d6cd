"""`FOR SYSTEM_TIME AS OF`: which moment a table is read at.

https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#for_system_time_as_of
"""

import time
from datetime import UTC, datetime, timedelta

from sqlglot import exp

from tarn_bigquery.catalog.names import TableRef
from tarn_bigquery.errors import invalid_query
from tarn_bigquery.sql.compiler.environment import Environment
from tarn_bigquery.sql.compiler.kinds import Type
from tarn_bigquery.sql.compiler.scope import Scope
from tarn_bigquery.sql.compiler.statements import compile_value
from tarn_bigquery.sql.compiler.values import coerce
from tarn_bigquery.sql.context import QueryContext

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIMESTAMP = Type("TIMESTAMP")


def moment_of(node: exp.Table, ref: TableRef, context: QueryContext) -> int:
    """The moment that a table's clause names, in microseconds since the epoch.

    Raises ApiError `invalidQuery` for what is no constant TIMESTAMP that has passed.
    """
    value = compile_value(node.args["version"].expression, Environment(), Scope())
    timestamp = coerce(value, _TIMESTAMP)
    what = f"'FOR SYSTEM_TIME AS OF' expression for table '{ref.project}.{ref.dataset}.{ref.table}'"
    if timestamp is None:
        raise invalid_query(
            f"'FOR SYSTEM_TIME AS OF' expression must be of type TIMESTAMP but was of type {value.type}"
        )
    moment = context.introspection.moment(timestamp.sql)
    if moment is None:
        raise invalid_query(f"{what} evaluates to a NULL TIMESTAMP value")
    if moment > time.time_ns() // 1000:
        told = _EPOCH + timedelta(microseconds=moment)
        raise invalid_query(f"{what} evaluates to a TIMESTAMP value in the future: {told:%Y-%m-%d %H:%M:%S.%f} UTC")
    return moment
