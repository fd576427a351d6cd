"""The command `tarn-bigquery`."""

import argparse
import os
import sys
from pathlib import Path

from tarn_bigquery.config import Settings
from tarn_bigquery.logs import configure_logging


def main(arguments: list[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    configure_logging(given.log_level, as_json=given.log_format == "json")
    settings = Settings(
        host=given.host,
        port=given.port,
        grpc_port=given.grpc_port,
        data_dir=None if given.ephemeral else given.data_dir,
        storage_endpoint=given.storage_endpoint,
        project=given.project,
        workers=given.workers,
        cache_bytes=given.cache_bytes,
        token=given.require_token or None,
    )
    # The server brings DuckDB and Arrow along: --help and a mistyped option should not wait for them.
    from tarn_bigquery.engine.engine import DataDirInUseError
    from tarn_bigquery.server import PortTakenError, serve

    try:
        serve(settings)
    except (DataDirInUseError, PortTakenError) as error:
        print(f"tarn-bigquery: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    defaults = Settings()
    parser = argparse.ArgumentParser(
        prog="tarn-bigquery",
        description="A local BigQuery: REST API v2 over DuckDB, with live hive-partitioned external tables.",
    )
    parser.add_argument("--host", default=defaults.host, help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=defaults.port, help="port to listen on, 0 for any (%(default)s)")
    parser.add_argument(
        "--grpc-port",
        type=int,
        metavar="PORT",
        help="port of the Storage Read API, 0 for none (ten above --port: 9060 beside 9050)",
    )
    parser.add_argument(
        "--data-dir", type=Path, default=Path("tarn-bigquery-data"), help="folder of all state (%(default)s)"
    )
    parser.add_argument("--ephemeral", action="store_true", help="keep nothing: state in memory, for tests")
    parser.add_argument(
        "--storage-endpoint", default=defaults.storage_endpoint, help="address of the GCS API (%(default)s)"
    )
    parser.add_argument("--project", default=defaults.project, help="project that is always listed (%(default)s)")
    parser.add_argument(
        "--workers", type=int, default=defaults.workers, help="jobs that run side by side (%(default)s)"
    )
    parser.add_argument(
        "--cache-bytes", type=int, default=defaults.cache_bytes, help="size of the object cache (%(default)s)"
    )
    parser.add_argument(
        "--require-token",
        metavar="TOKEN",
        default=os.environ.get("TARN_BIGQUERY_TOKEN"),
        help="answer only requests with this bearer token (default: the environment's TARN_BIGQUERY_TOKEN, if any)",
    )
    parser.add_argument("--log-level", default="info", choices=["debug", "info", "warning", "error"])
    parser.add_argument(
        "--log-format",
        default=os.environ.get("TARN_LOG_FORMAT", "text"),
        choices=["text", "json"],
        help="json: one JSON object a line (default: the environment's TARN_LOG_FORMAT, else text)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
