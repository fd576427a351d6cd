"""Formats of external tables, each read from a live bucket."""

from __future__ import annotations

import gzip
import io
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import orc

from tarn_bigquery.storage.errors import StorageError

from .conftest import Lake, field

PEOPLE = [field("id", "INTEGER"), field("name", "STRING"), field("born", "DATE")]


def csv(lake: Lake, content: str | bytes, pattern: str = "t/*", **options: Any) -> dict[str, Any]:
    body = content if isinstance(content, bytes) else content.encode()
    lake.bucket.put("t/a.csv", body)
    return lake.config(pattern, **{"sourceFormat": "CSV", **options})


def ndjson(lake: Lake, *lines: str, **options: Any) -> dict[str, Any]:
    lake.bucket.put("t/a.json", "\n".join(lines).encode())
    return lake.config("t/*", **{"sourceFormat": "NEWLINE_DELIMITED_JSON", **options})


def test_csv(lake: Lake) -> None:
    config = csv(
        lake, 'id,name,born\n1,"a ""b"", c",2024-01-31\n2,,\n3,"",2024-1-5\n', csvOptions={"skipLeadingRows": 1}
    )
    assert lake.rows(config, PEOPLE) == [
        (1, 'a "b", c', date(2024, 1, 31)),
        (2, None, None),
        (3, "", date(2024, 1, 5)),
    ]


@pytest.mark.feature("External tables", "CSV with all csvOptions, gzip")
@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        ("1|x\n", {"fieldDelimiter": "|"}, [(1, "x", None)]),
        ("1\tx\n", {"fieldDelimiter": "\\t"}, [(1, "x", None)]),
        ("1,'x,y'\n", {"quote": "'"}, [(1, "x,y", None)]),
        ('1,"x\n', {"quote": ""}, [(1, '"x', None)]),
        ("1,NA\n2,\n", {"nullMarker": "NA"}, [(1, None, None), (2, "", None)]),
        ('1,"x\ny"\n', {"allowQuotedNewlines": True}, [(1, "x\ny", None)]),
        ("1,caf\u00e9\n".encode("latin-1"), {"encoding": "ISO-8859-1"}, [(1, "caf\u00e9", None)]),
        ("1,caf\u00e9\n".encode("utf-16-le"), {"encoding": "UTF-16LE"}, [(1, "caf\u00e9", None)]),
        (gzip.compress(b"1,x\n", mtime=0), {}, [(1, "x", None)]),
        (b"1,\xff\n", {}, [(1, "\ufffd", None)]),
        ("null,null,null\n", {}, [(None, "null", None)]),
    ],
)
def test_csv_options(
    lake: Lake, content: str | bytes, options: dict[str, Any], expected: list[tuple[Any, ...]]
) -> None:
    config = csv(lake, content, csvOptions={"allowJaggedRows": True, **options})
    assert lake.rows(config, PEOPLE) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1,x,2024-01-01\nsix,y,\n", r"Could not parse 'six' as INT64 for field id \(position 0\) in row 2"),
        ("1.5,x,\n", "Could not parse '1.5' as INT64"),
        ("1,x,2024-02-30\n", "Could not parse '2024-02-30' as DATE for field born"),
        ("1,x,\n1,x\n", "references column position 2, but line starting at position:5 contains only 2 columns"),
        ("1,x,,4\n", "Too many values in line starting at position: 0"),
        ('1,"x\ny",\n', r"Missing close double quote \(\"\) character"),
    ],
)
def test_bad_csv_is_told_with_its_file(lake: Lake, content: str, message: str) -> None:
    with pytest.raises(StorageError, match=message) as error:
        lake.rows(csv(lake, content), PEOPLE)
    assert str(error.value).startswith("Error while reading table: d.t, error message: ")
    assert str(error.value).endswith("File: gs://lake/t/a.csv")


def test_bad_records_up_to_the_limit_are_left_out(lake: Lake) -> None:
    config = csv(lake, "1,a,\nx,b,\n3,c\n4,d,,z\n5,e,\n", maxBadRecords=3)
    assert lake.rows(config, PEOPLE, select="id") == [(1,), (5,)]
    lake.bucket.put("t/b.csv", b"x,b,\n")
    with pytest.raises(StorageError, match="have 4 bad records together; maxBadRecords allows 3"):
        lake.rows(config, PEOPLE)


def test_values_beyond_the_columns_are_ignored_on_request(lake: Lake) -> None:
    config = csv(lake, "1,a,,more,still\n2,b,\n", ignoreUnknownValues=True)
    assert lake.rows(config, PEOPLE, select="id, name") == [(1, "a"), (2, "b")]


def test_csv_detection(lake: Lake) -> None:
    config = csv(lake, "id,full name,when,ok\n1,a,2024-01-01 10:00:00 UTC,true\n2,b,,false\n", autodetect=True)
    schema = lake.source.resolve_schema(config).fields
    assert [(f["name"], f["type"]) for f in schema] == [
        ("id", "INTEGER"),
        ("full_name", "STRING"),
        ("when", "TIMESTAMP"),
        ("ok", "BOOLEAN"),
    ]
    assert lake.rows(config, schema, select="id, ok") == [(1, True), (2, False)]


def test_csv_detection_without_names(lake: Lake) -> None:
    config = csv(lake, "1,x\n2,y\n", autodetect=True)
    schema = lake.source.resolve_schema(config).fields
    assert [f["name"] for f in schema] == ["integer_field_0", "string_field_1"]
    assert lake.rows(config, schema) == [(1, "x"), (2, "y")]


def test_csv_counts_whole_files(lake: Lake) -> None:
    with lake.source.scan("d.t", csv(lake, "1,x,\n"), PEOPLE) as plan:
        assert plan.bytes(["id"]) == 5


def test_text_types(lake: Lake) -> None:
    names = ["INTEGER", "FLOAT", "NUMERIC", "BOOLEAN", "TIMESTAMP", "DATETIME", "TIME", "BYTES", "JSON"]
    schema = [field(f"c{index}", kind) for index, kind in enumerate(names)]
    line = '-7,1e3,1.25,YES,2024-01-01T10:00:00+02:00,2024-01-01 10:00:00.5,10:00:00,aGk=,"{""a"": 1}"\n'
    moment = datetime(2024, 1, 1, 8, tzinfo=UTC)
    assert lake.rows(csv(lake, line), schema) == [
        (-7, 1000.0, Decimal("1.25"), True, moment, datetime(2024, 1, 1, 10, 0, 0, 500000), time(10), b"hi", '{"a": 1}')
    ]


@pytest.mark.feature("External tables", "NEWLINE_DELIMITED_JSON")
def test_ndjson(lake: Lake) -> None:
    rooms = field("rooms", "RECORD", "REPEATED", fields=[field("m2", "FLOAT")])
    schema = [
        field("ID", "INTEGER"),
        field("tags", "STRING", "REPEATED"),
        field("home", "RECORD", fields=[field("town", "STRING"), rooms]),
        field("extra", "JSON"),
    ]
    config = ndjson(
        lake,
        '{"id": 1, "tags": ["a", "b"], "home": {"town": "x", "rooms": [{"m2": 9.5}, {}]}, "extra": {"k": [1]}}',
        '{"id": "2", "home": null}',
        "",
    )
    assert lake.rows(config, schema) == [
        (1, ["a", "b"], {"town": "x", "rooms": [{"m2": 9.5}, {"m2": None}]}, '{"k":[1]}'),
        (2, None, None, None),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{nonsense", "JSON parsing error: not an object: {nonsense in row 2"),
        ("[1]", "JSON parsing error: not an object"),
        ('{"id": "x"}', "Could not parse '\"x\"' as INT64 for field id"),
        ('{"id": 1, "other": 2}', "No such field: other"),
        ('{"home": {"street": 1}}', "Could not parse .* as STRUCT for field home"),
    ],
)
def test_bad_json(lake: Lake, line: str, message: str) -> None:
    schema = [field("id", "INTEGER"), field("home", "RECORD", fields=[field("town", "STRING")])]
    with pytest.raises(StorageError, match=message):
        lake.rows(ndjson(lake, '{"id": 1}', line), schema)
    assert lake.rows(ndjson(lake, '{"id": 1}', line, maxBadRecords=1), schema, select="id") == [(1,)]


def test_unknown_json_keys_are_ignored_on_request(lake: Lake) -> None:
    config = ndjson(lake, '{"id": 1, "other": {"x": 1}}', ignoreUnknownValues=True)
    assert lake.rows(config, [field("id", "INTEGER")]) == [(1,)]


def test_json_detection(lake: Lake) -> None:
    config = ndjson(lake, '{"n": 1, "day": "2024-01-01", "deep": {"x": 1.5}, "many": [true]}', autodetect=True)
    assert lake.source.resolve_schema(config).fields == [
        field("n", "INTEGER"),
        field("day", "DATE"),
        field("deep", "RECORD", fields=[field("x", "FLOAT")]),
        field("many", "BOOLEAN", "REPEATED"),
    ]


@pytest.mark.feature("External tables", "ORC")
def test_orc(lake: Lake, tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": pa.array([1, None], pa.int32()),
            "tags": pa.array([["a"], None]),
            "when": pa.array([datetime(2024, 1, 1), None], pa.timestamp("ns")),
            "counts": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())),
        }
    )
    orc.write_table(table, tmp_path / "a.orc")
    lake.bucket.put("t/a.orc", (tmp_path / "a.orc").read_bytes())
    config = lake.config("t/*", sourceFormat="ORC")
    schema = lake.source.resolve_schema(config).fields
    assert [(f["name"], f["type"], f["mode"]) for f in schema] == [
        ("id", "INTEGER", "NULLABLE"),
        ("tags", "STRING", "REPEATED"),
        ("when", "TIMESTAMP", "NULLABLE"),
        ("counts", "RECORD", "REPEATED"),
    ]
    assert lake.rows(config, schema) == [
        (1, ["a"], datetime(2024, 1, 1, tzinfo=UTC), [{"key": "k", "value": 1}]),
        (None, None, None, None),
    ]
    with pytest.raises(
        Exception, match="ORC column 'id' has type INT32 which does not match the target cpp_type STRING"
    ):
        lake.rows(config, [field("id", "STRING")])


PART = {"type": "record", "name": "part", "fields": [{"name": "x", "type": "double"}]}
AVRO = {
    "type": "record",
    "name": "row",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "day", "type": ["null", {"type": "int", "logicalType": "date"}]},
        {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}},
        {"name": "kind", "type": {"type": "enum", "name": "kind", "symbols": ["A", "B"]}},
        {"name": "counts", "type": {"type": "map", "values": "int"}},
        {"name": "either", "type": ["null", "long", "string"]},
        {"name": "parts", "type": {"type": "array", "items": PART}},
    ],
}
AVRO_ROW = {
    "id": 1,
    "day": date(2024, 1, 1),
    "price": Decimal("1.25"),
    "kind": "B",
    "counts": {"k": 2},
    "either": "x",
    "parts": [{"x": 0.5}],
}


def avro(lake: Lake, **options: Any) -> dict[str, Any]:
    fastavro = pytest.importorskip("fastavro")
    buffer = io.BytesIO()
    fastavro.writer(buffer, AVRO, [AVRO_ROW], codec="deflate")
    lake.bucket.put("t/a.avro", buffer.getvalue())
    return lake.config("t/*", **{"sourceFormat": "AVRO", **options})


@pytest.mark.feature("External tables", "Avro (extra `avro`)")
def test_avro(lake: Lake) -> None:
    config = avro(lake, avroOptions={"useAvroLogicalTypes": True})
    schema = lake.source.resolve_schema(config).fields
    assert {f["name"]: f["type"] for f in schema}["price"] == "NUMERIC"
    assert lake.rows(config, schema) == [
        (
            1,
            date(2024, 1, 1),
            Decimal("1.25"),
            "B",
            [{"key": "k", "value": 2}],
            {"long_value": None, "string_value": "x"},
            [{"x": 0.5}],
        )
    ]


def test_avro_without_logical_types(lake: Lake) -> None:
    config = avro(lake)
    schema = lake.source.resolve_schema(config).fields
    assert [f["type"] for f in schema][:3] == ["INTEGER", "INTEGER", "BYTES"]
    assert lake.rows(config, schema, select="day, price") == [(19723, b"}")]


@pytest.mark.parametrize("source_format", ["AVRO", "ORC"])
def test_a_file_of_another_format_is_named(lake: Lake, source_format: str) -> None:
    if source_format == "AVRO":
        pytest.importorskip("fastavro")
    lake.bucket.put("t/a", b"this is something else")
    with pytest.raises(StorageError, match="File: gs://lake/t/a"):
        lake.rows(lake.config("t/*", sourceFormat=source_format), PEOPLE)


def test_an_unknown_format_is_refused(lake: Lake) -> None:
    with pytest.raises(StorageError, match="Unsupported sourceFormat: XML"):
        lake.rows(lake.config("t/*", sourceFormat="XML"), PEOPLE)


def test_derived_files_are_made_once(lake: Lake) -> None:
    config = csv(lake, "1,x,\n")
    lake.rows(config, PEOPLE)
    lake.store.downloads.clear()
    lake.rows(config, PEOPLE)
    assert lake.store.downloads == []
