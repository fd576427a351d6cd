"""User-defined functions in JavaScript, run by V8 where mini-racer is installed."""

import importlib.util
import threading
from functools import lru_cache
from typing import Any

from tarn_bigquery.engine.googlesql.udf import GoogleSqlError, function

_running = threading.Lock()


def is_available() -> bool:
    return importlib.util.find_spec("py_mini_racer") is not None


@lru_cache(maxsize=64)
def _compiled(code: str, names: tuple[str, ...]) -> Any:
    """A context of V8 that has the function as `called`."""
    import py_mini_racer

    context = py_mini_racer.MiniRacer()
    context.eval(f"function called({', '.join(names)}) {{\n{code}\n}}\n"
                 "function answer(given) {\n"
                 "  const result = called(...JSON.parse(given));\n"
                 "  return result === undefined || result === null ? null : JSON.stringify(result);\n}")  # fmt: skip
    return context


@function("javascript(VARCHAR; VARCHAR; VARCHAR[]; VARCHAR[]) -> VARCHAR")
def javascript(signature: str, code: str, names: list[str], arguments: list[str]) -> str | None:
    """Call the function of that code with arguments in JSON; what it returns, in JSON."""
    import py_mini_racer

    try:
        with _running:
            context = _compiled(code, tuple(names))
            return context.call("answer", f"[{','.join(arguments)}]")
    except py_mini_racer.JSEvalException as error:
        raise GoogleSqlError(f"{_first_message(str(error))} at {signature}") from error


def _first_message(report: str) -> str:
    """The line of V8's report that says what was thrown."""
    lines = [line.strip() for line in report.splitlines() if line.strip()]
    return next((line.removeprefix("Uncaught ") for line in lines if "Error" in line), lines[-1] if lines else report)
