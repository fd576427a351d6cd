"""CoinGecko offline: its pages, its series, and what is odd about them."""

import datetime as dt
from itertools import pairwise
from typing import Any

import pytest
import requests

from tarn_publishers.coingecko.coins import coins
from tarn_publishers.coingecko.markets import Market
from tarn_publishers.coingecko.noise import DAY
from tarn_publishers.sample import Sample

MARKETS = "/coingecko/api/v3/coins/markets"
BITCOIN = "/coingecko/api/v3/coins/bitcoin/market_chart"
NOON = 1_713_096_000  # 2024-04-14 12:00 UTC


def markets(publishers, **query: Any) -> requests.Response:
    return publishers.get(MARKETS, params={"vs_currency": "usd", "as_of": "2024-04-14", **query})


def prices(publishers, **query: Any) -> list[list[Any]]:
    answer = publishers.get(f"{BITCOIN}/range", params={"vs_currency": "usd", **query})
    answer.raise_for_status()
    return answer.json()["prices"]


def test_pages_of_250_at_most_hold_every_coin_once(publishers):
    pages = [markets(publishers, per_page=1_000, page=page) for page in (1, 2, 3)]
    assert [len(page.json()) for page in pages] == [250, 50, 0]
    records = [record for page in pages for record in page.json()]
    assert len({record["id"] for record in records}) == 300 == int(pages[0].headers["total"])
    ranks = [record["market_cap_rank"] for record in records]
    assert [rank for rank in ranks if rank] == [at for at, rank in enumerate(ranks, 1) if rank]
    assert None in ranks


def test_the_market_of_a_past_day_stays_the_same_to_the_byte(publishers):
    first, again = markets(publishers), markets(publishers)
    assert (first.content, first.headers["ETag"]) == (again.content, again.headers["ETag"])
    assert publishers.get(MARKETS, params={"vs_currency": "usd", "as_of": "2024-04-15"}).content != first.content
    known = {"If-None-Match": first.headers["ETag"]}
    unchanged = publishers.get(first.url.removeprefix(publishers.url), headers=known)
    assert (unchanged.status_code, unchanged.content) == (304, b"")


def test_numbers_and_returns_come_in_more_than_one_shape(publishers):
    records = markets(publishers, per_page=250).json()
    kinds = {(name, type(record[name])) for record in records for name in record}
    for name in ("current_price", "circulating_supply", "total_supply"):
        assert {(name, int), (name, float)} <= kinds
    assert {("roi", dict), ("roi", type(None)), ("max_supply", type(None)), ("total_volume", type(None))} <= kinds


def test_an_id_with_a_blank_is_left_out_and_an_unknown_one_too(publishers):
    found = markets(publishers, ids="bitcoin, ethereum,litecoin,nothing").json()
    assert {record["id"] for record in found} == {"bitcoin", "litecoin"}


@pytest.mark.parametrize("path", [MARKETS, BITCOIN])
def test_a_currency_that_is_not_supported_gives_an_empty_object_and_none_is_refused(publishers, path):
    answer = publishers.get(path, params={"vs_currency": "xyz", "days": 1})
    assert (answer.status_code, answer.json()) == (200, {})
    answer = publishers.get(path, params={"days": 1})
    assert (answer.status_code, answer.json()) == (422, {"error": "Missing parameter vs_currency"})


def test_an_unknown_coin_and_a_key_that_is_none_are_refused(publishers):
    assert publishers.get("/coingecko/api/v3/coins/nothing/market_chart").status_code == 404
    wrong = publishers.get(MARKETS, params={"vs_currency": "usd"}, headers={"x-cg-demo-api-key": "secret"})
    assert (wrong.status_code, wrong.json()["status"]["error_code"]) == (401, 10002)
    right = publishers.get(MARKETS, params={"vs_currency": "usd"}, headers={"x-cg-demo-api-key": "CG-secret"})
    assert right.status_code == 200


@pytest.mark.parametrize(("days", "step"), [(1, 300), (30, 3_600), (91, DAY)])
def test_the_longer_a_series_the_fewer_its_points(publishers, days, step):
    before = dt.datetime.now(dt.UTC).timestamp()
    series = publishers.get(BITCOIN, params={"vs_currency": "usd", "days": days}).json()
    after = dt.datetime.now(dt.UTC).timestamp()
    assert len({len(points) for points in series.values()}) == 1
    moments = sorted({moment // 1000 // step for moment, _ in series["prices"]})
    assert days * DAY // step - 1 <= len(moments) <= days * DAY // step + 2
    assert int(before) <= series["prices"][-1][0] / 1000 <= after


def test_a_series_repeats_and_runs_backwards_and_has_holes(publishers):
    query = {"from": NOON - 60 * DAY, "to": NOON}
    series = publishers.get(f"{BITCOIN}/range", params={"vs_currency": "usd", **query}).json()
    moments = [moment for moment, _ in series["prices"]]
    steps = [after - before for before, after in pairwise(moments)]
    assert 0 in steps
    assert min(steps) < 0
    assert None in [cap for _, cap in series["market_caps"]]


def test_equal_times_have_equal_prices_however_they_are_asked_for(publishers):
    short = prices(publishers, **{"from": NOON, "to": NOON + DAY})
    long = prices(publishers, **{"from": NOON - DAY, "to": NOON + 2 * DAY})
    inner = [point for point in long if point[0] >= NOON * 1000]
    assert short[:20] == inner[:20]


def test_a_past_day_is_told_by_the_hour_and_may_be_named_by_its_date(publishers):
    by_date = prices(publishers, **{"from": "2024-04-14", "to": "2024-04-15"})
    midnight = NOON - DAY // 2
    assert by_date == prices(publishers, **{"from": midnight, "to": midnight + DAY})
    assert 24 <= len(by_date) <= 40
    wrong = publishers.get(f"{BITCOIN}/range", params={"vs_currency": "usd", "from": "April", "to": "2024-04-15"})
    assert (wrong.status_code, wrong.json()) == (422, {"error": "Missing parameter from"})


def test_a_replaced_market_moves_a_coin_from_one_page_to_the_next(publishers):
    publishers.arm(MARKETS, "changed", skip=1)
    first, second = (markets(publishers, per_page=100, page=page).json() for page in (1, 2))
    assert {record["id"] for record in first} & {record["id"] for record in second}


def test_another_seed_has_other_coins_and_prices_but_the_known_names():
    one, other = (coins(Sample(2_000, seed)) for seed in (1, 2))
    assert one[:17] == other[:17]
    assert {coin.id for coin in one[17:]}.isdisjoint(coin.id for coin in other[17:])
    assert len({coin.id for coin in one}) == len(one)
    prices_of_one = [Market(seed, NOON).record(one[0], rank=1)["current_price"] for seed in ("1", "2")]
    assert prices_of_one[0] != prices_of_one[1]
