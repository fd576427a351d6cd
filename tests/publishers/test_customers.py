"""The shop's deliveries: their dirt is the genuine file's, and so is its share."""

import csv
import datetime as dt
import io
from collections import Counter
from collections.abc import Iterator

import pytest

from tarn.settings import CHECKOUT
from tarn_publishers.customers.deliveries import FIRST_DAY, HEADER, Delivery

GENUINE = CHECKOUT.parent / "shared" / "data" / "real" / "ebury" / "customer_transactions.csv"
DAY = dt.date(2023, 7, 14)
PATH = "/customers/customer_transactions_{}.csv"

Row = dict[str, str]


def rows_of(text: str) -> list[Row]:
    return list(csv.DictReader(io.StringIO(text)))


def delivered(publishers, day: dt.date) -> list[Row]:
    answer = publishers.get(PATH.format(day))
    answer.raise_for_status()
    rows = rows_of(answer.text)
    assert int(answer.headers["X-Tarn-Rows"]) == len(rows)
    return rows


def dirt(rows: list[Row]) -> Counter[str]:
    """How many rows have each kind of dirt, and how many have none."""
    return Counter(kind for row in rows for kind in list(_dirt_of(row)) or ["none"])


def _dirt_of(row: Row) -> Iterator[str]:
    signs = {
        "letter before the id": row["transaction_id"].startswith("T"),
        "no customer": not row["customer_id"],
        "day first": row["transaction_date"][2] == "-",
        "letter before the product": row["product_id"].startswith("P"),
        "no quantity": not row["quantity"],
        "price in words": row["price"] == "Two Hundred",
        "tax in words": row["tax"] == "Fifteen",
    }
    return (kind for kind, there in signs.items() if there)


def test_a_hundred_transactions_have_the_dirt_of_the_genuine_hundred() -> None:
    if not GENUINE.exists():
        pytest.skip("../shared/data/real is not beside the checkout")
    genuine = rows_of(GENUINE.read_text())
    made = rows_of("\n".join(Delivery(FIRST_DAY, 100, "1").lines()))
    assert list(made[0]) == list(genuine[0])
    assert dirt(made[:50] + made[51:101]) == dirt(genuine)
    assert [sorted(_dirt_of(row)) for row in made[:50]] == [sorted(_dirt_of(row)) for row in genuine[:50]]


def test_a_share_of_the_rows_comes_twice_and_once_a_week_a_whole_file(publishers) -> None:
    week = [DAY + dt.timedelta(days=number) for number in range(7)]
    twice = [day for day in week if len(delivered(publishers, day)) == 204]
    assert len(twice) == 1
    [monday] = twice
    before, both = delivered(publishers, monday - dt.timedelta(days=1)), delivered(publishers, monday)
    assert both[: len(before)] == before
    assert len({row["transaction_id"] for row in before}) == 100
    assert sum(count - 1 for count in Counter(row["transaction_id"] for row in before).values()) == 2


def test_transactions_are_numbered_through_and_of_the_day_or_the_day_before(publishers) -> None:
    one, next_ = delivered(publishers, dt.date(2023, 7, 12)), delivered(publishers, dt.date(2023, 7, 13))
    numbers = {int(row["transaction_id"].removeprefix("T")) for row in one}
    assert min(int(row["transaction_id"].removeprefix("T")) for row in next_) == max(numbers) + 1
    iso = {row["transaction_date"] for row in one if row["transaction_date"][4] == "-"}
    assert iso == {"2023-07-11", "2023-07-12"}


def test_a_day_that_has_not_ended_or_that_no_calendar_has_is_not_there(publishers) -> None:
    tomorrow = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1)
    for day in ("2019-12-31", "2023-02-30", tomorrow, "x"):
        assert publishers.get(PATH.format(day)).status_code == 404
    assert delivered(publishers, FIRST_DAY)


def test_a_file_that_is_known_is_not_sent_again_and_a_part_is(publishers) -> None:
    whole = publishers.get(PATH.format(DAY))
    known = publishers.get(PATH.format(DAY), headers={"If-None-Match": whole.headers["ETag"]})
    part = publishers.get(PATH.format(DAY), headers={"Range": "bytes=10-", "If-Range": whole.headers["ETag"]})
    assert (known.status_code, known.content) == (304, b"")
    assert (part.status_code, part.content) == (206, whole.content[10:])


def test_equal_seeds_give_equal_files_and_a_large_one_has_all_its_rows() -> None:
    texts = ["\n".join(Delivery(DAY, 40_000, seed).lines()) for seed in ("1", "1", "2")]
    assert texts[0] == texts[1] != texts[2]
    assert texts[0].splitlines()[0] == HEADER
    assert texts[0].count("\n") == Delivery(DAY, 40_000, "1").rows
