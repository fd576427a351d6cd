"""What is asked by those who watch the program: is it well, and what has it done."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from tarn_bigquery.engine.engine import Engine
from tarn_bigquery.metrics import CONTENT_TYPE, Counter, exposition, gauge


def answer_counter() -> Counter:
    return Counter("requests_total", "HTTP requests answered.", ("status",))


async def health(request: Request) -> Response:
    return PlainTextResponse("ok\n")


async def metrics(request: Request) -> Response:
    text = await run_in_threadpool(_exposition, request.app.state.engine, request.app.state.answers)
    return Response(text, media_type=CONTENT_TYPE)


def _exposition(engine: Engine, answers: Counter) -> str:
    return exposition(
        [
            answers.family(),
            *engine.job_metrics.families(),
            gauge("cache_bytes", "Bytes of objects in the cache.", engine.externals.cached_bytes()),
            gauge("cache_limit_bytes", "Bytes that the cache may hold.", engine.settings.cache_bytes),
        ]
    )
