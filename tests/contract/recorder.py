"""A reverse proxy that keeps what passes: clients talk to it as to the server behind it, over real HTTP."""

import contextlib
import http.client
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "proxy-connection"}
SERVER_SECONDS = 300


@dataclass(frozen=True)
class Exchange:
    """A request and its answer, as they were on the wire; header names are in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    status: int
    answer_headers: dict[str, str]
    answer: bytes

    @property
    def path(self) -> str:
        """The path as it was sent, still encoded."""
        return urlsplit(self.target).path

    @property
    def query(self) -> list[tuple[str, str]]:
        """The query's parameters, in their order."""
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)


class Recorder(ThreadingHTTPServer):
    """Passes every request on to one server, and remembers it with its answer."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.upstream = urlsplit(upstream).netloc
        self.url = f"http://127.0.0.1:{self.server_port}"
        self._kept: list[Exchange] = []
        self._guard = threading.Lock()

    def keep(self, exchange: Exchange) -> None:
        """Remember an exchange."""
        with self._guard:
            self._kept.append(exchange)

    def take(self) -> list[Exchange]:
        """What was kept since the last time, in the order of the answers."""
        with self._guard:
            kept, self._kept = self._kept, []
        return kept


class _Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Recorder

    def _pass_on(self) -> None:
        body = self._read_body()
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        headers["Content-Length"] = str(len(body))
        # The Host header stays: a server writes the address of an upload's session by it, and it must lead here.
        upstream = http.client.HTTPConnection(self.server.upstream, timeout=SERVER_SECONDS)
        with contextlib.closing(upstream):
            upstream.request(self.command, self.path, body, headers)
            answer = upstream.getresponse()
            content = answer.read()
        given = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP]
        lowered = {name.lower(): value for name, value in self.headers.items()}
        self.server.keep(
            Exchange(
                self.command,
                self.path,
                lowered,
                body,
                answer.status,
                {name.lower(): value for name, value in given},
                content,
            )
        )
        self.send_response_only(answer.status, answer.reason)
        for name, value in given:
            if name.lower() != "content-length":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _read_body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            return b"".join(self._chunks())
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass_on  # noqa: N815 - the names that the base class calls

    def log_message(self, *_: object) -> None:
        """Nothing: what passes is kept."""


@contextlib.contextmanager
def recording(upstream: str) -> Iterator[Recorder]:
    """A recorder in front of a server, until the end of the block."""
    recorder = Recorder(upstream)
    thread = threading.Thread(target=recorder.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield recorder
    finally:
        recorder.shutdown()
        thread.join()
        recorder.server_close()
