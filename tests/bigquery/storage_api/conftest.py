"""Read sessions as a client of the API itself makes them."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from google.cloud.bigquery import TableReference
from google.cloud.bigquery_storage import BigQueryReadClient, types

OpenSession = Callable[..., types.ReadSession]


@pytest.fixture
def open_session(storage_client: BigQueryReadClient) -> OpenSession:
    """Open a session on a table, `project.dataset.table`; keyword arguments are its read options."""

    def open_session(
        table: str,
        streams: int = 0,
        data_format: types.DataFormat = types.DataFormat.ARROW,
        modifiers: dict[str, Any] | None = None,
        **options: Any,
    ) -> types.ReadSession:
        reference = TableReference.from_string(table)
        wanted = types.ReadSession(
            table=reference.to_bqstorage(),
            data_format=data_format,
            read_options=options,
            table_modifiers=modifiers or {},
        )
        parent = f"projects/{reference.project}"
        return storage_client.create_read_session(parent=parent, read_session=wanted, max_stream_count=streams)

    return open_session


def read_all(client: BigQueryReadClient, session: types.ReadSession) -> pa.Table:
    """Every row of a session, one stream after the other."""
    schema = pa.ipc.read_schema(pa.py_buffer(session.arrow_schema.serialized_schema))
    batches = [
        page.to_arrow() for stream in session.streams for page in client.read_rows(stream.name).rows(session).pages
    ]
    return pa.Table.from_batches(batches, schema)
