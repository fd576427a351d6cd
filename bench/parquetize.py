"""csv.gz to Parquet: parquetize beside pyarrow, polars and DuckDB on the same file, each in a process of its own.

    python bench/parquetize.py                    # 1.4 million rows of yellow taxis
    python bench/parquetize.py --rows 14000000    # ten times as many: the time grows, the memory must not

The publishers' offline server makes the input, once for a number of rows. Times leave the imports out; the peak is the
process's whole resident memory, imports and all. The contenders take turns; of several rounds the quickest run and the
largest peak are shown. On a busy machine the seconds of the processor tell more than those of the clock.
"""

import argparse
import datetime as dt
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import requests

from tarn.settings import CHECKOUT

DATASET, MONTH = "taxi_yellow", "2019-03"
PUBLISHED = f"taxi/yellow/yellow_tripdata_{MONTH}.csv.gz"
PEAK_LIMIT_MIB = 256
OURS, YARDSTICK = "tarn", "pyarrow"


class Clocks(NamedTuple):
    """Seconds of the clock and of the processor."""

    seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class Measure:
    """What one run took, and what it left."""

    seconds: float
    cpu_seconds: float
    peak_mib: float
    rows: int
    bytes: int
    row_groups: list[int]


def with_tarn(source: Path, folder: Path) -> tuple[Path, Clocks]:
    """The step itself, receipts, checksums, flushes to disk and all."""
    from tarn.dataset import find_dataset
    from tarn.receipt import Artifact, Receipt
    from tarn.settings import Settings
    from tarn.staging import Workspace
    from tarn.steps.parquetize import parquetize

    settings = Settings(home=folder)
    dataset = find_dataset(DATASET, settings.datasets_folder)
    month = dataset.partition(MONTH)
    workspace = Workspace.of(dataset, month, settings)
    now = dt.datetime.now(dt.UTC)
    downloaded = Receipt(
        step="download", dataset=DATASET, partition=MONTH, writes=(Artifact.of(source),), seconds=0, finished_at=now
    )
    downloaded.save(workspace.receipt("download"))
    return workspace.parquet, timed(lambda: parquetize(dataset, month, settings))


def with_pyarrow(source: Path, folder: Path) -> tuple[Path, Clocks]:
    """The whole table in memory."""
    import pyarrow.csv
    import pyarrow.parquet

    target = folder / "pyarrow.parquet"
    return target, timed(lambda: pyarrow.parquet.write_table(pyarrow.csv.read_csv(source), target, compression="zstd"))


def with_polars(source: Path, folder: Path) -> tuple[Path, Clocks]:
    """Streaming."""
    import polars

    target = folder / "polars.parquet"
    return target, timed(lambda: polars.scan_csv(source, try_parse_dates=True).sink_parquet(target, compression="zstd"))


def with_duckdb(source: Path, folder: Path) -> tuple[Path, Clocks]:
    """Streaming."""
    import duckdb

    target = folder / "duckdb.parquet"
    copy = f"COPY (FROM read_csv('{source}')) TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
    return target, timed(lambda: duckdb.sql(copy))


CONTENDERS: dict[str, Callable[[Path, Path], tuple[Path, Clocks]]] = {
    OURS: with_tarn,
    YARDSTICK: with_pyarrow,
    "polars": with_polars,
    "duckdb": with_duckdb,
}


def timed(work: Callable[[], object]) -> Clocks:
    """What some work takes."""
    start, cpu_start = time.perf_counter(), time.process_time()
    work()
    return Clocks(time.perf_counter() - start, time.process_time() - cpu_start)


def measure(name: str, source: Path) -> Measure:
    """Run a contender in this process."""
    with tempfile.TemporaryDirectory(dir=source.parent) as folder:
        target, clocks = CONTENDERS[name](source, Path(folder))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # KiB on Linux
        import pyarrow.parquet  # after the peak is taken: not every contender has it

        metadata = pyarrow.parquet.read_metadata(target)
        groups = [metadata.row_group(at).total_byte_size for at in range(metadata.num_row_groups)]
        return Measure(*clocks, peak, metadata.num_rows, target.stat().st_size, groups)


def measure_all(source: Path, rounds: int) -> dict[str, Measure]:
    """Let the contenders take turns, each run in a process of its own."""
    runs: dict[str, list[Measure]] = {name: [] for name in CONTENDERS}
    for _ in range(rounds):
        for name, earlier in runs.items():
            command = [sys.executable, __file__, "--contender", name, "--input", str(source)]
            answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            earlier.append(Measure(**json.loads(answer)))
    return {name: _best(found) for name, found in runs.items()}


def _best(runs: list[Measure]) -> Measure:
    quickest = min(runs, key=lambda run: run.seconds)
    return replace(
        quickest,
        cpu_seconds=min(run.cpu_seconds for run in runs),
        peak_mib=max(run.peak_mib for run in runs),
    )


def published(rows: int, folder: Path) -> Path:
    """The month's file at a number of rows, made by the publishers' server unless it is here already."""
    target = folder / f"yellow_{rows}.csv.gz"
    if target.exists():
        return target
    command = [sys.executable, "-m", "tarn_publishers", "--port", "0", "--rows", str(rows), "--data-dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            address = server.stdout.readline().split()[-1] if server.stdout else ""
            with requests.get(f"{address}/{PUBLISHED}", stream=True, timeout=3600) as response:
                response.raise_for_status()
                partial = target.with_suffix(".part")
                with partial.open("wb") as file:
                    file.writelines(response.iter_content(1 << 20))
                partial.rename(target)
        finally:
            server.terminate()
    return target


def show(measures: dict[str, Measure], source: Path) -> None:
    """The table, and whether the targets are met."""
    rows = measures[OURS].rows
    print(f"{rows:,} rows, {source.stat().st_size / 1e6:.1f} MB csv.gz, {os.cpu_count()} cores")
    print(f"{'':10}{'seconds':>9}{'CPU s':>8}{'rows/s':>12}{'peak MiB':>10}{'MB out':>8}  row groups, MiB encoded")
    for name, run in measures.items():
        groups = ", ".join(f"{size / 2**20:.1f}" for size in run.row_groups[:5]) + (
            f", ... {len(run.row_groups)} in all" if len(run.row_groups) > 5 else ""
        )
        clocks = f"{run.seconds:>9.2f}{run.cpu_seconds:>8.2f}{f'{run.rows / run.seconds:,.0f}':>12}"
        print(f"{name:10}{clocks}{run.peak_mib:>10.0f}{run.bytes / 1e6:>8.1f}  {groups}")
    ours, yardstick = measures[OURS], measures[YARDSTICK]
    print(f"not slower than {YARDSTICK}: {'yes' if ours.seconds <= yardstick.seconds else 'NO'}")
    print(f"peak at most {PEAK_LIMIT_MIB} MiB: {'yes' if ours.peak_mib <= PEAK_LIMIT_MIB else 'NO'}")


def main() -> None:
    """Measure every contender, or be one of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_400_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=CHECKOUT / ".tarn" / "bench", help="where the input is kept")
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--input", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contender:
        print(json.dumps(vars(measure(options.contender, options.input))))
        return
    options.folder.mkdir(parents=True, exist_ok=True)
    source = published(options.rows, options.folder)
    show(measure_all(source, options.rounds), source)


if __name__ == "__main__":
    main()
