"""Functions of STRING and BYTES."""

import re

from sqlglot import exp

from tarn_bigquery.sql.compiler.casts import cast
from tarn_bigquery.sql.compiler.functions.registry import Call, alias, escaped, function, signature
from tarn_bigquery.sql.compiler.kinds import BOOL, BYTES, INT64, NULL, STRING, Type, array_of, named_fields
from tarn_bigquery.sql.compiler.values import Value, coerce, integer, null, text

WORD_BREAKS = ' \t\n\r\v\f[](){}/|<>!?@"^#$&~_,.:;*%+-='

signature("LENGTH(STRING) -> INT64", "length({0})")
signature("LENGTH(BYTES) -> INT64", "octet_length({0})")
signature("CHAR_LENGTH(STRING) -> INT64", "length({0})")
signature("BYTE_LENGTH(STRING) -> INT64", "strlen({0})")
signature("BYTE_LENGTH(BYTES) -> INT64", "octet_length({0})")
alias("CHAR_LENGTH", "CHARACTER_LENGTH")
alias("BYTE_LENGTH", "OCTET_LENGTH")

signature("LOWER(STRING) -> STRING", "googlesql.lower({0})")
signature("LOWER(BYTES) -> BYTES", "googlesql_bytes_lower({0})")
signature("UPPER(STRING) -> STRING", "googlesql.upper({0})")
signature("UPPER(BYTES) -> BYTES", "googlesql_bytes_upper({0})")
signature("INITCAP(STRING) -> STRING", f"googlesql_initcap({{0}}, {escaped(text(WORD_BREAKS))})")
signature("INITCAP(STRING, STRING) -> STRING", "googlesql_initcap({args})")
signature("REVERSE(STRING) -> STRING", "googlesql_reverse({0})")
signature("REVERSE(BYTES) -> BYTES", "googlesql_bytes_reverse({0})")
signature("REPEAT(STRING, INT64) -> STRING", "googlesql.repeat({args})")
signature("REPEAT(BYTES, INT64) -> BYTES", "googlesql.repeat({args})")
signature("REPLACE(STRING, STRING, STRING) -> STRING", "googlesql.replace({args})")
signature("REPLACE(BYTES, BYTES, BYTES) -> BYTES", "googlesql_bytes_replace({args})")
signature("TRANSLATE(STRING, STRING, STRING) -> STRING", "googlesql_translate({args})")
signature("TRANSLATE(BYTES, BYTES, BYTES) -> BYTES", "googlesql_bytes_translate({args})")
signature("SUBSTR(STRING, INT64, [INT64]) -> STRING", "googlesql.substr({args})")
signature("SUBSTR(BYTES, INT64, [INT64]) -> BYTES", "googlesql.bytes_substr({args})")
alias("SUBSTR", "SUBSTRING")
signature("LEFT(STRING, INT64) -> STRING", "googlesql.str_left({args})")
signature("LEFT(BYTES, INT64) -> BYTES", "googlesql.bytes_substr({0}, 1, {1})")
signature("RIGHT(STRING, INT64) -> STRING", "googlesql.str_right({args})")
signature("RIGHT(BYTES, INT64) -> BYTES", "googlesql_bytes_right({args})")
signature("STARTS_WITH(STRING, STRING) -> BOOL", "starts_with({args})")
signature("STARTS_WITH(BYTES, BYTES) -> BOOL", "starts_with(hex({0}), hex({1}))")
signature("ENDS_WITH(STRING, STRING) -> BOOL", "ends_with({args})")
signature("ENDS_WITH(BYTES, BYTES) -> BOOL", "ends_with(hex({0}), hex({1}))")
signature("STRPOS(STRING, STRING) -> INT64", "strpos({args})")
signature("STRPOS(BYTES, BYTES) -> INT64", "googlesql_bytes_instr({0}, {1}, 1, 1)")
signature("INSTR(STRING, STRING) -> INT64", "strpos({args})")
signature("INSTR(STRING, STRING, INT64) -> INT64", "googlesql_instr({args}, 1)")
signature("INSTR(STRING, STRING, INT64, INT64) -> INT64", "googlesql_instr({args})")
signature("INSTR(BYTES, BYTES) -> INT64", "googlesql_bytes_instr({args}, 1, 1)")
signature("INSTR(BYTES, BYTES, INT64) -> INT64", "googlesql_bytes_instr({args}, 1)")
signature("INSTR(BYTES, BYTES, INT64, INT64) -> INT64", "googlesql_bytes_instr({args})")
for _name in ("TRIM", "LTRIM", "RTRIM"):
    signature(f"{_name}(STRING) -> STRING", f"googlesql.{_name.lower()}_blanks({{0}})")
    signature(f"{_name}(STRING, STRING) -> STRING", f"{_name.lower()}({{args}})")
    signature(f"{_name}(BYTES, BYTES) -> BYTES", f"googlesql_bytes_{_name.lower()}({{args}})")
for _name in ("LPAD", "RPAD"):
    signature(f"{_name}(STRING, INT64) -> STRING", f"googlesql_{_name.lower()}({{args}}, ' ')")
    signature(f"{_name}(STRING, INT64, STRING) -> STRING", f"googlesql_{_name.lower()}({{args}})")
    signature(f"{_name}(BYTES, INT64) -> BYTES", f"googlesql_bytes_{_name.lower()}({{args}}, ' '::BLOB)")
    signature(f"{_name}(BYTES, INT64, BYTES) -> BYTES", f"googlesql_bytes_{_name.lower()}({{args}})")
signature("SPLIT(STRING, [STRING]) -> ARRAY<STRING>", "googlesql.str_split({args})")
signature("SPLIT(BYTES, BYTES) -> ARRAY<BYTES>", "googlesql_bytes_split({args})")
signature("ASCII(STRING) -> INT64", "googlesql.ascii({0})")
signature("UNICODE(STRING) -> INT64", "googlesql.unicode({0})")
signature("CHR(INT64) -> STRING", "googlesql_chr({0})")
signature("TO_CODE_POINTS(STRING) -> ARRAY<INT64>", "googlesql_to_code_points({0})")
signature("TO_CODE_POINTS(BYTES) -> ARRAY<INT64>", "googlesql_bytes_to_code_points({0})")
signature("CODE_POINTS_TO_STRING(ARRAY<INT64>) -> STRING", "googlesql_code_points_to_string({0})")
signature("CODE_POINTS_TO_BYTES(ARRAY<INT64>) -> BYTES", "googlesql_code_points_to_bytes({0})")
signature("SOUNDEX(STRING) -> STRING", "googlesql_soundex({0})")
signature("TO_BASE64(BYTES) -> STRING", "to_base64({0})")
signature("FROM_BASE64(STRING) -> BYTES", "googlesql_from_base64({0})")
signature("TO_BASE32(BYTES) -> STRING", "googlesql_to_base32({0})")
signature("FROM_BASE32(STRING) -> BYTES", "googlesql_from_base32({0})")
signature("TO_HEX(BYTES) -> STRING", "lower(hex({0}))")
signature("FROM_HEX(STRING) -> BYTES", "googlesql_from_hex({0})")
signature("SAFE_CONVERT_BYTES_TO_STRING(BYTES) -> STRING", "googlesql_safe_string_of_bytes({0})")

signature("REGEXP_CONTAINS(STRING, STRING) -> BOOL", "regexp_matches({args})")
signature("REGEXP_CONTAINS(BYTES, BYTES) -> BOOL", "googlesql_bytes_regexp_contains({args})")
for _kind, _prefix in (("STRING", ""), ("BYTES", "bytes_")):
    _instr = f"googlesql_{_prefix}regexp_instr"
    signature(f"REGEXP_INSTR({_kind}, {_kind}) -> INT64", f"{_instr}({{args}}, 1, 1, 0)")
    signature(f"REGEXP_INSTR({_kind}, {_kind}, INT64) -> INT64", f"{_instr}({{args}}, 1, 0)")
    signature(f"REGEXP_INSTR({_kind}, {_kind}, INT64, INT64) -> INT64", f"{_instr}({{args}}, 0)")
    signature(f"REGEXP_INSTR({_kind}, {_kind}, INT64, INT64, INT64) -> INT64", f"{_instr}({{args}})")


@function("REGEXP_EXTRACT", "REGEXP_SUBSTR", "REGEXP_EXTRACT_ALL")
def regexp_extract(call: Call) -> Value:
    """The part that matches, or the one group of the pattern."""
    call.check_arity(2, 2 if call.name == "REGEXP_EXTRACT_ALL" else 4)
    kind = _kind_of_text(call)
    subject, pattern = _text(call, 0, kind), _text(call, 1, kind)
    if call.name == "REGEXP_EXTRACT_ALL":
        return _regexp_extract_all(call, subject, pattern)
    position, occurrence = ([*(coerce(arg, INT64) for arg in call.args[2:]), integer(1), integer(1)])[:2]
    if position is None or occurrence is None:
        raise call.no_match([])
    group = _group(call, pattern)
    if kind == STRING and len(call.args) == 2 and group is not None:
        found = "regexp_first" if not group else "regexp_group"
        return Value(f"googlesql.{found}({subject.sql}, {pattern.sql})", STRING)
    prefix = "bytes_" if kind == BYTES else ""
    nth = f"{subject.sql}, {pattern.sql}, {position.sql}, {occurrence.sql}"
    return Value(f"googlesql_{prefix}regexp_extract({nth})", kind)


def _regexp_extract_all(call: Call, subject: Value, pattern: Value) -> Value:
    group = _group(call, pattern)
    # DuckDB has its own view of empty matches, and of groups that take no part.
    if subject.type == STRING and group is not None and not re.search(r"[*?|{]", str(pattern.literal)):
        return Value(f"regexp_extract_all({subject.sql}, {pattern.sql}, {group})", array_of(STRING))
    prefix = "bytes_" if subject.type == BYTES else ""
    return Value(f"googlesql_{prefix}regexp_extract_all({subject.sql}, {pattern.sql})", array_of(subject.type))


def _group(call: Call, pattern: Value) -> int | None:
    """1 where the pattern has a capturing group, else 0; None for a pattern that is no literal."""
    if not isinstance(pattern.literal, str):
        return None
    groups = len(re.findall(r"(?<!\\)(?:\\\\)*\((?!\?(?!P<))", re.sub(r"\[[^\]]*\]", "", pattern.literal)))
    if groups > 1:
        raise call.wrong(
            "Regular expressions passed into extraction functions must not have more than 1 capturing group"
        )
    return groups


@function("REGEXP_REPLACE")
def regexp_replace(call: Call) -> Value:
    call.check_arity(3, 3)
    kind = _kind_of_text(call)
    subject, pattern, replacement = (_text(call, i, kind) for i in range(3))
    prefix = "bytes_" if kind == BYTES else ""
    if kind == STRING and isinstance(replacement.literal, str) and "\\" not in replacement.literal:
        return Value(f"regexp_replace({subject.sql}, {pattern.sql}, {replacement.sql}, 'g')", STRING)
    return Value(f"googlesql_{prefix}regexp_replace({subject.sql}, {pattern.sql}, {replacement.sql})", kind)


def _kind_of_text(call: Call) -> Type:
    return BYTES if any(arg.type == BYTES for arg in call.args) else STRING


@function("EDIT_DISTANCE")
def edit_distance(call: Call) -> Value:
    nodes = [node.expression if isinstance(node, exp.Kwarg) else node for node in call.nodes]
    call.check_arity(2, 3)
    values = [call.compiler.value(node) for node in nodes]
    kind = BYTES if BYTES in {value.type for value in values} else STRING
    texts = [coerce(value, kind) for value in values[:2]]
    most = coerce(values[2], INT64) if len(values) > 2 else null(INT64)
    if texts[0] is None or texts[1] is None or most is None:
        raise call.no_match([])
    prefix = "bytes_" if kind == BYTES else ""
    distance = f"googlesql_{prefix}edit_distance({texts[0].sql}, {texts[1].sql})"
    return Value(f"googlesql.capped({distance}, {most.sql})" if len(values) > 2 else distance, INT64)


@function("CONTAINS_SUBSTR")
def contains_substr(call: Call) -> Value:
    """Whether any part of a value has the text in it, whatever its letters' case."""
    plain = [node for node in call.nodes if not isinstance(node, exp.Kwarg)]
    named = [node for node in call.nodes if isinstance(node, exp.Kwarg)]
    if len(plain) != 2 or [node.this.name.lower() for node in named] not in ([], ["json_scope"]):
        raise call.no_match([])
    where, what = call.compiler.value(plain[0]), coerce(call.compiler.value(plain[1]), STRING)
    scope = call.compiler.value(named[0].expression).literal if named else "JSON_VALUES"
    if what is None or scope not in {"JSON_VALUES", "JSON_KEYS", "JSON_KEYS_AND_VALUES"}:
        raise call.no_match([])
    return Value(f"googlesql.contains_substr({_searched(call, where, str(scope))}, {what.sql})", BOOL)


def _searched(call: Call, value: Value, scope: str) -> str:
    """SQL for the list of the texts that are searched in a value."""
    kind = value.type
    if kind.name == "ARRAY" and kind.element is not None:
        return f"flatten(list_transform({value.sql}, lambda x: {_searched(call, Value('x', kind.element), scope)}))"
    if kind.name == "STRUCT":
        members = (Value(f"struct_extract({value.sql}, {text(name)})", inner) for name, inner in named_fields(kind))
        return f"flatten([{', '.join(_searched(call, member, scope) for member in members)}])"
    if kind.name == "JSON":
        return f"googlesql_json_texts({value.sql}, '{scope}')"
    shown = cast(value, STRING)
    if shown is None or kind == BYTES:
        raise call.wrong(f"CONTAINS_SUBSTR does not support the type {kind}")
    return f"[{shown.sql}]"


def _text(call: Call, index: int, kind: Type) -> Value:
    value = coerce(call.args[index], kind)
    if value is None:
        raise call.no_match([])
    return value


@function("CONCAT")
def concat(call: Call) -> Value:
    call.check_arity(1)
    kind = BYTES if any(arg.type == BYTES for arg in call.args) else STRING
    parts = [null(STRING) if arg.type == NULL else arg for arg in call.args]
    coerced_parts = [_joinable(part, kind) for part in parts]
    if None in coerced_parts:
        raise call.no_match([])
    return Value(f"({' || '.join(part for part in coerced_parts if part is not None)})", kind)


def _joinable(part: Value, kind: object) -> str | None:
    if kind == BYTES:
        value = coerce(part, BYTES)
        return value.sql if value is not None else None
    value = cast(part, STRING) if part.type.name not in {"ARRAY", "STRUCT", "BYTES", "JSON"} else None
    return value.sql if value is not None else None


@function("NORMALIZE", "NORMALIZE_AND_CASEFOLD")
def normalize(call: Call) -> Value:
    call.check_arity(1, 2)
    mode = call.word(1) if len(call.nodes) > 1 else "NFC"
    if mode not in {"NFC", "NFKC", "NFD", "NFKD"}:
        raise call.wrong(f"A valid normalize mode is NFC, NFKC, NFD or NFKD, not {mode}")
    value = coerce(call.compiler.value(call.nodes[0]), STRING)
    if value is None:
        raise call.no_match([])
    name = "normalize" if call.name == "NORMALIZE" else "normalize_and_casefold"
    return Value(f"googlesql_{name}({value.sql}, '{mode}')", STRING)


signature("NET.HOST(STRING) -> STRING", "googlesql_net_host({0})")
signature("NET.REG_DOMAIN(STRING) -> STRING", "googlesql_net_reg_domain({0})")
signature("NET.PUBLIC_SUFFIX(STRING) -> STRING", "googlesql_net_public_suffix({0})")
signature("NET.IP_FROM_STRING(STRING) -> BYTES", "googlesql_net_ip_from_string({0})")
signature("NET.SAFE_IP_FROM_STRING(STRING) -> BYTES", "TRY(googlesql_net_ip_from_string({0}))")
signature("NET.IP_TO_STRING(BYTES) -> STRING", "googlesql_net_ip_to_string({0})")
signature("NET.IP_NET_MASK(INT64, INT64) -> BYTES", "googlesql_net_ip_net_mask({args})")
signature("NET.IP_TRUNC(BYTES, INT64) -> BYTES", "googlesql_net_ip_trunc({args})")
signature("NET.IPV4_FROM_INT64(INT64) -> BYTES", "googlesql_net_ipv4_from_int64({0})")
signature("NET.IPV4_TO_INT64(BYTES) -> INT64", "googlesql_net_ipv4_to_int64({0})")
