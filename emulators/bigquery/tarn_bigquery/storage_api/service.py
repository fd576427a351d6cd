"""The methods of google.cloud.bigquery.storage.v1.BigQueryRead."""

import contextlib
import logging
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import grpc
import proto
import pyarrow as pa
from google.cloud.bigquery_storage_v1 import types

from tarn_bigquery.catalog.catalog import table_key
from tarn_bigquery.catalog.names import TableRef
from tarn_bigquery.engine.engine import Engine
from tarn_bigquery.errors import ApiError, invalid, unsupported
from tarn_bigquery.sql.types import Field
from tarn_bigquery.storage_api.encoding import ArrowEncoder, Encoder, Message, pieces
from tarn_bigquery.storage_api.sessions import ReadSession, Sessions, StreamCount, from_offset, new_session_name
from tarn_bigquery.storage_api.sources import Rows, Selection, read

SERVICE = "google.cloud.bigquery.storage.v1.BigQueryRead"

_log = logging.getLogger("tarn_bigquery.storage_api")
_TABLE = re.compile(r"projects/([^/]+)/datasets/([^/]+)/tables/([^/]+)")
_PROJECT = re.compile(r"projects/([^/]+)")

_Codec = types.ArrowSerializationOptions.CompressionCodec
_BUFFER_CODECS = {_Codec.COMPRESSION_UNSPECIFIED: None, _Codec.LZ4_FRAME: "lz4", _Codec.ZSTD: "zstd"}
_ResponseCodec = types.ReadSession.TableReadOptions.ResponseCompressionCodec


class ReadService:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sessions = Sessions()

    def handlers(self) -> dict[str, grpc.RpcMethodHandler]:
        """The methods by the names that gRPC calls them."""
        unary, stream = grpc.unary_unary_rpc_method_handler, grpc.unary_stream_rpc_method_handler
        methods = {
            "CreateReadSession": _handler(unary, self.create_read_session, types.CreateReadSessionRequest),
            "ReadRows": _handler(stream, self.read_rows, types.ReadRowsRequest),
            "SplitReadStream": _handler(unary, self.split_read_stream, types.SplitReadStreamRequest),
        }
        return {f"/{SERVICE}/{name}": handler for name, handler in methods.items()}

    def create_read_session(self, request: types.CreateReadSessionRequest, context: grpc.ServicerContext) -> Any:
        with _told(context):
            wanted = request.read_session
            project = _matched(_PROJECT, request.parent, "parent")[0]
            ref = TableRef(*_matched(_TABLE, wanted.table, "table"))
            count = StreamCount(request.max_stream_count, request.preferred_min_stream_count)
            rows = self._read(ref, wanted)
            encoder = _encoder(wanted, rows.fields)
            compressed = wanted.read_options.response_compression_codec == _ResponseCodec.RESPONSE_COMPRESSION_CODEC_LZ4
            session = ReadSession(new_session_name(project), rows, encoder, compressed)
            self._sessions.add(session, count)
            _log.info("%s of %s: rows=%s streams=%s", session.name, ref, rows.table.num_rows, len(session.streams))
            return _session_message(session, wanted)

    def read_rows(self, request: types.ReadRowsRequest, context: grpc.ServicerContext) -> Iterator[Any]:
        with _told(context):
            session, stream = self._sessions.stream(request.read_stream)
            done = request.offset
            rest = from_offset(stream, done)
            table = session.rows.table.slice(rest.start, len(rest))
            schema = session.encoder.schema()
            for piece in pieces(table, session.rows.fields):
                progress = {"at_response_start": done / len(stream)}
                done += piece.num_rows
                progress["at_response_end"] = done / len(stream)
                yield types.ReadRowsResponse(
                    row_count=piece.num_rows,
                    stats={"progress": progress},
                    **schema,
                    **_rows_message(session, piece),
                )
                schema = {}

    def split_read_stream(self, request: types.SplitReadStreamRequest, context: grpc.ServicerContext) -> Any:
        with _told(context):
            parts = self._sessions.split(request.name, request.fraction)
            if parts is None:
                return types.SplitReadStreamResponse()
            primary, remainder = parts
            return types.SplitReadStreamResponse(primary_stream={"name": primary}, remainder_stream={"name": remainder})

    def _read(self, ref: TableRef, wanted: types.ReadSession) -> Rows:
        options = wanted.read_options
        if "snapshot_time" in wanted.table_modifiers:
            self._check_snapshot(ref, types.ReadSession.pb(wanted).table_modifiers.snapshot_time.ToMilliseconds())
        sample = options.sample_percentage if "sample_percentage" in options else None
        return read(self._engine, ref, Selection(options.selected_fields, options.row_restriction, sample))

    def _check_snapshot(self, ref: TableRef, moment_ms: int) -> None:
        """The table as it is now is also what it was at any moment since its last change."""
        body = self._engine.catalog.find(table_key(ref))
        if body is not None and moment_ms < int(body["lastModifiedTime"]):
            raise unsupported(f"reading {ref} as of a time before its last change")


def _handler(
    kind: Callable[..., grpc.RpcMethodHandler], method: Callable[..., Any], request: type[proto.Message]
) -> Any:
    return kind(method, request.deserialize, lambda answer: type(answer).serialize(answer))


@contextlib.contextmanager
def _told(context: grpc.ServicerContext) -> Iterator[None]:
    """Tell the client of a failure by its status. Never INTERNAL or UNAVAILABLE: clients would try again."""
    try:
        yield
    except ApiError as error:
        context.abort(grpc.StatusCode[error.status], error.message)
    except Exception as error:  # noqa: BLE001 - whatever it is, the client must not be left to try again
        _log.exception("A call of the Storage Read API failed unexpectedly")
        context.abort(grpc.StatusCode.UNIMPLEMENTED, f"The emulator failed: {type(error).__name__}: {error}")


def _matched(pattern: re.Pattern[str], text: str, what: str) -> tuple[str, ...]:
    found = pattern.fullmatch(text)
    if found is None:
        raise invalid(f"request failed: invalid {what} '{text}'")
    return found.groups()


def _encoder(wanted: types.ReadSession, fields: list[Field]) -> Encoder:
    if wanted.data_format == types.DataFormat.ARROW:
        return ArrowEncoder(fields, _BUFFER_CODECS[wanted.read_options.arrow_serialization_options.buffer_compression])
    if wanted.data_format == types.DataFormat.AVRO:
        return _avro_encoder(fields)
    raise invalid("request failed: data format unspecified")


def _avro_encoder(fields: list[Field]) -> Encoder:
    # fastavro is an extra of this program: most clients ask for Arrow.
    try:
        from tarn_bigquery.storage_api.avro import AvroEncoder
    except ModuleNotFoundError as missing:
        raise invalid("Rows in AVRO need fastavro beside the emulator. Install it, or ask for ARROW.") from missing
    return AvroEncoder(fields)


def _session_message(session: ReadSession, wanted: types.ReadSession) -> types.ReadSession:
    size = session.rows.table.nbytes
    return types.ReadSession(
        name=session.name,
        expire_time=datetime.fromtimestamp(session.expires, UTC),
        data_format=wanted.data_format,
        table=wanted.table,
        table_modifiers=wanted.table_modifiers,
        read_options=wanted.read_options,
        streams=[{"name": name} for name in session.streams],
        estimated_total_bytes_scanned=size,
        estimated_total_physical_file_size=size,
        estimated_row_count=session.rows.table.num_rows,
        trace_id=wanted.trace_id,
        **session.encoder.schema(),
    )


def _rows_message(session: ReadSession, piece: pa.RecordBatch) -> Message:
    """The rows, and where the whole answer shall be compressed their size before, or -1 where it gained nothing."""
    message = session.encoder.rows(piece)
    if not session.compressed:
        return message
    ((kind, body),) = message.items()
    place = next(name for name, value in body.items() if isinstance(value, bytes))
    plain = body[place]
    packed = pa.compress(plain, codec="lz4_raw", asbytes=True)
    if len(packed) >= len(plain):
        return {**message, "uncompressed_byte_size": -1}
    return {kind: {**body, place: packed}, "uncompressed_byte_size": len(plain)}
