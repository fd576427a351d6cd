"""How an error of a step ends its task."""

from pathlib import Path

import pytest

from tarn.errors import DownloadRefused, NotPublished, PublisherUnavailable, TarnError, TooManyBadRows


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (NotPublished("not there"), "AirflowSkipException"),
        (DownloadRefused("a pointer"), "AirflowFailException"),
        (TooManyBadRows("rotten"), "AirflowFailException"),
        (TarnError("unheard of"), "AirflowFailException"),
        (PublisherUnavailable("try again"), "PublisherUnavailable"),
        (ZeroDivisionError("a bug"), "ZeroDivisionError"),
    ],
)
def test_the_error_decides_whether_a_task_is_skipped_failed_or_tried_again(
    error: Exception, outcome: str, airflow_home: Path
) -> None:
    from tarn.airflow.outcomes import task_outcomes

    with pytest.raises(Exception, match=str(error)) as caught, task_outcomes():
        raise error
    assert type(caught.value).__name__ == outcome
