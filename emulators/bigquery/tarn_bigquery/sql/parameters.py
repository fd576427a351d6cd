"""Query parameters, put into the statement as typed values."""

from typing import Any

from sqlglot import Dialect, exp
from sqlglot.tokenizer_core import TokenType

from tarn_bigquery.errors import ApiError, invalid, invalid_query

_POSITIONAL = "_positional_"
_SCALARS = {"BIGDECIMAL", "BIGNUMERIC", "BOOL", "BOOLEAN", "BYTES", "DATE", "DATETIME", "DECIMAL", "FLOAT", "FLOAT64",
            "GEOGRAPHY", "INT64", "INTEGER", "INTERVAL", "JSON", "NUMERIC", "STRING", "TIME", "TIMESTAMP"}  # fmt: skip


def name_positional(text: str) -> str:
    """The text with each `?` made a named parameter, in the order in which they stand."""
    tokens = [t for t in Dialect.get_or_raise("bigquery").tokenize(text) if t.token_type == TokenType.PLACEHOLDER]
    for index, token in reversed(list(enumerate(tokens))):
        text = f"{text[: token.start]}@{_POSITIONAL}{index}{text[token.end + 1 :]}"
    return text


def positional_name(index: int) -> str:
    """The name that `name_positional` gives to the `?` at an index."""
    return f"{_POSITIONAL}{index}"


def bind(statement: exp.Expr, parameters: list[dict[str, Any]]) -> exp.Expr:
    """The statement, in which every `@name` is replaced by its value. Raises ApiError for one that was not given."""
    values = {_name(index, parameter): parameter for index, parameter in enumerate(parameters)}

    def replace(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Parameter) or isinstance(node.parent, exp.Parameter):
            return node
        if isinstance(node.this, exp.Parameter):
            written = node.parent if isinstance(node.parent, exp.Dot) else node
            raise invalid_query(f"Unknown system variable {written.sql('bigquery')}")
        name = node.name.lower()
        if name not in values:
            raise invalid_query(f"Query parameter '{node.name}' not found")
        parameter = values[name]
        kind = _part(parameter, "parameterType")
        return literal(kind, parameter.get("parameterValue") or {})

    return statement.transform(replace, copy=False)


def literal(kind: dict[str, Any], value: dict[str, Any]) -> exp.Expr:
    """A parameter's value as a GoogleSQL expression of exactly its type."""
    name = _part(kind, "type").upper()
    target = exp.DataType.build(_type_text(kind), dialect="bigquery")
    if name == "ARRAY":
        items = [literal(_part(kind, "arrayType"), item) for item in value.get("arrayValues") or []]
        return exp.cast(exp.Array(expressions=items), target)
    if name == "STRUCT":
        fields = value.get("structValues") or {}
        members = [
            exp.PropertyEQ(
                this=exp.to_identifier(member.get("name") or f"_field_{index + 1}"),
                expression=literal(_part(member, "type"), fields.get(member.get("name", "")) or {}),
            )
            for index, member in enumerate(_part(kind, "structTypes"))
        ]
        return exp.Struct(expressions=members)
    text = value.get("value")
    if text is None:
        return exp.cast(exp.Null(), target)
    if name == "BYTES":
        return exp.Anonymous(this="FROM_BASE64", expressions=[exp.Literal.string(text)])
    if name == "STRING":
        return exp.Literal.string(text)
    return exp.cast(exp.Literal.string(str(text)), target)


def _name(index: int, parameter: dict[str, Any]) -> str:
    return (parameter.get("name") or positional_name(index)).lower()


def _type_text(kind: dict[str, Any]) -> str:
    name = _part(kind, "type").upper()
    if name == "ARRAY":
        return f"ARRAY<{_type_text(_part(kind, 'arrayType'))}>"
    if name == "STRUCT":
        members = (
            f"`{_plain_name(m['name'])}` {_type_text(_part(m, 'type'))}"
            if m.get("name")
            else _type_text(_part(m, "type"))
            for m in _part(kind, "structTypes")
        )
        return f"STRUCT<{', '.join(members)}>"
    if name == "RANGE":
        return f"RANGE<{_type_text(_part(kind, 'rangeElementType'))}>"
    if name not in _SCALARS:
        raise invalid(f"Invalid query parameter type: {name}", "parameterType")
    return name


def _part(value: dict[str, Any], name: str) -> Any:
    """A member that a parameter cannot do without."""
    if not value.get(name):
        raise ApiError("required", f"Required parameter is missing: {name}", location=name)
    return value[name]


def _plain_name(name: str) -> str:
    if "`" in name or "\\" in name:
        raise invalid(f"Invalid field name of a query parameter: {name}", "structTypes")
    return str(name)
