"""Read sessions on a real server, by Google's client."""

import datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from google.api_core import exceptions
from google.cloud import bigquery
from google.cloud.bigquery_storage import BigQueryReadClient, types

from tests.bigquery.storage_api.conftest import OpenSession, read_all

ROWS = 250_000
_Codec = types.ArrowSerializationOptions.CompressionCodec


@pytest.fixture(scope="module")
def numbers(client: bigquery.Client) -> str:
    """A table of 250,000 numbers `x` with their texts `s`."""
    table = f"{client.project}.numbers.all"
    client.create_dataset(f"{client.project}.numbers", exists_ok=True)
    rows = f"SELECT x, CAST(x AS STRING) AS s FROM UNNEST(GENERATE_ARRAY(1, {ROWS})) AS x"
    client.query_and_wait(f"CREATE OR REPLACE TABLE `{table}` AS {rows}")
    return table


@pytest.mark.feature("Storage Read API", "sessions with several streams")
def test_streams_together_hold_every_row_once(
    numbers: str, open_session: OpenSession, storage_client: BigQueryReadClient
) -> None:
    session = open_session(numbers)
    assert len(session.streams) > 1
    assert session.estimated_row_count == ROWS
    assert sorted(read_all(storage_client, session)["x"].to_pylist()) == list(range(1, ROWS + 1))


def test_one_stream_keeps_the_order(
    numbers: str, open_session: OpenSession, storage_client: BigQueryReadClient
) -> None:
    session = open_session(numbers, streams=1)
    (stream,) = session.streams
    assert stream.name.startswith(session.name)
    assert read_all(storage_client, session)["x"].to_pylist() == list(range(1, ROWS + 1))


def test_messages_stay_below_what_clients_accept(
    numbers: str, open_session: OpenSession, storage_client: BigQueryReadClient
) -> None:
    session = open_session(numbers, streams=1)
    responses = list(storage_client.read_rows(session.streams[0].name))
    assert max(len(r.arrow_record_batch.serialized_record_batch) for r in responses) < 4 * 1024 * 1024
    assert [bool(r.arrow_schema.serialized_schema) for r in responses[:2]] == [True, False]
    assert sum(r.row_count for r in responses) == ROWS
    ends = [r.stats.progress.at_response_end for r in responses]
    assert ends == sorted(ends)
    assert ends[-1] == 1


@pytest.mark.parametrize("offset", [1, 16_384, 20_001, ROWS - 1, ROWS])
def test_a_stream_can_be_read_from_an_offset(
    offset: int, numbers: str, open_session: OpenSession, storage_client: BigQueryReadClient
) -> None:
    session = open_session(numbers, streams=1)
    pages = storage_client.read_rows(session.streams[0].name, offset).rows(session).pages
    assert [x for page in pages for x in page.to_arrow()["x"].to_pylist()] == list(range(offset + 1, ROWS + 1))


def test_an_offset_beyond_the_stream_is_refused(
    numbers: str, open_session: OpenSession, storage_client: BigQueryReadClient
) -> None:
    session = open_session(numbers, streams=1)
    with pytest.raises(exceptions.InvalidArgument, match=f"offset {ROWS + 1} is beyond"):
        next(iter(storage_client.read_rows(session.streams[0].name, ROWS + 1)))


def test_a_split_stream_is_its_two_parts(
    numbers: str, open_session: OpenSession, storage_client: BigQueryReadClient
) -> None:
    session = open_session(numbers, streams=1)
    parts = storage_client.split_read_stream(request={"name": session.streams[0].name, "fraction": 0.3})
    rows = []
    for stream in (parts.primary_stream, parts.remainder_stream):
        pages = storage_client.read_rows(stream.name).rows(session).pages
        rows.append([x for page in pages for x in page.to_arrow()["x"].to_pylist()])
    assert len(rows[0]) == int(ROWS * 0.3)
    assert rows[0] + rows[1] == list(range(1, ROWS + 1))
    assert read_all(storage_client, session).num_rows == ROWS


@pytest.mark.parametrize("fraction", [-0.5, 0.0, 1.0, 2.0])
def test_a_split_at_an_end_is_refused(
    fraction: float, numbers: str, open_session: OpenSession, storage_client: BigQueryReadClient
) -> None:
    session = open_session(numbers, streams=1)
    with pytest.raises(exceptions.InvalidArgument, match="fraction"):
        storage_client.split_read_stream(request={"name": session.streams[0].name, "fraction": fraction})


def test_a_stream_of_one_row_is_not_split(
    numbers: str, open_session: OpenSession, storage_client: BigQueryReadClient
) -> None:
    session = open_session(numbers, row_restriction="x = 7")
    parts = storage_client.split_read_stream(request={"name": session.streams[0].name, "fraction": 0.5})
    assert not parts.primary_stream.name
    assert not parts.remainder_stream.name


@pytest.mark.feature("Storage Read API", "rowRestriction and selectedFields")
@pytest.mark.parametrize(
    ("restriction", "expected"),
    [("x BETWEEN 10 AND 12", [10, 11, 12]), ("s IN ('7', 'no') -- a comment", [7]), ("x < 0", [])],
)
def test_a_restriction_is_a_condition_in_googlesql(
    restriction: str,
    expected: list[int],
    numbers: str,
    open_session: OpenSession,
    storage_client: BigQueryReadClient,
) -> None:
    session = open_session(numbers, row_restriction=restriction)
    assert read_all(storage_client, session)["x"].to_pylist() == expected
    assert bool(session.streams) == bool(expected)


@pytest.mark.parametrize(
    "restriction",
    ["nothing = 1", "x =", "TRUE); SELECT (1", "TRUE) UNION ALL SELECT 1, '' FROM UNNEST([1]) WHERE (TRUE"],
)
def test_a_wrong_restriction_is_refused(restriction: str, numbers: str, open_session: OpenSession) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        open_session(numbers, row_restriction=restriction)


@pytest.mark.feature("Storage Read API", "compression")
@pytest.mark.parametrize("codec", [_Codec.LZ4_FRAME, _Codec.ZSTD])
def test_buffers_are_compressed_where_asked(
    codec: int, numbers: str, open_session: OpenSession, storage_client: BigQueryReadClient
) -> None:
    plain, packed = (
        open_session(numbers, streams=1, arrow_serialization_options={"buffer_compression": wanted})
        for wanted in (_Codec.COMPRESSION_UNSPECIFIED, codec)
    )
    sizes = [
        sum(len(r.arrow_record_batch.serialized_record_batch) for r in storage_client.read_rows(s.streams[0].name))
        for s in (plain, packed)
    ]
    assert sizes[1] < sizes[0]
    assert read_all(storage_client, packed).equals(read_all(storage_client, plain))


def test_whole_answers_are_compressed_where_asked(
    numbers: str, open_session: OpenSession, storage_client: BigQueryReadClient
) -> None:
    codec = types.ReadSession.TableReadOptions.ResponseCompressionCodec.RESPONSE_COMPRESSION_CODEC_LZ4
    session = open_session(numbers, streams=1, response_compression_codec=codec)
    schema = pa.ipc.read_schema(pa.py_buffer(session.arrow_schema.serialized_schema))
    rows = 0
    for response in storage_client.read_rows(session.streams[0].name):
        size = response.uncompressed_byte_size
        assert size > len(response.arrow_record_batch.serialized_record_batch)
        data = pa.decompress(response.arrow_record_batch.serialized_record_batch, size, codec="lz4_raw")
        rows += pa.ipc.read_record_batch(data, schema).num_rows
    assert rows == ROWS


def test_a_session_is_a_snapshot(
    dataset: str, client: bigquery.Client, open_session: OpenSession, storage_client: BigQueryReadClient
) -> None:
    client.query_and_wait(f"CREATE TABLE `{dataset}.t` AS SELECT 1 AS x UNION ALL SELECT 2")
    session = open_session(f"{dataset}.t")
    client.query_and_wait(f"DELETE FROM `{dataset}.t` WHERE x = 1")
    client.delete_table(f"{dataset}.t")
    assert sorted(read_all(storage_client, session)["x"].to_pylist()) == [1, 2]


def test_the_past_of_a_table_is_refused(dataset: str, client: bigquery.Client, open_session: OpenSession) -> None:
    client.query_and_wait(f"CREATE TABLE `{dataset}.t` AS SELECT 1 AS x")
    now = datetime.datetime.now(datetime.UTC)
    hour = datetime.timedelta(hours=1)
    assert open_session(f"{dataset}.t", modifiers={"snapshot_time": now + hour}).streams
    with pytest.raises(exceptions.MethodNotImplemented, match="before its last change"):
        open_session(f"{dataset}.t", modifiers={"snapshot_time": now - hour})


def test_an_empty_table_has_a_schema_and_no_streams(
    dataset: str, client: bigquery.Client, open_session: OpenSession, storage_client: BigQueryReadClient
) -> None:
    client.query_and_wait(f"CREATE TABLE `{dataset}.t` (n NUMERIC, a ARRAY<STRUCT<b INT64>>)")
    session = open_session(f"{dataset}.t")
    assert not session.streams
    kinds = read_all(storage_client, session).schema.types
    assert kinds == [pa.decimal128(38, 9), pa.list_(pa.struct([("b", pa.int64())]))]


def test_selected_fields_leave_columns_and_parts_of_records_out(
    dataset: str, client: bigquery.Client, open_session: OpenSession, storage_client: BigQueryReadClient
) -> None:
    client.query_and_wait(
        f"CREATE TABLE `{dataset}.t` AS SELECT 1 AS a, STRUCT(2 AS b, [STRUCT('x' AS d, 3 AS e)] AS c) AS r, 4 AS z"
    )
    session = open_session(f"{dataset}.t", selected_fields=["z", "R.c.e"])
    assert read_all(storage_client, session).to_pylist() == [{"r": {"c": [{"e": 3}]}, "z": 4}]
    with pytest.raises(exceptions.InvalidArgument, match=r"do not exist in the table schema: nope, r\.nope"):
        open_session(f"{dataset}.t", selected_fields=["nope", "a", "r.nope"])


def test_a_result_is_read_as_a_table_is(
    client: bigquery.Client, open_session: OpenSession, storage_client: BigQueryReadClient
) -> None:
    job = client.query("SELECT x, x * 0.5 AS half FROM UNNEST([1, 2, 3]) AS x ORDER BY x")
    job.result()
    session = open_session(str(job.destination), streams=1, selected_fields=["half"])
    assert read_all(storage_client, session).to_pydict() == {"half": [0.5, 1.0, 1.5]}


def test_a_restriction_on_a_result(
    client: bigquery.Client, open_session: OpenSession, storage_client: BigQueryReadClient
) -> None:
    job = client.query("SELECT x, [x] AS a FROM UNNEST([1, 2, 3]) AS x")
    job.result()
    session = open_session(str(job.destination), row_restriction="x > 1", selected_fields=["a"])
    assert sorted(read_all(storage_client, session)["a"].to_pylist()) == [[2], [3]]


def test_what_is_no_stored_table_is_refused(
    dataset: str, client: bigquery.Client, open_session: OpenSession, storage_client: BigQueryReadClient
) -> None:
    client.query_and_wait(f"CREATE VIEW `{dataset}.v` AS SELECT 1 AS x")
    config = bigquery.ExternalConfig("PARQUET")
    config.source_uris = ["gs://nowhere/*.parquet"]
    config.schema = [bigquery.SchemaField("x", "INTEGER")]
    external = bigquery.Table(f"{dataset}.e")
    external.external_data_configuration = config
    client.create_table(external)
    with pytest.raises(exceptions.InvalidArgument, match="non-table entities cannot be read"):
        open_session(f"{dataset}.v")
    with pytest.raises(exceptions.FailedPrecondition, match="storage format that is not supported"):
        open_session(f"{dataset}.e")
    with pytest.raises(exceptions.NotFound, match=r"Not found: Table .*missing"):
        open_session(f"{dataset}.missing")
    with pytest.raises(exceptions.NotFound, match="Read stream"):
        next(iter(storage_client.read_rows("projects/p/locations/us/sessions/s/streams/t")))


def test_a_session_needs_a_format(numbers: str, open_session: OpenSession) -> None:
    with pytest.raises(exceptions.InvalidArgument, match="data format unspecified"):
        open_session(numbers, data_format=types.DataFormat.DATA_FORMAT_UNSPECIFIED)


EVERY_TYPE = """
SELECT 1 AS i, 1.5 AS f, NUMERIC '-1.25' AS n, BIGNUMERIC '2.5' AS bn, TRUE AS bo, 'ä' AS s, b'\\x00\\xff' AS b,
  DATE '2024-02-29' AS d, DATETIME '2024-02-29 01:02:03.456789' AS dt, TIMESTAMP '2024-02-29 01:02:03.456789+00' AS ts,
  TIME '23:59:59.999999' AS t, JSON '{"a":1}' AS j, [1, 2] AS a, STRUCT(1 AS x, ['y'] AS y) AS st
UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
"""


def test_every_type_has_bigquerys_arrow_type(
    client: bigquery.Client, storage_client: BigQueryReadClient, dataset: str
) -> None:
    client.query_and_wait(f"CREATE TABLE `{dataset}.t` AS {EVERY_TYPE}")
    rows = client.list_rows(f"{dataset}.t")
    fast = rows.to_arrow(bqstorage_client=storage_client)
    slow = client.list_rows(f"{dataset}.t").to_arrow(create_bqstorage_client=False)
    assert fast.sort_by("i").equals(slow.sort_by("i"))
    assert fast.schema.equals(slow.schema, check_metadata=True)
    assert fast.schema.field("bn").type == pa.decimal256(76, 38)


def test_avro_rows_are_the_same_rows(
    client: bigquery.Client, open_session: OpenSession, storage_client: BigQueryReadClient, dataset: str
) -> None:
    pytest.importorskip("fastavro")
    client.query_and_wait(f"CREATE TABLE `{dataset}.t` AS {EVERY_TYPE}")
    session = open_session(f"{dataset}.t", streams=1, data_format=types.DataFormat.AVRO, row_restriction="i = 1")
    (row,) = storage_client.read_rows(session.streams[0].name).rows(session)
    assert row == {
        "i": 1,
        "f": 1.5,
        "n": Decimal("-1.25"),
        "bn": Decimal("2.5"),
        "bo": True,
        "s": "ä",
        "b": b"\x00\xff",
        "d": datetime.date(2024, 2, 29),
        "dt": "2024-02-29T01:02:03.456789",
        "ts": datetime.datetime(2024, 2, 29, 1, 2, 3, 456789, datetime.UTC),
        "t": datetime.time(23, 59, 59, 999999),
        "j": '{"a":1}',
        "a": [1, 2],
        "st": {"x": 1, "y": ["y"]},
    }
