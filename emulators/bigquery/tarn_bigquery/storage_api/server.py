"""The gRPC server of the Storage Read API."""

import hmac
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from tarn_bigquery.engine.engine import Engine

_log = logging.getLogger("tarn_bigquery")

# A stream holds a thread while it is read: enough for several clients with all their streams.
_THREADS = 64
_GRACE_SECONDS = 2


class StorageApiServer:
    """Answers from the moment that it is made until `stop`."""

    def __init__(self, engine: Engine, host: str, port: int) -> None:
        """Raises RuntimeError, as grpc does, where the port cannot be had."""
        # Without this a second server could share the port, and half of all calls would reach the wrong one.
        options = [("grpc.so_reuseport", 0)]
        threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="storage-api")
        token = engine.settings.token
        self._server = grpc.server(threads, interceptors=[_RequireToken(token)] if token else [], options=options)
        self._server.add_generic_rpc_handlers([_Methods(engine)])
        bound = self._server.add_insecure_port(f"{host}:{port}")
        self._server.start()
        _log.info("Storage Read API at %s:%s", host, bound)

    def stop(self) -> None:
        """Take no more calls, and end those that run once they have had a little time."""
        self._server.stop(_GRACE_SECONDS).wait()


class _RequireToken(grpc.ServerInterceptor):
    """Turns away calls without the token in their metadata, as `authorization: Bearer TOKEN`."""

    def __init__(self, token: str) -> None:
        self._expected = f"Bearer {token}".encode()

    def intercept_service(
        self, continuation: Callable[..., Any], handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler | None:
        given = dict(handler_call_details.invocation_metadata).get("authorization", "")
        if hmac.compare_digest(str(given).encode(), self._expected):
            return continuation(handler_call_details)
        return grpc.unary_unary_rpc_method_handler(_refuse)


def _refuse(request: Any, context: grpc.ServicerContext) -> None:
    context.abort(
        grpc.StatusCode.UNAUTHENTICATED,
        "Request had invalid authentication credentials. Expected OAuth 2 access token.",
    )


class _Methods(grpc.GenericRpcHandler):
    """The methods, made at the first call: Google's message classes take about a second to import."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._guard = threading.Lock()
        self._handlers: dict[str, grpc.RpcMethodHandler] = {}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        with self._guard:
            if not self._handlers:
                from tarn_bigquery.storage_api.service import ReadService

                self._handlers = ReadService(self._engine).handlers()
        return self._handlers.get(handler_call_details.method)
