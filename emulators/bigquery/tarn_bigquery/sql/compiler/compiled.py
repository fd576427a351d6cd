"""What comes of compiling a query."""

from dataclasses import dataclass

from tarn_bigquery.catalog.names import quote
from tarn_bigquery.sql.compiler.kinds import Type


@dataclass(frozen=True)
class Compiled:
    """A query in DuckDB SQL and its columns. A value table has one column, which has no name of its own.

    `texts` are the places of the columns that hold nothing but literal texts: beside a DATE they are dates.
    """

    sql: str
    columns: list[tuple[str, Type]]
    is_value_table: bool = False
    texts: frozenset[int] = frozenset()

    def aliased(self, alias: str) -> str:
        """The first column, read from the query under an alias."""
        return f"{quote(alias)}.{quote(self.columns[0][0])}"
