"""A routine's resource as the DDL that would make it, and its options as GoogleSQL literals."""

from typing import Any

from tarn_bigquery.sql.ddl_text import options_clause, string_literal
from tarn_bigquery.sql.types import field_of_standard, googlesql_type

Resource = dict[str, Any]
Option = tuple[str, str, str]

_KINDS = {
    "AGGREGATE_FUNCTION": "AGGREGATE FUNCTION",
    "PROCEDURE": "PROCEDURE",
    "TABLE_VALUED_FUNCTION": "TABLE FUNCTION",
}


def type_text(kind: Resource) -> str:
    """A type as routines have it, in GoogleSQL."""
    return googlesql_type(field_of_standard("parameter", kind))


def routine_options(body: Resource) -> list[Option]:
    """The options that are set: name, type and value, by name."""
    found = []
    if "description" in body:
        found.append(("description", "STRING", string_literal(body["description"])))
    if libraries := body.get("importedLibraries"):
        found.append(("library", "ARRAY<STRING>", f"[{', '.join(map(string_literal, libraries))}]"))
    return found


def routine_ddl(body: Resource) -> str:
    """The statement that would make the routine."""
    reference = body["routineReference"]
    name = f"`{reference['projectId']}.{reference['datasetId']}.{reference['routineId']}`"
    kind = _KINDS.get(body.get("routineType", ""), "FUNCTION")
    head = f"CREATE {kind} {name}({', '.join(map(_argument, body.get('arguments', [])))})"
    if "returnType" in body:
        head += f" RETURNS {type_text(body['returnType'])}"
    if body.get("language") == "JAVASCRIPT":
        head += " LANGUAGE js"
    options = options_clause(routine_options(body))
    lines = [head, *options, _definition(body)] if kind == "PROCEDURE" else [head, _definition(body), *options]
    return "\n".join(lines) + ";"


def _argument(argument: Resource) -> str:
    mode = f"{argument['mode']} " if argument.get("mode", "IN") != "IN" else ""
    kind = type_text(argument["dataType"]) if "dataType" in argument else "ANY TYPE"
    return f"{mode}{argument.get('name', '')} {kind}{' NOT AGGREGATE' if argument.get('isAggregate') is False else ''}"


def _definition(body: Resource) -> str:
    text = body.get("definitionBody", "")
    if body.get("routineType") == "PROCEDURE":
        return text
    if body.get("language") == "JAVASCRIPT":
        return f'AS r"""{text}"""'
    return f"AS (\n{text}\n)"
