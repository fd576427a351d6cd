"""GoogleSQL's functions as DuckDB macros, which `macros.sql` has."""

from importlib import resources

import duckdb

_SCHEMA = "googlesql"


def install(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the macros, for every connection to the database. The Python functions must be there already."""
    definitions = resources.files(__package__).joinpath("macros.sql").read_text(encoding="utf-8")
    # A database in memory of their own: nothing of them is in the user's file.
    connection.execute(f"ATTACH ':memory:' AS {_SCHEMA}")
    connection.execute(definitions)
