"""A day of the chain as records: its blocks, and the transactions in them, whose amounts add up to the blocks'."""

import datetime as dt
import hashlib
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from tarn_publishers.blockchair.chain import Chain, subsidy
from tarn_publishers.coingecko.coins import Coin
from tarn_publishers.coingecko.courses import Course
from tarn_publishers.coingecko.noise import DAY, draw

SATOSHIS = 100_000_000
_COINBASE_BYTES, _HEADER_BYTES = 240, 80
_MINERS = ("Foundry USA Pool", "AntPool", "ViaBTC", "F2Pool", "Binance Pool", "MARA Pool", "Unknown")
_VERSIONS = (536_870_912, 543_162_368, 852_934_656, 1_073_676_288)
_DIFFICULTY, _BITS, _CHAINWORK = 86_388_558_925_171, 386_089_497, 0x74288C61E1FB266B96019CE0

Record = dict[str, Any]


class ChainDay:
    """One day of a chain. `bitcoin` tells what its money is worth."""

    def __init__(self, chain: Chain, day: dt.date, bitcoin: Coin) -> None:
        self._chain = chain
        self._day = day
        self._midnight = int(dt.datetime.combine(day, dt.time(), dt.UTC).timestamp())
        self._course = Course(bitcoin, chain.seed)
        self._heights = chain.heights(day)
        self._ids = chain.transaction_ids(day)

    def transactions(self) -> Iterator[Record]:
        """The day's transactions in the order of their ids; in each block the first is the miner's."""
        for _, block in groupby(self._plain_transactions(), key=lambda record: record["block_id"]):
            miner, *others = block
            yield self._miners(miner, sum(record["fee"] for record in others))
            yield from others

    def blocks(self) -> Iterator[Record]:
        """The day's blocks in the order of their heights."""
        for height, transactions in groupby(self.transactions(), key=lambda record: record["block_id"]):
            yield self._block(height, list(transactions))

    def _plain_transactions(self) -> Iterator[Record]:
        blocks, count = len(self._heights), len(self._ids)
        previous = -1
        for at, id_ in enumerate(self._ids):
            place = at * blocks // count
            height = self._heights[place]
            yield self._transaction(id_, height, is_first=height != previous)
            previous = height

    def _transaction(self, id_: int, height: int, is_first: bool) -> Record:
        def among(bound: int, what: str) -> int:
            return draw(bound, self._chain.seed, "tx", id_, what)

        second = self._second(height)
        inputs, outputs = 1 + min(among(12, "inputs"), among(12, "inputs too")), 1 + among(4, "outputs")
        size = 10 + 148 * inputs + 34 * outputs
        has_witness = among(10, "witness") < 8
        weight = size * 4 - (107 * inputs * 3 if has_witness else 0)
        fee = 0 if is_first else weight // 4 * (1 + among(40, "rate"))
        value = 0 if is_first else 10_000 + fee + among(10 ** (6 + among(6, "magnitude")), "value")
        usd = self._price(second)
        return {
            "block_id": height,
            "id": id_,
            "hash": _hash(self._chain.seed, "tx", id_),
            "time": _time(second),
            "size": size,
            "weight": weight,
            "version": 1 + among(2, "version"),
            "lock_time": height - 1 if among(5, "lock") == 0 else 0,
            "is_coinbase": is_first,
            "has_witness": has_witness,
            "input_count": inputs,
            "output_count": outputs,
            "input_total": value,
            "input_total_usd": _usd(value, usd),
            "output_total": value - fee,
            "output_total_usd": _usd(value - fee, usd),
            "fee": fee,
            "fee_usd": _usd(fee, usd),
            "fee_per_kb": _short(fee * 1_000 / size),
            "fee_per_kb_usd": _short(fee * 1_000 / size * usd / SATOSHIS),
            "fee_per_kwu": _short(fee * 1_000 / weight),
            "fee_per_kwu_usd": _short(fee * 1_000 / weight * usd / SATOSHIS),
            "cdd_total": 0 if is_first else _short(value / SATOSHIS * among(900, "age") / 7),
        }

    def _miners(self, record: Record, fees: int) -> Record:
        """The first transaction of a block, which pays its miner what is new and the others' fees."""
        reward = subsidy(record["block_id"]) + fees
        usd = self._price(self._second(record["block_id"]))
        size = _COINBASE_BYTES
        sizes = {"size": size, "weight": size * 4 - 108, "input_count": 1, "has_witness": True, "lock_time": 0}
        return record | sizes | {"output_total": reward, "output_total_usd": _usd(reward, usd)}

    def _block(self, height: int, transactions: list[Record]) -> Record:
        def total(name: str) -> int:
            return sum(record[name] for record in transactions)

        second = self._second(height)
        usd = self._price(second)
        size = total("size") + _HEADER_BYTES
        weight = total("weight") + 4 * _HEADER_BYTES
        fees, created = total("fee"), subsidy(height)
        version = _VERSIONS[self._among(len(_VERSIONS), height, "version")]
        miner = _MINERS[min(self._among(len(_MINERS), height, "miner"), self._among(len(_MINERS), height, "again"))]
        return {
            "id": height,
            "hash": "0" * 19 + _hash(self._chain.seed, "block", height)[19:],
            "time": _time(second),
            "median_time": _time(max(second - 3_600 - self._among(600, height, "median"), 0)),
            "size": size,
            "stripped_size": (weight - size) // 3,
            "weight": weight,
            "version": version,
            "version_hex": f"{version:x}",
            "version_bits": f"{version:030b}",
            "merkle_root": _hash(self._chain.seed, "merkle", height),
            "nonce": self._among(1 << 32, height, "nonce"),
            "bits": _BITS,
            "difficulty": _DIFFICULTY,
            "chainwork": f"{_CHAINWORK + height * (_DIFFICULTY << 32):064x}",
            "coinbase_data_hex": f"03{height.to_bytes(3, 'little').hex()}04{_hash(miner, height)[:40]}",
            "transaction_count": len(transactions),
            "witness_count": sum(record["has_witness"] for record in transactions),
            "input_count": total("input_count"),
            "output_count": total("output_count"),
            "input_total": total("input_total"),
            "input_total_usd": _usd(total("input_total"), usd),
            "output_total": total("output_total"),
            "output_total_usd": _usd(total("output_total"), usd),
            "fee_total": fees,
            "fee_total_usd": _usd(fees, usd),
            "fee_per_kb": _short(fees * 1_000 / size),
            "fee_per_kb_usd": _short(fees * 1_000 / size * usd / SATOSHIS),
            "fee_per_kwu": _short(fees * 1_000 / weight),
            "fee_per_kwu_usd": _short(fees * 1_000 / weight * usd / SATOSHIS),
            "cdd_total": _short(sum(record["cdd_total"] for record in transactions)),
            "generation": created,
            "generation_usd": _usd(created, usd),
            "reward": created + fees,
            "reward_usd": _usd(created + fees, usd),
            "guessed_miner": miner,
        }

    def _second(self, height: int) -> int:
        """When a block was found; miners' clocks differ, so that one may seem older than the block before it."""
        place, blocks = height - self._heights.start, len(self._heights)
        early = self._among(DAY // blocks * 3 // 2, height, "clock")
        return self._midnight + max(0, (place + 1) * DAY // blocks - 1 - early)

    def _price(self, second: int) -> float:
        """Dollars a bitcoin at noon: Blockchair converts a whole day at one rate."""
        return self._course.price(second // DAY * DAY + DAY // 2) / SATOSHIS

    def _among(self, bound: int, height: int, what: str) -> int:
        return draw(bound, self._chain.seed, "block", height, what)


def _hash(*name: object) -> str:
    return hashlib.sha256("/".join(map(str, name)).encode()).hexdigest()


def _time(second: int) -> str:
    return f"{dt.datetime.fromtimestamp(second, dt.UTC):%Y-%m-%d %H:%M:%S}"


def _usd(satoshis: int, price: float) -> int | float:
    return _short(satoshis * price / SATOSHIS)


def _short(value: float) -> int | float:
    """Eight digits are told; a whole number comes without a point."""
    rounded = float(f"{value:.8g}")
    return int(rounded) if rounded.is_integer() else rounded
