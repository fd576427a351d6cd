"""The crypto models on a real emulator: what the marts hold, and that they hold it however often they are built."""

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest

pytestmark = pytest.mark.slow

PIPELINE, GRANULARITY = "crypto", "day"
FIRST, SECOND, THIRD = "2024-04-14", "2024-04-15", "2024-04-16"
MARTS = (
    *("crypto_coins", "crypto_daily_prices", "crypto_daily_blocks", "crypto_daily_fees"),
    "crypto_price_and_network",
)
BITCOIN = 100_000_000  # satoshis


def point(coin: str, day: str, hour: int, price: float | None, **columns: Any) -> dict[str, Any]:
    """A point of a coin's course at an hour of a day."""
    moment = dt.datetime.fromisoformat(day).replace(hour=hour, tzinfo=dt.UTC)
    return {"coin_id": coin, "timestamp_ms": int(moment.timestamp()) * 1000, "price_usd": price} | columns


def payment(day: str, block: int, name: str, **columns: Any) -> dict[str, Any]:
    """A transaction that pays 1,000 satoshis for 200 virtual bytes, or one by which a miner pays themselves."""
    usual = {"block_id": block, "transaction_hash": name, "time": dt.datetime.fromisoformat(day), "is_coinbase": False}
    amounts = {"weight": 800, "fee": 1_000, "fee_usd": 0.5, "output_total": BITCOIN, "has_witness": True}
    return usual | amounts | columns


def miners(day: str, block: int) -> dict[str, Any]:
    """The first transaction of a block."""
    return payment(day, block, f"miner {block}", is_coinbase=True, fee=0, fee_usd=0.0)


def block(day: str, height: int, minute: int, **columns: Any) -> dict[str, Any]:
    """A block with one payment."""
    name = {"id": height, "block_hash": f"block {height}"}
    usual = name | {"transaction_count": 2, "size": 500, "guessed_miner": "AntPool"}
    found = dt.datetime.fromisoformat(day) + dt.timedelta(minutes=minute)
    money = {"fee_total": 1_000, "fee_total_usd": 0.5, "generation": BITCOIN, "reward_usd": 10.0, "difficulty": 5.0}
    return usual | money | {"time": found} | columns


def day_of_chain(day: str, height: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Two blocks of a day, the second with a clock that is late, and their transactions."""
    blocks = [block(day, height, 10), block(day, height + 1, 5, guessed_miner="ViaBTC")]
    payments = [row for at in (height, height + 1) for row in (miners(day, at), payment(day, at, f"payment {at}"))]
    return blocks, payments


@pytest.fixture(scope="module")
def filled(lake):
    """A lake with two days; of the second one coin's course is missing, and every market but the first's."""
    for day, height, price in ((FIRST, 700, 100.0), (SECOND, 702, 110.0)):
        again = point("bitcoin", day, 5, price / 2, market_cap_usd=7.0)
        lake.put(
            "crypto_prices", day, [point("bitcoin", day, 0, price), again, again, point("bitcoin", day, 23, price)]
        )
        blocks, transactions = day_of_chain(day, height)
        lake.put("crypto_blocks", day, blocks)
        lake.put("crypto_transactions", day, transactions)
    market = {"coin_id": "bitcoin", "symbol": "btc", "name": "Bitcoin", "market_cap_rank": 1, "current_price": 100.0}
    lake.put("crypto_markets", FIRST, [market, market | {"coin_id": "not-followed"}])
    return lake


@pytest.fixture(scope="module")
def statuses(filled, dbt) -> dict[str, str]:
    """How the first build of everything went, by node."""
    return dbt.statuses("build")


@pytest.fixture(scope="module")
def marts(filled, statuses: dict[str, str]):
    """The lake with marts built over all of it. A test that changes either changes it back."""
    assert "error" not in statuses.values()
    return filled


def contents(lake) -> dict[str, list[str]]:
    """Every row of every mart."""
    return {name: lake.mart(name) for name in MARTS}


def test_the_first_build_passes_and_warns_of_the_coins_without_a_price(statuses: dict[str, str]) -> None:
    assert set(statuses.values()) == {"success", "pass", "warn", "no-op"}
    odd = [name for name, status in statuses.items() if status == "warn"]
    assert odd == ["every_followed_coin_has_its_price_of_a_day"]


def test_a_days_prices_are_its_first_highest_lowest_and_last(marts) -> None:
    [first] = marts.rows(f"SELECT * FROM crypto_daily_prices WHERE day = '{FIRST}'")
    prices = {"open_usd": 100.0, "high_usd": 100.0, "low_usd": 50.0, "close_usd": 100.0}
    assert first.items() >= {"coin_id": "bitcoin", "points": 3, "market_cap_usd": 7.0, **prices}.items()


def test_days_of_the_network_are_summed_from_blocks_and_from_payments(marts) -> None:
    [blocks] = marts.rows(f"SELECT * FROM crypto_daily_blocks WHERE day = '{FIRST}'")
    expected = {"blocks": 2, "first_height": 700, "last_height": 701, "transactions": 4, "fee_satoshis": 2_000}
    assert blocks.items() >= {**expected, "mean_seconds_between": Decimal(0), "miners": 2}.items()
    [fees] = marts.rows(f"SELECT * FROM crypto_daily_fees WHERE day = '{FIRST}'")
    assert fees.items() >= {"payments": 2, "fee_satoshis": 2_000, "fee_rate_median": Decimal(5)}.items()


def test_the_price_is_told_beside_the_network_with_its_change(marts) -> None:
    first, second = marts.rows("SELECT * FROM crypto_price_and_network ORDER BY day")
    assert (first["change_percent"], second["change_percent"]) == (None, 10.0)
    assert (second["blocks"], second["mean_fee_usd"], second["fee_share_of_reward"]) == (2, Decimal("0.5"), 0.05)


def test_every_followed_coin_is_in_the_dimension_with_what_is_known(marts) -> None:
    coins = {row["coin_id"]: row for row in marts.rows("SELECT * FROM crypto_coins")}
    assert (coins["bitcoin"]["symbol"], coins["bitcoin"]["kind"], str(coins["bitcoin"]["seen_on"])) == (
        *("btc", "currency"),
        FIRST,
    )
    assert coins["solana"]["symbol"] is None
    assert "not-followed" not in coins


@pytest.mark.parametrize(
    ("arguments", "days"),
    [((), {"start": FIRST, "end": SECOND}), ((), {}), (("--full-refresh",), {})],
    ids=["named days", "no days", "full refresh"],
)
def test_building_again_changes_nothing(marts, dbt, arguments: tuple[str, ...], days: dict[str, str]) -> None:
    before = contents(marts)
    dbt.build(*arguments, "--exclude-resource-type", "unit_test", **days)
    assert contents(marts) == before


def test_a_day_that_comes_changes_or_goes_leaves_the_others_alone(marts, dbt) -> None:
    before = contents(marts)
    models = ("--exclude-resource-type", "unit_test")
    for price in (90.0, 95.0):
        marts.put("crypto_prices", THIRD, [point("bitcoin", THIRD, 1, price)])
        dbt.build(*models, start=THIRD, end=THIRD)
        [row] = marts.rows(f"SELECT close_usd FROM crypto_daily_prices WHERE day = '{THIRD}'")
        assert row == {"close_usd": price}
    marts.file("crypto_prices", THIRD).delete()
    dbt.build(*models, start=THIRD, end=THIRD)
    assert contents(marts) == before


def test_a_build_of_one_day_reads_no_other(marts, dbt) -> None:
    broken = marts.file("crypto_blocks", THIRD)
    broken.upload_from_string(b"not Parquet")
    try:
        dbt.build("--exclude-resource-type", "unit_test", start=SECOND, end=SECOND)
    finally:
        broken.delete()


def test_a_row_too_many_fails_the_tests(marts, dbt) -> None:
    noticed = {
        "crypto_daily_prices": "unique_together_crypto_daily_prices_day__coin_id",
        "crypto_daily_blocks": "unique_crypto_daily_blocks_day",
        "crypto_daily_fees": "unique_crypto_daily_fees_day",
    }
    try:
        for mart in noticed:
            marts.rows(f"INSERT INTO {mart} SELECT * FROM {mart} LIMIT 1")
        statuses = dbt.statuses("test", "--exclude-resource-type", "unit_test")
    finally:
        dbt.build("--select", *noticed, "--full-refresh", "--exclude-resource-type", "unit_test")
    assert set(noticed.values()) <= {name for name, status in statuses.items() if status == "fail"}


def test_freshness_is_told_of_every_source(marts, dbt) -> None:
    found = {result.node.name: str(result.status) for result in dbt.results("source", "freshness")}
    # These days are long past; one of the sources is newer than another by a day.
    assert found == dict.fromkeys(("crypto_markets", "crypto_prices", "crypto_blocks", "crypto_transactions"), "error")


def test_the_documentation_knows_every_column_of_a_mart(marts, dbt) -> None:
    assert dbt.run("docs", "generate").success
    catalog = json.loads((dbt.target / "catalog.json").read_text())
    manifest = json.loads((dbt.target / "manifest.json").read_text())
    for mart in MARTS:
        node = f"model.tarn.{mart}"
        described = {name: column["description"] for name, column in manifest["nodes"][node]["columns"].items()}
        found = sorted(catalog["nodes"][node]["columns"].values(), key=lambda column: column["index"])
        assert [column["name"] for column in found] == list(described)
        assert all(described.values())
    assert set(manifest["exposures"]) >= {"exposure.tarn.crypto_report"}
