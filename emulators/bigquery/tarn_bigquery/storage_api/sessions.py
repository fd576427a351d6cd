"""Read sessions and their streams. A stream is a range of the session's rows, so it can be read again and split."""

import threading
import time
import uuid
from dataclasses import dataclass, field

from tarn_bigquery.errors import invalid, not_found
from tarn_bigquery.storage_api.encoding import Encoder
from tarn_bigquery.storage_api.sources import Rows

_LIFE_SECONDS = 6 * 3600
_ROWS_PER_STREAM = 100_000
_MOST_STREAMS = 8
_LOCATION = "us"


@dataclass(frozen=True)
class StreamCount:
    """How many streams a client wants: at most, where that is not 0, and at least, where there are rows for them."""

    most: int = 0
    least: int = 0

    def of(self, rows: int) -> int:
        fair = min(-(-rows // _ROWS_PER_STREAM), _MOST_STREAMS)
        count = max(fair, self.least)
        return min(count, self.most or count, rows)


@dataclass
class ReadSession:
    """What was fixed when the session was made. `expires` is in seconds since the epoch.

    `compressed` asks for answers that are LZ4 blocks as a whole, beside what the encoder may do.
    """

    name: str
    rows: Rows
    encoder: Encoder
    compressed: bool
    expires: float = field(default_factory=lambda: time.time() + _LIFE_SECONDS)
    streams: dict[str, range] = field(default_factory=dict)

    def add_stream(self, rows: range) -> str:
        name = f"{self.name}/streams/{uuid.uuid4().hex}"
        self.streams[name] = rows
        return name


class Sessions:
    """The sessions that can still be read."""

    def __init__(self) -> None:
        self._sessions: dict[str, ReadSession] = {}
        self._guard = threading.Lock()

    def add(self, session: ReadSession, count: StreamCount) -> None:
        """Share a session's rows evenly between streams, none where there are no rows, and keep it until it expires."""
        total = session.rows.table.num_rows
        parts = count.of(total)
        for part in range(parts):
            session.add_stream(range(total * part // parts, total * (part + 1) // parts))
        with self._guard:
            now = time.time()
            self._sessions = {key: kept for key, kept in self._sessions.items() if kept.expires > now}
            self._sessions[session.name] = session

    def stream(self, name: str) -> tuple[ReadSession, range]:
        """A stream's session and its rows. Raises ApiError `notFound`."""
        session = self._sessions.get(name.partition("/streams/")[0])
        if session is None or name not in session.streams or session.expires <= time.time():
            raise not_found("Read stream", name)
        return session, session.streams[name]

    def split(self, name: str, fraction: float) -> tuple[str, str] | None:
        """Two new streams, of the first part of a stream's rows and of the rest; None where there is nothing to part.

        `fraction` is the share of the first, above 0 and below 1. Raises ApiError `invalid` for any other.
        """
        if not 0 < fraction < 1:
            raise invalid(f"request failed: fraction must be above 0 and below 1, and is {fraction}")
        session, rows = self.stream(name)
        first = int(len(rows) * fraction)
        if first in {0, len(rows)}:
            return None
        with self._guard:
            return session.add_stream(rows[:first]), session.add_stream(rows[first:])


def new_session_name(project: str) -> str:
    return f"projects/{project}/locations/{_LOCATION}/sessions/{uuid.uuid4().hex}"


def from_offset(rows: range, offset: int) -> range:
    """The rows of a stream from one on. Raises ApiError `invalid` for an offset that the stream does not have."""
    if not 0 <= offset <= len(rows):
        raise invalid(f"request failed: offset {offset} is beyond the stream's {len(rows)} rows")
    return rows[offset:]
