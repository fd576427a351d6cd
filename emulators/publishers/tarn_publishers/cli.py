"""The command `tarn-publishers`."""

import argparse
import contextlib
import logging
import socket
import sys
from pathlib import Path
from types import FrameType

import uvicorn

from tarn_publishers.http.faults import Fault, Kind
from tarn_publishers.sample import Sample
from tarn_publishers.server import create_app


def main(arguments: list[str] | None = None) -> None:
    """Serves until interrupted. A user's mistake ends with one line on stderr and exit code 1 or 2."""
    options = _parser().parse_args(arguments)
    sample = Sample(options.rows, options.seed, options.bad_rows)
    data_dir = _writable_folder(options.data_dir)
    listening = _listen(options.host, options.port)
    host, port = listening.getsockname()[:2]
    sys.stdout.write(f"Publishers, offline: http://{host}:{port}\n")
    sys.stdout.flush()
    config = uvicorn.Config(
        create_app(sample, data_dir, options.faults),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    with contextlib.suppress(KeyboardInterrupt):
        _Server(config).run(sockets=[listening])


class _Server(uvicorn.Server):
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Answers that the stop cuts off are no errors, and not worth a trace.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        super().handle_exit(sig, frame)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tarn-publishers",
        description="The publishers' servers, offline: deterministic sample data in their real layouts.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port", type=port_number, default=8070, help="port, 0 for any free one (default: %(default)s)"
    )
    parser.add_argument("--data-dir", type=Path, required=True, help="folder for the files that are made")
    parser.add_argument(
        "--rows",
        type=row_count,
        default=100_000,
        help="trips in March 2019; other months keep their real proportion to it (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=1, help="another seed, other data (default: %(default)s)")
    parser.add_argument(
        "--bad-rows",
        type=share_per_million,
        default=0,
        metavar="SHARE",
        help="share of CSV rows that no reader can make sense of, such as 0.001 (default: none)",
    )
    parser.add_argument(
        "--faults",
        type=fault_shares,
        default={},
        metavar="KIND=SHARE,...",
        help=f"share of requests that fail, such as 503=0.1,cut;after=100=0.05; kinds: {', '.join(Kind)}",
    )
    return parser


# argparse names these functions in its messages, hence no underscore.


def port_number(text: str) -> int:
    if not 0 <= int(text) <= 65_535:
        raise argparse.ArgumentTypeError(f"{text} is not a port: 0 to 65535")
    return int(text)


def row_count(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of rows: 1 or more")
    return int(text)


def share(text: str) -> float:
    if not 0 <= float(text) <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a share: 0 to 1")
    return float(text)


def share_per_million(text: str) -> int:
    return round(share(text) * 1_000_000)


def fault_shares(text: str) -> dict[Fault, float]:
    shares = {}
    for part in text.split(","):
        fault, equals, size = part.rpartition("=")
        if not equals:
            raise argparse.ArgumentTypeError(f"{part!r} is not KIND=SHARE")
        try:
            shares[Fault.parse(fault)] = share(size)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error
    if sum(shares.values()) > 1:
        raise argparse.ArgumentTypeError("the shares come to more than 1")
    return shares


def _writable_folder(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        sys.exit(f"tarn-publishers: cannot make {path}: {error.strerror}. Choose another with --data-dir.")
    return path


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port))
    except OSError as error:
        sys.exit(
            f"tarn-publishers: cannot listen on {host}:{port}: {error.strerror}. "
            "Stop what uses it, or choose another with --host or --port."
        )
