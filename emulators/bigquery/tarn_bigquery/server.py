"""The program as a server: the app, its life, and its end."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware

from tarn_bigquery.config import Settings
from tarn_bigquery.engine.engine import Engine
from tarn_bigquery.rest.app import no_such_method, routes
from tarn_bigquery.rest.middleware import CountAnswers, EvenRequests, RequireToken
from tarn_bigquery.rest.monitoring import answer_counter
from tarn_bigquery.rest.uploads import Uploads

_log = logging.getLogger("tarn_bigquery")
_GRACE_SECONDS = 5
_GRPC_PORT_ABOVE = 10
_LAST_PORT = 65_535


class PortTakenError(Exception):
    """Another program listens on the port."""


def make_app(engine: Engine, grpc_port: int = 0) -> Starlette:
    """The program as an app. The Storage Read API comes and goes with it, on a port of its own unless that is 0."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        starting = asyncio.create_task(asyncio.to_thread(_start_storage_api, engine, grpc_port))
        yield
        stop = await starting
        await asyncio.to_thread(stop)
        engine.close()

    answers = answer_counter()
    middleware = [Middleware(CountAnswers, answers), Middleware(EvenRequests)]
    if engine.settings.token:
        middleware.append(Middleware(RequireToken, engine.settings.token))
    refusals = {404: no_such_method, 405: no_such_method}
    app = Starlette(routes=routes(), middleware=middleware, exception_handlers=refusals, lifespan=lifespan)
    # A redirect would lose a request's body: paths are made even before they come here.
    app.router.redirect_slashes = False
    app.state.engine = engine
    app.state.answers = answers
    app.state.uploads = Uploads()
    return app


def serve(settings: Settings) -> None:
    """Listen until SIGTERM or SIGINT. Raises PortTakenError, and DataDirInUseError as Engine does."""
    listener = _listen(settings.host, settings.port, "--port")
    host, port = listener.getsockname()[:2]
    grpc_port = _storage_api_port(settings, port)
    engine = Engine(settings)
    config = uvicorn.Config(
        make_app(engine, grpc_port),
        log_config=None,
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    kept = "in memory only" if settings.data_dir is None else f"in {settings.data_dir}"
    _log.info("BigQuery at http://%s:%s, data %s, objects from %s", host, port, kept, settings.storage_endpoint)
    # uvicorn raises the signal that ended it once more: an end that was asked for is not a failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    uvicorn.Server(config).run(sockets=[listener])


def _start_storage_api(engine: Engine, port: int) -> Callable[[], None]:
    """Start the Storage Read API beside the REST API, and say how it is stopped."""
    if not port:
        return _nothing
    # gRPC takes a while to import: the first REST call should not wait for it.
    from tarn_bigquery.storage_api.server import StorageApiServer

    try:
        return StorageApiServer(engine, engine.settings.host, port).stop
    except RuntimeError as error:
        # The port was free a moment ago.
        _log.error("The Storage Read API is off. %s", error)
        return _nothing


def _nothing() -> None:
    """What stops a server that was not started."""


def _storage_api_port(settings: Settings, port: int) -> int:
    """The port that the Storage Read API is to have, or 0. Raises PortTakenError for one that was asked for."""
    if settings.grpc_port == 0:
        return 0
    wanted = settings.grpc_port or min(port + _GRPC_PORT_ABOVE, _LAST_PORT)
    try:
        _listen(settings.host, wanted, "--grpc-port").close()
    except PortTakenError as error:
        if settings.grpc_port:
            raise
        _log.warning("The Storage Read API is off. %s", error)
        return 0
    return wanted


def _listen(host: str, port: int, option: str) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # A socket that only is bound does not keep a second one from its port; one that listens does.
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise PortTakenError(
            f"Cannot listen on {host}:{port}: {error.strerror}. "
            f"Stop the program that has the port, or choose another with {option}."
        ) from error
    return listener
