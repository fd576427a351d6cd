"""The list of Google's signatures, and the functions that it is about."""

import pytest

from tarn_bigquery.sql.compiler.functions import FUNCTIONS
from tarn_bigquery.sql.compiler.functions.listed import Argument, Listed, function_of, functions


@pytest.mark.feature("SQL", "wrong calls, operators, clauses and names, in the words of Google's analyzer")
@pytest.mark.parametrize("name", sorted(functions()))
def test_every_function_of_the_list_is_one_of_the_emulator(name: str) -> None:
    assert name in FUNCTIONS
    function = function_of(name)
    assert function is not None
    assert {listed.text.split("(")[0] for listed in function.signatures} == {function.name}


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("PI()", []),
        ("SUBSTR(STRING, INT64, [INT64])", [("STRING", ""), ("INT64", ""), ("INT64", "optional")]),
        ("COALESCE([T1, ...])", [("T1", "repeated")]),
        ("RANGE_BUCKET(T1, ARRAY<T1>)", [("T1", ""), ("ARRAY<T1>", "")]),
        ("DATE_ADD(DATE, INTERVAL INT64 DATE_TIME_PART)", [("DATE", ""), (None, "")]),
        ("JSON_SET(JSON, [[STRING, ANY], ...], [f => BOOL])", [("JSON", ""), (None, "repeated"), (None, "optional")]),
        ("ARRAY_TRANSFORM(ARRAY<T1>, FUNCTION<(T1, INT64)->T2>)", [("ARRAY<T1>", ""), (None, "")]),
    ],
)
def test_a_signature_is_read(text: str, arguments: list[tuple[str | None, str]]) -> None:
    wanted = [Argument(kind, bool(given), given == "repeated") for kind, given in arguments]
    assert Listed.parse(text).arguments == tuple(wanted)
