"""What the program counts, in the text format that Prometheus reads.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PREFIX = "tarn_bigquery_"


@dataclass(frozen=True)
class Family:
    """Samples of one metric. Each sample has one value for every label."""

    name: str
    kind: str
    description: str
    labels: tuple[str, ...]
    samples: Mapping[tuple[str, ...], float]


class Counter:
    """A number for each combination of labels that only grows. Safe to share between threads."""

    def __init__(self, name: str, description: str, labels: tuple[str, ...] = ()) -> None:
        self._name = name
        self._description = description
        self._labels = labels
        self._values: defaultdict[tuple[str, ...], float] = defaultdict(float)
        self._guard = threading.Lock()

    def add(self, amount: float, *labels: str) -> None:
        with self._guard:
            self._values[labels] += amount

    def family(self) -> Family:
        """The counts as they are now; one without labels starts at 0."""
        with self._guard:
            values = dict(self._values)
        return Family(
            self._name, "counter", self._description, self._labels, values or ({} if self._labels else {(): 0})
        )


def gauge(name: str, description: str, value: float) -> Family:
    """A number that goes up and down, as it is now."""
    return Family(name, "gauge", description, (), {(): value})


def exposition(families: Iterable[Family]) -> str:
    """All families as one page of text."""
    return "".join(f"{line}\n" for family in families for line in _lines(family))


def _lines(family: Family) -> Iterator[str]:
    name = _PREFIX + family.name
    yield f"# HELP {name} {family.description}"
    yield f"# TYPE {name} {family.kind}"
    for values, number in sorted(family.samples.items()):
        pairs = ",".join(f'{label}="{_escaped(value)}"' for label, value in zip(family.labels, values, strict=True))
        yield f"{name}{{{pairs}}} {number:.15g}" if pairs else f"{name} {number:.15g}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
