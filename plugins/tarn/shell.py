"""One step from a shell: what the programs in ``scripts/`` share."""

import argparse
import logging
import sys

from tarn.dataset import find_dataset
from tarn.errors import InvalidDataset, InvalidPartition, NotPublished, TarnError
from tarn.logs import configure_logging
from tarn.pipeline import run_step
from tarn.receipt import Receipt
from tarn.settings import read_settings

FAILED, USAGE, NOT_PUBLISHED, INTERRUPTED = 1, 2, 3, 130

log = logging.getLogger(__name__)


def run(step: str, description: str) -> int:
    """Run a step for the dataset and partition of the command line; gives the exit code.

    0: done, or nothing to do. 1: failed. 2: no such dataset or partition. 3: not published.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("dataset", help="a dataset's name: a YAML file of datasets/")
    parser.add_argument("partition", help="a month such as 2020-04, or a day such as 2020-04-01")
    parser.add_argument("--force", action="store_true", help="work again where the receipt still holds")
    options = parser.parse_args()
    try:
        settings = read_settings()
        configure_logging(settings.log_format)
        dataset = find_dataset(options.dataset, settings.datasets_folder)
        partition = dataset.partition(options.partition)
        receipt = run_step(step, dataset, partition, settings, force=options.force)
    except TarnError as error:
        _tell(error)
        return _exit_code(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    print(_summary(receipt))  # noqa: T201
    return 0


def _tell(error: TarnError) -> None:
    # Settings that cannot be read leave logging as it was.
    if logging.getLogger().handlers:
        log.error("%s", error)
    else:
        print(error, file=sys.stderr)  # noqa: T201


def _exit_code(error: TarnError) -> int:
    match error:
        case InvalidDataset() | InvalidPartition():
            return USAGE
        case NotPublished():
            return NOT_PUBLISHED
        case _:
            return FAILED


def _summary(receipt: Receipt) -> str:
    rows = [] if receipt.rows_written is None else [f"{receipt.rows_written:,} rows"]
    written = [f"{artifact.uri} ({artifact.bytes:,} bytes)" for artifact in receipt.writes]
    took = "unchanged" if receipt.reused else f"{receipt.seconds:.1f} s"
    return f"{receipt.dataset} {receipt.partition} {receipt.step}: {', '.join([*rows, *written, took])}"
