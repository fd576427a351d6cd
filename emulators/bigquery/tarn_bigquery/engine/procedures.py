"""Procedures as the catalog has them, and what they ask of the arguments of a CALL."""

from dataclasses import dataclass
from typing import Any

from tarn_bigquery.catalog.catalog import Key, Resource
from tarn_bigquery.catalog.resources import new_routine
from tarn_bigquery.errors import ApiError, invalid_query, unsupported
from tarn_bigquery.sql import ddl
from tarn_bigquery.sql.compiler.kinds import of_field
from tarn_bigquery.sql.parse import parse, parse_type
from tarn_bigquery.sql.script import CreateProcedure, Fragment
from tarn_bigquery.sql.types import Field, field_of_googlesql, field_of_standard, standard_type


@dataclass(frozen=True)
class ProcedureArgument:
    """An argument as a procedure declares it: whether it takes a value, and whether it gives one back."""

    name: str
    field: Field
    takes: bool
    gives: bool

    @classmethod
    def of(cls, argument: dict[str, Any]) -> "ProcedureArgument":
        """Read an argument of the REST API."""
        mode = argument.get("mode", "IN")
        kind = field_of_standard(argument["name"], argument["dataType"])
        return cls(argument["name"].lower(), kind, mode != "OUT", mode != "IN")

    def __str__(self) -> str:
        mode = "" if not self.gives else "INOUT " if self.takes else "OUT "
        return f"{mode}{of_field(self.field)}"


def no_signature(name: str, arguments: list[ProcedureArgument], given: list[Field]) -> ApiError:
    """The error for a CALL with other arguments than the procedure takes."""
    types = ", ".join(str(of_field(field)) for field in given)
    wanted = ", ".join(map(str, arguments))
    return invalid_query(
        f"No matching signature for procedure {name} for argument types: {types}. Supported signature: {name}({wanted})"
    )


def procedure_body(key: Key, node: CreateProcedure) -> Resource:
    """The resource of a procedure that a statement creates."""
    arguments = []
    for mode, name, text in node.parameters:
        kind = field_of_googlesql(name, parse_type(text))
        arguments.append({"name": name, "mode": mode, "dataType": standard_type(kind)})
    given = {"routineType": "PROCEDURE", "arguments": arguments, "definitionBody": node.body.text}
    if node.options is not None:
        given |= _options(node.options)
    return new_routine(key.dataset, key.name, given)


def _options(fragment: Fragment) -> Resource:
    """What the OPTIONS of a procedure say. Raises ApiError for one that it does not have."""
    # sqlglot reads no CREATE PROCEDURE, and the options of CREATE SCHEMA are written in the same way.
    given = ddl.options(parse(f"CREATE SCHEMA s OPTIONS({fragment.text})")[0].tree)
    for name in given:
        if name not in {"description", "strict_mode"}:
            raise unsupported(f"the option {name} of a procedure")
    return {} if given.get("description") is None else {"description": given["description"]}
