"""How a step's errors end a task: skipped, failed for good, or tried again."""

import contextlib
from collections.abc import Iterator

from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from tarn.errors import (
    LoadFailed,
    LoadMismatch,
    NotPublished,
    PublisherUnavailable,
    StagingFailed,
    TarnError,
    UploadFailed,
)

# What another try may mend: the network, a server, or somebody else's write at the same time.
RETRYABLE = (PublisherUnavailable, StagingFailed, UploadFailed, LoadFailed, LoadMismatch)


@contextlib.contextmanager
def task_outcomes() -> Iterator[None]:
    """Skip the task where nothing is published; fail it at once where a retry could not mend the error."""
    try:
        yield
    except NotPublished as nothing:
        raise AirflowSkipException(str(nothing)) from None
    except RETRYABLE:
        raise
    except TarnError as error:
        raise AirflowFailException(str(error)) from None
