"""What names mean at a place in a query."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tarn_bigquery.catalog.names import quote
from tarn_bigquery.errors import invalid_query
from tarn_bigquery.sql.compiler.kinds import Type, named_fields, struct_of
from tarn_bigquery.sql.compiler.values import Value, text


@dataclass(frozen=True)
class Column:
    """A column of a relation. A hidden one, such as `_TABLE_SUFFIX`, is found by its name alone and not by `*`."""

    name: str
    type: Type
    sql: str
    hidden: bool = False


@dataclass(frozen=True)
class Relation:
    """What stands in FROM under one alias. `value` is set where the alias is a value: an UNNEST's element."""

    alias: str
    columns: list[Column]
    value: Value | None = None

    @property
    def visible(self) -> list[Column]:
        return [column for column in self.columns if not column.hidden]

    def row(self) -> Value:
        """The alias as a value: a struct of the columns, or the element."""
        if self.value is not None:
            return self.value
        packed = ", ".join(f"{quote(c.name)} := {c.sql}" for c in self.visible)
        return Value(f"struct_pack({packed})", struct_of((c.name, c.type) for c in self.visible))

    def has(self, name: str) -> bool:
        """Whether one of the columns has that name."""
        return any(column.name.lower() == name.lower() for column in self.columns)

    def column(self, name: str) -> Value | None:
        found = [c for c in self.columns if c.name.lower() == name.lower()]
        if len(found) > 1:
            raise invalid_query(f"Column name {name} is ambiguous")
        if found:
            return Value(found[0].sql, found[0].type)
        return member(self.value, name) if self.value is not None else None


@dataclass
class Scope:
    """The relations in reach, the names a SELECT gives, and the scope around. `values` are names of single values:
    a function's arguments, a script's variables."""

    relations: list[Relation] = field(default_factory=list)
    outer: "Scope | None" = None
    merged: dict[str, Value] = field(default_factory=dict)
    aliases: dict[str, Value] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)

    def chain(self) -> Iterator["Scope"]:
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.outer

    def find(self, name: str) -> Value | None:
        """The value of a bare name, from the innermost scope that has it. Raises ApiError for an ambiguous one."""
        for scope in self.chain():
            found = scope.own(name)
            if found is not None:
                return found
        return None

    def owners(self, name: str) -> list[Relation] | None:
        """The relations of the scope in which a name is one of a relation or a column, None where it is neither."""
        for scope in self.chain():
            if name.lower() in scope.aliases:
                return None
            if any(r.alias.lower() == name.lower() or r.has(name) for r in scope.relations):
                return scope.relations
        return None

    def own(self, name: str) -> Value | None:
        key = name.lower()
        if key in self.aliases:
            return self.aliases[key]
        if key in self.merged:
            return self.merged[key]
        columns = [value for relation in self.relations if (value := relation.column(name)) is not None]
        if len(columns) > 1:
            raise invalid_query(f"Column name {name} is ambiguous")
        if columns:
            return columns[0]
        relation = self.relation(name)
        if relation is not None:
            return relation.row()
        return self.values.get(key)

    def names(self) -> set[str]:
        """Every name that can be seen from here."""
        seen: set[str] = set()
        for scope in self.chain():
            seen |= {*scope.aliases, *scope.merged, *scope.values}
            for relation in scope.relations:
                seen |= {relation.alias, *(column.name for column in relation.visible)}
        return seen - {""}

    def relation(self, alias: str) -> Relation | None:
        return next((r for r in self.relations if r.alias.lower() == alias.lower()), None)

    def find_relation(self, alias: str) -> Relation | None:
        return next((r for scope in self.chain() if (r := scope.relation(alias)) is not None), None)


def member(value: Value | None, name: str) -> Value | None:
    """A field of a struct, or a member of a JSON object; None where there is none of that name."""
    if value is None:
        return None
    if value.type.name == "JSON":
        return Value(f"json_extract({value.sql}, {text(_json_step(name))})", value.type)
    if value.type.name != "STRUCT":
        return None
    for i, (field_name, kind) in enumerate(named_fields(value.type)):
        if field_name.lower() == name.lower():
            if value.parts is not None:
                part = value.parts[i]
                return Value(part.sql, part.type)
            return Value(f"struct_extract({value.sql}, {text(field_name)})", kind)
    return None


def _json_step(name: str) -> str:
    return '$."' + name.replace('"', '\\"') + '"'
