"""GoogleSQL's types, and which of them give way to which."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from sqlglot import exp

from tarn_bigquery.errors import invalid_query, unsupported
from tarn_bigquery.sql.types import Field, duck_type, field_of_googlesql, standard_name


@dataclass(frozen=True)
class Type:
    """A type of GoogleSQL. Arrays and ranges have an element, structs have fields; an unnamed field is ''."""

    name: str
    element: "Type | None" = None
    fields: tuple[tuple[str, "Type"], ...] = ()

    def __str__(self) -> str:
        if self.element is not None:
            return f"{self.name}<{self.element}>"
        if self.name == "STRUCT":
            return f"STRUCT<{', '.join(f'{name} {kind}'.strip() for name, kind in self.fields)}>"
        return self.name

    @cached_property
    def duck(self) -> str:
        """The DuckDB type that holds the values."""
        return duck_type(self.rest(""))

    def rest(self, name: str) -> Field:
        """A column of this type, as a REST field."""
        if self.name == "ARRAY":
            return {**_known(self.element).rest(name), "mode": "REPEATED"}
        if self.name == "STRUCT":
            children = [kind.rest(field) for field, kind in named_fields(self)]
            return {"name": name, "type": "RECORD", "mode": "NULLABLE", "fields": children}
        if self.name == "RANGE":
            element = {"type": _known(self.element).rest("")["type"]}
            return {"name": name, "type": "RANGE", "mode": "NULLABLE", "rangeElementType": element}
        kind = _REST.get(self.name, self.name)
        return {"name": name, "type": kind, "mode": "NULLABLE"}

    @property
    def is_numeric(self) -> bool:
        return self.name in NUMERIC_NAMES


INT64, FLOAT64, NUMERIC, BIGNUMERIC = Type("INT64"), Type("FLOAT64"), Type("NUMERIC"), Type("BIGNUMERIC")
BOOL, STRING, BYTES, JSON = Type("BOOL"), Type("STRING"), Type("BYTES"), Type("JSON")
DATE, DATETIME, TIMESTAMP, TIME = Type("DATE"), Type("DATETIME"), Type("TIMESTAMP"), Type("TIME")
INTERVAL, GEOGRAPHY = Type("INTERVAL"), Type("GEOGRAPHY")
# The type of a bare NULL, which becomes any other, and of `[]`, which becomes any array.
NULL = Type("NULL")
EMPTY_ARRAY = Type("ARRAY", NULL)

NUMERIC_NAMES = ("INT64", "NUMERIC", "BIGNUMERIC", "FLOAT64")
_DATE_NAMES = ("DATE", "DATETIME")
_REST = {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN", "NULL": "INTEGER"}


def array_of(element: Type) -> Type:
    return Type("ARRAY", element)


def range_of(element: Type) -> Type:
    return Type("RANGE", element)


def struct_of(fields: Iterable[tuple[str, Type]]) -> Type:
    return Type("STRUCT", fields=tuple(fields))


def named_fields(struct: Type) -> list[tuple[str, Type]]:
    """A struct's fields, each with a name: BigQuery's `_field_1` where it has none."""
    return [(name or f"_field_{i}", kind) for i, (name, kind) in enumerate(struct.fields, 1)]


def of_field(field: Field) -> Type:
    """The type of a REST field."""
    if field.get("mode") == "REPEATED":
        return array_of(of_field({**field, "mode": "NULLABLE"}))
    if field["type"] in {"RECORD", "STRUCT"}:
        return struct_of((child["name"], of_field(child)) for child in field["fields"])
    if field["type"] == "RANGE":
        return range_of(Type(field["rangeElementType"]["type"]))
    return Type(standard_name(field["type"]))


def of_node(node: exp.DataType) -> Type:
    """The type that a statement spells out. Raises ApiError `notImplemented` for one that is not known."""
    if node.this == exp.DType.STRUCT:
        return struct_of(
            (child.name, of_node(child.args["kind"])) if isinstance(child, exp.ColumnDef) else ("", of_node(child))
            for child in node.expressions
        )
    name = str(getattr(node.this, "value", node.this))
    if name.endswith(("ARRAY", "RANGE")) and not node.expressions:
        raise invalid_query(f"Syntax error: The type {name} needs the type of its elements")
    if node.this == exp.DType.ARRAY:
        return array_of(of_node(node.expressions[0]))
    if node.this == exp.DType.VARIANT:
        raise unsupported("the type ANY TYPE here")
    return of_field(field_of_googlesql("", node))


def supertype(kinds: Iterable[Type]) -> Type | None:
    """The type that values of all these types become where they meet, or None where there is none."""
    common = NULL
    for kind in kinds:
        met = _meet(common, kind)
        if met is None:
            return None
        common = met
    return common


def _meet(left: Type, right: Type) -> Type | None:
    if left == right or right == NULL:
        return left
    if left == NULL:
        return right
    for order in (NUMERIC_NAMES, _DATE_NAMES):
        if left.name in order and right.name in order:
            return max(left, right, key=lambda kind: order.index(kind.name))
    if left.name == right.name == "ARRAY":
        element = _meet(_known(left.element), _known(right.element))
        return None if element is None else array_of(element)
    if left.name == right.name == "STRUCT" and len(left.fields) == len(right.fields):
        return _meet_structs(left, right)
    return None


def _meet_structs(left: Type, right: Type) -> Type | None:
    fields = []
    for (name, one), (other_name, other) in zip(left.fields, right.fields, strict=True):
        met = _meet(one, other)
        if met is None:
            return None
        fields.append((name or other_name, met))
    return struct_of(fields)


def _known(kind: Type | None) -> Type:
    return NULL if kind is None else kind
