"""The catalog in memory: what every metadata call reads, without a wait for any query."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import inf
from typing import Any

from tarn_bigquery.catalog.names import DatasetRef, TableRef
from tarn_bigquery.catalog.resources import now_ms
from tarn_bigquery.errors import already_exists, not_found

Resource = dict[str, Any]


@dataclass(frozen=True, order=True)
class Key:
    """Where a resource stands. `kind` is Dataset, Table or Routine, as error messages name it."""

    kind: str
    dataset: DatasetRef
    name: str = ""

    def __str__(self) -> str:
        return f"{self.dataset}.{self.name}" if self.name else str(self.dataset)


def table_key(ref: TableRef) -> Key:
    return Key("Table", ref.parent, ref.table)


def dataset_key(ref: DatasetRef) -> Key:
    return Key("Dataset", ref)


@dataclass(frozen=True)
class Change:
    """One change of one resource: from what is there at the commit (or None) to what shall be (or None)."""

    key: Key
    apply: Callable[[Resource | None], Resource | None]


def create(key: Key, body: Resource) -> Change:
    """A new resource; `Already Exists` where there is one at the commit."""

    def apply(current: Resource | None) -> Resource:
        if current is not None:
            raise already_exists(key.kind, key)
        return body

    return Change(key, apply)


def replace(key: Key, body: Resource) -> Change:
    """A resource whatever was there before."""
    return Change(key, lambda current: body)


def update(key: Key, edit: Callable[[Resource], Resource]) -> Change:
    """A resource edited; `Not found` where it is gone at the commit. `edit` returns a new body."""

    def apply(current: Resource | None) -> Resource:
        if current is None:
            raise not_found(key.kind, key)
        return edit(current)

    return Change(key, apply)


def remove(key: Key) -> Change:
    """A resource taken away, if it is there."""
    return Change(key, lambda current: None)


Clock = Callable[[], int]
"""Milliseconds since the epoch."""


@dataclass
class Catalog:
    """All resources. Bodies are never changed in place: a reader may keep what it was given.

    A table whose time has come is not there any more, whether its rows have been dropped yet or not. `due` is when
    something next expires; it lies in the past where that has to be looked at.
    """

    resources: dict[Key, Resource] = field(default_factory=dict)
    clock: Clock = now_ms
    due: float = 0
    lock: threading.RLock = field(default_factory=threading.RLock)

    def find(self, key: Key) -> Resource | None:
        body = self.resources.get(key)
        return None if body is None or self.is_expired(body) else body

    def is_expired(self, body: Resource) -> bool:
        moment = expiration_of(body)
        return moment is not None and moment <= self.clock()

    def get(self, key: Key) -> Resource:
        """The resource's body. Raises ApiError `notFound`, naming the dataset where that is what is missing."""
        body = self.find(key)
        if body is None:
            parent = dataset_key(key.dataset)
            missing = key if parent in self.resources or key == parent else parent
            raise not_found(missing.kind, missing)
        return body

    def dataset(self, ref: DatasetRef) -> Resource:
        return self.get(dataset_key(ref))

    def table(self, ref: TableRef) -> Resource:
        return self.get(table_key(ref))

    def datasets(self, project: str) -> list[DatasetRef]:
        with self.lock:
            keys = [key.dataset for key in self.resources if key.kind == "Dataset"]
        return sorted(ref for ref in keys if ref.project == project)

    def children(self, kind: str, dataset: DatasetRef) -> Iterator[tuple[Key, Resource]]:
        """The resources of one kind in one dataset, by name."""
        with self.lock:
            keys = sorted(key for key in self.resources if key.kind == kind and key.dataset == dataset)
            found = [(key, self.resources[key]) for key in keys]
        return ((key, body) for key, body in found if not self.is_expired(body))

    def projects(self) -> list[str]:
        with self.lock:
            return sorted({key.dataset.project for key in self.resources})

    def resolve(self, changes: list[Change]) -> dict[Key, Resource | None]:
        """What the changes come to, in order, on what is here now. Hold `lock` until they are published."""
        outcome: dict[Key, Resource | None] = {}
        for change in changes:
            current = outcome[change.key] if change.key in outcome else self.find(change.key)
            outcome[change.key] = change.apply(current)
        return outcome

    def publish(self, outcome: dict[Key, Resource | None]) -> None:
        """Show what has been committed to every reader."""
        with self.lock:
            for key, body in outcome.items():
                if body is None:
                    self.resources.pop(key, None)
                else:
                    self.resources[key] = body
                    self.due = min(self.due, first_expiration(body))


def expiration_of(body: Resource) -> int | None:
    """When a table ends, in milliseconds since the epoch; None where it never does."""
    moment = body.get("expirationTime")
    return int(moment) if moment is not None else None


def partition_life(body: Resource) -> int | None:
    """How long a partition of a table lasts from its beginning, in milliseconds; None where it lasts for ever."""
    life = (body.get("timePartitioning") or {}).get("expirationMs")
    return int(life) if life is not None else None


def first_expiration(body: Resource) -> float:
    """When something of a table may first expire. How old its partitions are only a look at its rows can tell."""
    moment = expiration_of(body)
    return 0 if partition_life(body) is not None else inf if moment is None else moment


def encode_key(key: Key) -> list[str]:
    return [key.kind, key.dataset.project, key.dataset.dataset, key.name]


def decode_key(kind: str, project: str, dataset: str, name: str) -> Key:
    return Key(kind, DatasetRef(project, dataset), name)


def encode_body(body: Resource | None) -> str | None:
    return None if body is None else json.dumps(body, separators=(",", ":"))
