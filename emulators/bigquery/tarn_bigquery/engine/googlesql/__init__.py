"""GoogleSQL's functions in DuckDB: SQL macros where DuckDB can say them, Python where it cannot."""

import duckdb
from duckdb.func import FunctionNullHandling
from duckdb.sqltypes import DuckDBPyType

from tarn_bigquery.engine.googlesql import (
    cast_formats,
    decimals,
    fingerprints,
    formats,
    intervals,
    javascript,
    jsons,
    macros,
    net,
    number_formats,
    regexps,
    texts,
    times,
    vectors,
)
from tarn_bigquery.engine.googlesql.udf import FUNCTIONS, GoogleSqlError

__all__ = [
    "GoogleSqlError",
    "cast_formats",
    "decimals",
    "fingerprints",
    "formats",
    "install",
    "intervals",
    "javascript",
    "jsons",
    "net",
    "number_formats",
    "regexps",
    "texts",
    "times",
    "vectors",
]


def install(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the functions known to every connection to the database."""
    for function in FUNCTIONS:
        connection.create_function(
            function.name,
            function.call,
            [DuckDBPyType(name) for name in function.arguments],
            DuckDBPyType(function.returns),
            # Otherwise DuckDB would let none of them return a NULL.
            null_handling=FunctionNullHandling.SPECIAL,
        )
    macros.install(connection)
