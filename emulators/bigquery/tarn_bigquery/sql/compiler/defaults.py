"""What a column holds where a statement, a file or a row leaves it out.

https://cloud.google.com/bigquery/docs/default-values
"""

from collections.abc import Iterable

from tarn_bigquery.errors import invalid_query
from tarn_bigquery.sql.compiler.environment import Environment
from tarn_bigquery.sql.compiler.expressions import Expressions
from tarn_bigquery.sql.compiler.kinds import of_field
from tarn_bigquery.sql.compiler.scope import Scope
from tarn_bigquery.sql.compiler.values import coerce
from tarn_bigquery.sql.limits import limited
from tarn_bigquery.sql.parse import parse
from tarn_bigquery.sql.types import Field, duck_type

_DEFAULT = "defaultValueExpression"


def has_default(field: Field) -> bool:
    return _DEFAULT in field


def default_of(field: Field) -> str:
    """DuckDB SQL for the column's default, NULL where it has none.

    Raises ApiError `invalidQuery` for an expression that is no value of the column's type.
    """
    if not has_default(field):
        return f"CAST(NULL AS {duck_type(field)})"
    [node] = parse(f"SELECT {field[_DEFAULT]}")[0].tree.expressions
    value = Expressions(Scope(), Environment()).value(node)
    found = coerce(value, of_field(field))
    if found is None:
        raise invalid_query(
            f"Invalid default value expression for column {field['name']}: its type is {value.type}, "
            f"and that of the column {of_field(field)}"
        )
    return limited(found.sql, field)


def left_out(fields: Iterable[Field], named: Iterable[Field]) -> list[Field]:
    """The columns with a default that are not among those that are written."""
    names = {field["name"].lower() for field in named}
    return [field for field in fields if has_default(field) and field["name"].lower() not in names]
