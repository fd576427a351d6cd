import datetime as dt

import pytest

from tarn.retry import RetryPolicy, parse_retry_after

NOW = dt.datetime(2024, 1, 1, 12, 0, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("Mon, 01 Jan 2024 12:01:30 GMT", 90.0),
        ("Mon, 01 Jan 2024 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        (None, None),
    ],
)
def test_retry_after_is_read_in_both_forms(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, NOW) == seconds


def test_waits_grow_up_to_a_limit_and_never_all_the_same() -> None:
    policy = RetryPolicy(first_wait=1, longest_wait=8)
    for tries, longest in ((1, 1), (2, 2), (4, 8), (20, 8)):
        waits = {policy.wait(tries) for _ in range(50)}
        assert all(0 <= wait <= longest for wait in waits)
        assert len(waits) > 1


def test_the_servers_wish_is_granted() -> None:
    assert RetryPolicy(longest_wait=8).wait(1, asked=30) == 30
