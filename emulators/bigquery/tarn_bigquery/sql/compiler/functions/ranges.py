"""RANGE: two bounds, of which NULL is unbounded."""

from tarn_bigquery.catalog.names import quote
from tarn_bigquery.sql.compiler.compiled import Compiled
from tarn_bigquery.sql.compiler.functions.registry import Call, function, signature
from tarn_bigquery.sql.compiler.kinds import BOOL, DATE, INTERVAL, NULL, array_of, range_of
from tarn_bigquery.sql.compiler.scope import Relation
from tarn_bigquery.sql.compiler.values import Value, coerce, coerced, common_type

signature("RANGE_START(RANGE<T>) -> T", "struct_extract({0}, '_range_start')")
signature("RANGE_END(RANGE<T>) -> T", "struct_extract({0}, '_range_end')")
signature("RANGE_IS_START_UNBOUNDED(RANGE<T>) -> BOOL", "googlesql.range_is_unbounded({0}, '_range_start')")
signature("RANGE_IS_END_UNBOUNDED(RANGE<T>) -> BOOL", "googlesql.range_is_unbounded({0}, '_range_end')")
signature("RANGE_OVERLAPS(RANGE<T>, RANGE<T>) -> BOOL", "googlesql.range_overlaps({args})")
signature("RANGE_INTERSECT(RANGE<T>, RANGE<T>) -> RANGE<T>", "googlesql.range_intersect({args})")


@function("RANGE")
def make_range(call: Call) -> Value:
    call.check_arity(2, 2)
    kind = common_type(call.args)
    kind = DATE if kind is None or kind == NULL else kind
    if kind.name not in {"DATE", "DATETIME", "TIMESTAMP"}:
        raise call.no_match([])
    start, end = (coerced(value, kind).sql for value in call.args)
    return Value(f"googlesql.range({start}, {end})", range_of(kind))


@function("RANGE_CONTAINS")
def range_contains(call: Call) -> Value:
    call.check_arity(2, 2)
    outer, inner = call.args
    element = outer.type.element
    if outer.type.name != "RANGE" or element is None:
        raise call.no_match([])
    if inner.type.name == "RANGE":
        return Value(f"googlesql.range_contains_range({outer.sql}, {inner.sql})", BOOL)
    value = coerce(inner, element)
    if value is None:
        raise call.no_match([])
    return Value(f"googlesql.range_contains({outer.sql}, {value.sql})", BOOL)


@function("GENERATE_RANGE_ARRAY")
def generate_range_array(call: Call) -> Value:
    call.check_arity(2, 3)
    value, step = call.args[0], coerce(call.args[1], INTERVAL)
    element = value.type.element
    if value.type.name != "RANGE" or element is None or step is None:
        raise call.no_match([])
    last = coerced(call.args[2], BOOL).sql if len(call.args) > 2 else "true"
    kind = array_of(value.type)
    made = f"googlesql.generate_range_array({value.sql}, {step.sql}, {last})"
    return Value(f"CAST({made} AS {kind.duck})", kind)


def sessionize(source: str, relation: Relation, column: str, keys: list[str], mode: str) -> Compiled:
    """RANGE_SESSIONIZE: every row with the union of the ranges that it is chained to, by the keys."""
    ranges = relation.column(column)
    found = [relation.column(key) for key in keys]
    span = ranges.sql if ranges is not None else quote(column)
    kind = ranges.type if ranges is not None else range_of(DATE)
    by = ", ".join(key.sql for key in found if key is not None) or "1"
    gap = ">" if mode == "MEETS" else ">="
    start, end = (f"struct_extract({span}, '_range_{side}')" for side in ("start", "end"))
    columns = ", ".join(f"{c.sql} AS {quote(c.name)}" for c in relation.visible)
    names = ", ".join(quote(c.name) for c in relation.visible)
    keys_again = ", ".join(quote(key) for key in keys) or "1"
    before = f"PARTITION BY {by} ORDER BY {start} NULLS FIRST, {end} NULLS LAST"
    furthest = f"max({end}) OVER ({before} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    opens = f"CASE WHEN row_number() OVER ({before}) = 1 OR {start} {gap} {furthest} THEN 1 ELSE 0 END"
    inner = f"SELECT {columns}, {start} AS _start, {end} AS _end, {opens} AS _opens FROM {source}"  # noqa: S608
    ordered = f"PARTITION BY {keys_again} ORDER BY _start NULLS FIRST, _end NULLS LAST"
    numbered = f"SELECT *, sum(_opens) OVER ({ordered} ROWS UNBOUNDED PRECEDING) AS _session FROM ({inner})"  # noqa: S608
    session = f"PARTITION BY {keys_again}, _session"
    union = f"googlesql.range(min(_start) OVER ({session}), max(_end) OVER ({session}))"
    sql = f"SELECT {names}, {union} AS session_range FROM ({numbered})"  # noqa: S608
    return Compiled(sql, [*((c.name, c.type) for c in relation.visible), ("session_range", kind)])
