"""tabledata.insertAll: which rows are refused, in which words, and what becomes of the others."""

from typing import Any

import pytest

from .conftest import Api, field, make_table

SCALARS = {
    "i": "INTEGER", "f": "FLOAT", "o": "BOOLEAN", "s": "STRING", "y": "BYTES", "d": "DATE", "dt": "DATETIME",
    "ts": "TIMESTAMP", "t": "TIME", "n": "NUMERIC", "j": "JSON",
}  # fmt: skip
FIELDS = (
    *(field(name, kind) for name, kind in SCALARS.items()),
    field("short", "STRING", maxLength="3"),
    field("l", "INTEGER", "REPEATED"),
    field(
        "r", "RECORD", "NULLABLE", field("a", "INTEGER", "REQUIRED"), field("when", "TIMESTAMP"), field("y", "BYTES")
    ),
    field("rs", "RECORD", "REPEATED", field("b", "DATE"), field("inner", "RECORD", "NULLABLE", field("c", "FLOAT"))),
    {"name": "g", "type": "RANGE", "mode": "NULLABLE", "rangeElementType": {"type": "DATE"}},
)
STOPPED = {"reason": "stopped", "location": "", "debugInfo": "", "message": ""}


@pytest.fixture
def table(api: Api, home: str) -> str:
    return make_table(api, home, "t", *FIELDS)


def insert(api: Api, table: str, *rows: Any, **members: Any) -> list[Any]:
    """The insertErrors of the answer."""
    answer = api.call("POST", f"{table}/insertAll", {"rows": [{"json": row} for row in rows], **members})
    assert answer["kind"] == "bigquery#tableDataInsertAllResponse"
    return answer.get("insertErrors", [])  # type: ignore[no-any-return]


def listed(api: Api, table: str, *names: str) -> list[Any]:
    answer = api.call("GET", f"{table}/data", selectedFields=",".join(names))
    return [[cell["v"] for cell in row["f"]] for row in answer.get("rows", [])]


@pytest.mark.feature("REST", "insertAll: insertErrors of each row, with the value's place and BigQuery's words")
@pytest.mark.parametrize(
    ("row", "location", "message"),
    [
        ({"i": "x"}, "i", "Cannot convert value to integer (bad value): x"),
        ({"i": 1.5}, "i", "Cannot convert value to integer (bad value): 1.5"),
        ({"i": "9223372036854775808"}, "i", "Cannot convert value to integer (bad value): 9223372036854775808"),
        ({"i": True}, "i", "Conversion from bool to int64_t is unsupported."),
        ({"f": "x"}, "f", "Cannot convert value to floating point (bad value): x"),
        ({"o": "perhaps"}, "o", "Cannot convert value to boolean (bad value): perhaps"),
        ({"s": True}, "s", "Conversion from bool to std::string is unsupported."),
        ({"y": "***"}, "y", "Could not decode base64 string to bytes. Field: y; Value: ***"),
        ({"d": "2024-13-01"}, "d", "Invalid date: '2024-13-01'"),
        ({"dt": "now"}, "dt", 'Invalid datetime string "now"'),
        ({"t": "25:00:00"}, "t", 'Invalid time string "25:00:00"'),
        ({"n": "1e"}, "n", "Invalid NUMERIC value: 1e"),
        ({"j": "{"}, "j", "Invalid JSON value: {"),
        ({"short": "long"}, "short", "Field short: STRING(3) has maximum length 3 but got a value with length 4"),
        ({"s": ["x"]}, "s", "Array specified for non-repeated field: s."),
        ({"s": {"x": 1}}, "s", "This field: s is not a record."),
        ({"r": "x"}, "r", "This field: r is a record."),
        ({"r": {}}, "r.a", "Missing required field: a."),
        ({"r": {"a": "x"}}, "r.a", "Cannot convert value to integer (bad value): x"),
        ({"r": {"a": 1, "no": 1}}, "r.no", "no such field: no."),
        ({"l": 1}, "l", "Repeated value added outside of an array."),
        ({"l": [1, "x"]}, "l[1]", "Cannot convert value to integer (bad value): x"),
        ({"l": [1, None]}, "l", "Only optional fields can be set to NULL. Field: l; Value: NULL"),
        ({"rs": [{}, {"b": "x"}]}, "rs[1].b", "Invalid date: 'x'"),
        ({"rs": [{"inner": {"c": []}}]}, "rs[0].inner.c", "Array specified for non-repeated field: c."),
        ({"no": 1}, "no", "no such field: no."),
        ({"g": "x"}, "g", 'Invalid RANGE value for the field g: "x"'),
    ],
)  # fmt: skip
def test_a_bad_value_is_named(api: Api, table: str, row: Any, location: str, message: str) -> None:
    error = {"reason": "invalid", "location": location, "debugInfo": "", "message": message}
    assert insert(api, table, {"i": 1}, row) == [{"index": 1, "errors": [error]}, {"index": 0, "errors": [STOPPED]}]
    assert listed(api, table, "i") == []


def test_everything_that_is_wrong_is_told(api: Api, table: str) -> None:
    errors = insert(api, table, {"i": "x", "d": "y", "no": 1}, {"i": 1}, {"f": "z"})
    places = [(error["index"], [detail["location"] for detail in error["errors"]]) for error in errors]
    assert places == [(0, ["no", "i", "d"]), (2, ["f"]), (1, [""])]


@pytest.mark.feature("REST", "insertAll: skipInvalidRows, ignoreUnknownValues")
def test_good_rows_are_in_where_bad_ones_are_skipped(api: Api, table: str) -> None:
    errors = insert(api, table, {"i": 1}, {"i": "x"}, {"i": 2}, {"no": 1}, skipInvalidRows=True)
    assert [error["index"] for error in errors] == [1, 3]
    assert listed(api, table, "i") == [["1"], ["2"]]


def test_unknown_values_are_left_out(api: Api, table: str) -> None:
    assert insert(api, table, {"i": 1, "no": 1, "r": {"a": 2, "no": 1}}, ignoreUnknownValues=True) == []
    assert listed(api, table, "i", "r") == [["1", {"f": [{"v": "2"}, {"v": None}, {"v": None}]}]]


@pytest.mark.parametrize(
    ("row", "name", "stored"),
    [
        ({"i": 2.0}, "i", "2"),
        ({"i": "-5"}, "i", "-5"),
        ({"f": "NaN"}, "f", "NaN"),
        ({"f": 1}, "f", "1.0"),
        ({"o": "true"}, "o", "true"),
        ({"s": 1.5}, "s", "1.5"),
        ({"I": 7}, "i", "7"),
        ({"y": "aGk="}, "y", "aGk="),
        ({"dt": "2024-01-01 10:00:00.5"}, "dt", "2024-01-01T10:00:00.500000"),
        ({"ts": 1700000000}, "ts", "1.7E9"),
        ({"ts": "2024-01-01 00:00:00 UTC"}, "ts", "1.7040672E9"),
        ({"n": "1.50"}, "n", "1.5"),
        ({"j": {"a": [1, None]}}, "j", '{"a": [1, null]}'),
        ({"j": '{"a":1}'}, "j", '{"a":1}'),
        ({"l": None}, "l", []),
        ({"r": {"a": 1, "when": 0, "y": "aGk="}}, "r", {"f": [{"v": "1"}, {"v": "0.0"}, {"v": "aGk="}]}),
        ({"rs": [{"b": "2024-01-02"}]}, "rs", [{"v": {"f": [{"v": "2024-01-02"}, {"v": None}]}}]),
        ({"g": {"start": "2024-01-01", "end": None}}, "g", "[2024-01-01, UNBOUNDED)"),
        ({"g": "[UNBOUNDED, 2024-01-01)"}, "g", "[UNBOUNDED, 2024-01-01)"),
    ],
)  # fmt: skip
def test_a_value_is_stored(api: Api, table: str, row: Any, name: str, stored: Any) -> None:
    assert insert(api, table, row) == []
    [[value]] = listed(api, table, name)
    if name == "ts":
        assert float(value) == float(stored)
    else:
        assert value == stored


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "No rows present in the request."),
        ({"rows": []}, "No rows present in the request."),
        ({"rows": [{"json": {}}] * 50_001}, "Too many rows present in the request, limit: 50000 row count: 50001."),
    ],
)
def test_a_request_of_no_rows_or_too_many(api: Api, table: str, body: Any, message: str) -> None:
    error = api.refused("POST", f"{table}/insertAll", body)
    assert (error["code"], error["errors"][0]["reason"], error["message"]) == (400, "invalid", message)


def test_an_id_of_a_row_that_was_skipped_may_come_again(api: Api, table: str) -> None:
    rows = [{"insertId": "a", "json": {"i": 1}}, {"insertId": "b", "json": {"i": "x"}}]
    for _ in range(2):
        answer = api.call("POST", f"{table}/insertAll", {"rows": rows, "skipInvalidRows": True})
        assert [error["index"] for error in answer["insertErrors"]] == [1]
    api.call("POST", f"{table}/insertAll", {"rows": [{"insertId": "b", "json": {"i": 2}}]})
    assert listed(api, table, "i") == [["1"], ["2"]]


def test_a_request_too_large(api: Api, table: str) -> None:
    error = api.refused("POST", f"{table}/insertAll", {"rows": [{"json": {"s": "x" * 10_485_760}}]})
    assert (error["code"], error["message"]) == (400, "Request payload size exceeds the limit: 10485760 bytes.")
