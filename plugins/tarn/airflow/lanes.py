"""Lanes: the (dataset, partition) pairs that one run works on, resolved from what the run was asked for."""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict

from tarn.dataset import dataset_names
from tarn.errors import InvalidPartition, TarnError
from tarn.partition import Granularity, Partition, partition_range
from tarn.settings import Settings


class Lane(TypedDict):
    """One dataset's partition on its way through the steps; small and plain, because it travels between tasks."""

    dataset: str
    partition: str


class UnknownKey(TarnError):
    """A run's configuration has a key that the DAG does not know."""


@dataclass(frozen=True)
class Request:
    """What a run was asked for, by whatever asked: the schedule, the UI, REST or a backfill."""

    params: Mapping[str, Any]
    conf: Mapping[str, Any] = field(default_factory=dict)
    partition_key: str | None = None
    logical_date: dt.datetime | None = None

    def lanes(self, datasets: Mapping[str, Granularity], granularity: Granularity = Granularity.MONTH) -> list[Lane]:
        """One lane a (partition, dataset), in the order of time, for those of ``datasets`` that the run chose.

        The run is asked for by partitions of ``granularity``; a dataset's lanes are those of its own that have a day in
        common with them. Raises UnknownKey, or InvalidPartition where the request names no partition or no such one.
        """
        refuse_unknown_keys(self.conf, self.params)
        asked = self.partitions(granularity)
        lanes = [
            (partition, dataset)
            for dataset, own in datasets.items()
            if dataset in self.params["datasets"]
            for partition in dict.fromkeys(within for one in asked for within in one.within(own))
        ]
        return [
            Lane(dataset=dataset, partition=str(partition))
            for partition, dataset in sorted(lanes, key=lambda lane: lane[0].start)
        ]

    def partitions(self, granularity: Granularity = Granularity.MONTH) -> list[Partition]:
        """The partitions of the date params, else of the partition key, else of the logical date.

        Raises InvalidPartition where none of the three is given, or what is given is no partition.
        """
        start, end = (self.params.get(f"{edge}_{granularity}") for edge in ("start", "end"))
        if start:
            first = Partition.parse(start, granularity)
            return list(partition_range(first, Partition.parse(end, granularity) if end else first))
        if end:
            raise InvalidPartition(f"end_{granularity} is given without start_{granularity}: give both, or only that.")
        if self.partition_key:
            return [Partition.parse(self.partition_key, granularity)]
        if self.logical_date:
            return [Partition(self.logical_date.date(), granularity)]
        raise InvalidPartition(
            f"The run names no {granularity}: give start_{granularity} (and end_{granularity} for a range), "
            "a partition key or a logical date."
        )


def refuse_unknown_keys(conf: Mapping[str, Any], known: Collection[str]) -> None:
    """Raise UnknownKey where a run's configuration has a key that would be ignored."""
    unknown = sorted(set(conf) - set(known))
    if unknown:
        names = " and ".join(repr(key) for key in unknown)
        raise UnknownKey(f"The run's configuration has {names}, which is unknown; there are: {', '.join(known)}.")


def pipeline_datasets(pipeline: str, settings: Settings) -> list[str]:
    """The datasets of a pipeline: those whose names begin with its own."""
    return [name for name in dataset_names(settings.datasets_folder) if name.startswith(f"{pipeline}_")]
