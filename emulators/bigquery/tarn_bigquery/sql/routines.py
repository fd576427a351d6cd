"""User-defined functions: read from CREATE FUNCTION into resources, and found again where a query calls them."""

from dataclasses import dataclass, replace
from typing import Any

from sqlglot import exp

from tarn_bigquery.catalog.catalog import Key, Resource
from tarn_bigquery.errors import ApiError, invalid_query, unsupported
from tarn_bigquery.sql.compiler.environment import Routine
from tarn_bigquery.sql.compiler.kinds import Type, of_field
from tarn_bigquery.sql.context import Prepared, QueryContext
from tarn_bigquery.sql.dialect import AGGREGATE_FUNCTION, NOT_AGGREGATE, TABLE_FUNCTION, properties_of
from tarn_bigquery.sql.parse import Statement, parse
from tarn_bigquery.sql.resolve import resolve_tables
from tarn_bigquery.sql.routine_names import found_routines
from tarn_bigquery.sql.types import field_of_googlesql, field_of_standard, standard_type

SCALAR, TABLE, AGGREGATE = "SCALAR_FUNCTION", "TABLE_VALUED_FUNCTION", "AGGREGATE_FUNCTION"
_TYPES = {TABLE_FUNCTION: TABLE, AGGREGATE_FUNCTION: AGGREGATE}
_SQL, _JAVASCRIPT = "SQL", "JAVASCRIPT"


def created_path(create: exp.Create) -> list[str]:
    """The name that a CREATE FUNCTION gives."""
    return [part.name for part in create.this.this.parts]


def routine_body(create: exp.Create, statement: Statement) -> Resource:
    """What a CREATE FUNCTION or CREATE TABLE FUNCTION says, in the shape of the REST API.

    Raises ApiError `notImplemented` for a function in another language than SQL and JavaScript.
    """
    given = {type(item): item for item in properties_of(create)}
    body: Resource = {
        "routineType": _TYPES.get(create.args["kind"], SCALAR),
        "arguments": [_argument(node) for node in create.this.expressions],
    }
    language = given.get(exp.LanguageProperty)
    if language is None:
        body |= {"language": _SQL, "definitionBody": _definition(create, statement)}
    elif body["routineType"] == AGGREGATE:
        raise unsupported(f"aggregate functions in the language {language.name}")
    elif language.name.upper() == "JS":
        body |= {"language": _JAVASCRIPT, "definitionBody": create.expression.name}
    else:
        raise _unsupported_language(language.name)
    returns = given.get(exp.ReturnsProperty)
    if returns is not None and isinstance(returns.this, exp.DataType):
        body["returnType"] = standard_type(field_of_googlesql("", returns.this))
    return body


def _argument(node: exp.Expr) -> dict[str, Any]:
    kind = node.args["kind"]
    argument: dict[str, Any] = {"name": node.name}
    if kind.this == exp.DType.VARIANT:
        argument["argumentKind"] = "ANY_TYPE"
    else:
        argument["dataType"] = standard_type(field_of_googlesql(node.name, kind))
    return argument | ({"isAggregate": False} if node.meta_get(NOT_AGGREGATE) else {})


def _definition(create: exp.Create, statement: Statement) -> str:
    expression = create.expression
    if expression is None:
        raise invalid_query(f"The function in {statement.text[:40]} has no body.")
    if create.args["kind"] == TABLE_FUNCTION:
        return expression.unnest().sql("bigquery")
    # The outer parentheses belong to the statement: a query needs a pair of its own to be an expression.
    body = expression.this if isinstance(expression, exp.Paren | exp.Subquery) else expression
    if isinstance(body, exp.Query) and not isinstance(body, exp.Subquery):
        raise invalid_query(
            "Syntax error: The body of each CREATE FUNCTION statement is an expression, not a query; to use a query as "
            "an expression, the query must be wrapped with additional parentheses to make it a scalar subquery "
            "expression"
        )
    return body.sql("bigquery")


@dataclass(frozen=True)
class CatalogRoutines:
    """The functions that a query can call: those of the catalog, and a script's temporary ones."""

    context: QueryContext
    query: Prepared

    def function(self, path: list[str]) -> Routine | None:
        return self._find(path, {SCALAR, AGGREGATE})

    def table_function(self, path: list[str]) -> Routine | None:
        return self._find(path, {TABLE})

    def _find(self, path: list[str], kinds: set[str]) -> Routine | None:
        for key, body in found_routines(path, self.context):
            if body.get("routineType") in kinds:
                # What a function's body calls is not looked into.
                self.query.is_repeatable = False
                return self._routine(key, body)
        return None

    def _routine(self, key: Key, body: Resource) -> Routine:
        arguments = [(a["name"], _type(a["name"], a.get("dataType"))) for a in body.get("arguments", [])]
        returns = _type("", body.get("returnType"))
        definition = body.get("definitionBody", "")
        language = body.get("language", _SQL)
        if language not in {_SQL, _JAVASCRIPT}:
            raise _unsupported_language(language)
        if language == _JAVASCRIPT:
            return Routine(key.name, arguments, returns, exp.Null(), script=definition)
        is_table = body["routineType"] == TABLE
        is_aggregate = body["routineType"] == AGGREGATE
        tree = parse(definition if is_table else f"SELECT {definition}")[0].tree
        owner = replace(
            self.context, project=key.dataset.project, default_dataset=None, parameters=[], definitions={}, variables={}
        )
        tree = resolve_tables(tree, owner, self.query)
        groups = [a["name"] for a in body.get("arguments", []) if is_aggregate and a.get("isAggregate", True)]
        of_rows = frozenset(name.lower() for name in groups) if is_aggregate else None
        return Routine(key.name, arguments, returns, tree if is_table else tree.expressions[0], of_rows=of_rows)


def _unsupported_language(name: str) -> ApiError:
    return unsupported(f"functions in the language {name}")


def _type(name: str, kind: dict[str, Any] | None) -> Type | None:
    return of_field(field_of_standard(name, kind)) if kind is not None else None
