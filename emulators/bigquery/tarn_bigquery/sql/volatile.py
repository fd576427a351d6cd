"""Functions that give another value each time, or at another time."""

from sqlglot import exp

_RANDOM = {"RAND", "GENERATE_UUID"}
_OF_THE_MOMENT = {"CURRENT_DATE", "CURRENT_DATETIME", "CURRENT_TIME", "CURRENT_TIMESTAMP", "SESSION_USER"}
_NODES = (
    exp.CurrentDate,
    exp.CurrentDatetime,
    exp.CurrentTime,
    exp.CurrentTimestamp,
    exp.CurrentUser,
    exp.SessionParameter,
    exp.TableSample,
)


def is_random(tree: exp.Expr) -> bool:
    """Whether a part of a query has another value each time that it is reckoned."""
    return _calls(tree, _RANDOM)


def is_volatile(tree: exp.Expr) -> bool:
    """Whether a query over the same rows may give others the next time."""
    return tree.find(*_NODES) is not None or _calls(tree, _RANDOM | _OF_THE_MOMENT)


def _calls(tree: exp.Expr, names: set[str]) -> bool:
    return any(call.name.upper() in names for call in tree.find_all(exp.Anonymous))
