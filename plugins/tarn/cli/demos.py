"""The demos: what ``tarn demo`` asks each pipeline for, and the mart that it shows at the end."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Demo:
    """One pipeline's demo. ``{marts}`` in the SQL stands for the marts' dataset."""

    pipeline: str
    asked: str
    conf: dict[str, Any]
    mart: str
    sql: str


TAXI = Demo(
    pipeline="taxi",
    asked="2020-04 to 2020-05",
    conf={"start_month": "2020-04-01", "end_month": "2020-05-01"},
    mart="monthly_summary",
    sql="""
        SELECT month, service, trips, trips_outside_month AS outside_month, card_trips, cash_trips,
               ROUND(distance_miles / trips, 2) AS miles, mean_total_amount AS mean_total, total_amount
        FROM {marts}.monthly_summary
        WHERE month BETWEEN '2020-04-01' AND '2020-05-01'
        ORDER BY month, service
    """,
)

CRYPTO = Demo(
    pipeline="crypto",
    asked="2024-04-14 to 2024-04-16",
    conf={"start_day": "2024-04-14", "end_day": "2024-04-16"},
    mart="crypto_price_and_network",
    sql="""
        SELECT day, ROUND(close_usd, 2) AS bitcoin_usd, ROUND(change_percent, 2) AS change_percent, blocks,
               transactions, ROUND(mean_fee_usd, 2) AS mean_fee_usd, fee_rate_median
        FROM {marts}.crypto_price_and_network
        WHERE day BETWEEN '2024-04-14' AND '2024-04-16'
        ORDER BY day
    """,
)

CUSTOMERS = Demo(
    pipeline="customers",
    asked="2023-07-14 to 2023-07-16",
    conf={"start_day": "2023-07-14", "end_day": "2023-07-16"},
    mart="agg_monthly_sales",
    sql="""
        SELECT month, product_name, transactions, known_customers, quantity, net_amount, tax, total_amount
        FROM {marts}.agg_monthly_sales
        WHERE month = '2023-07-01'
        ORDER BY total_amount DESC
    """,
)

COLLISIONS = Demo(
    pipeline="collisions",
    asked="the updates of 2022-04-18 to 2022-04-20",
    conf={"start_day": "2022-04-18", "end_day": "2022-04-20", "datasets": ["collisions_updates"]},
    mart="crashes_by_borough",
    sql="""
        SELECT crash_month, borough, crashes, persons_injured, persons_killed
        FROM {marts}.crashes_by_borough
        ORDER BY crash_month DESC, crashes DESC, borough
        LIMIT 12
    """,
)

DEMOS = {demo.pipeline: demo for demo in (TAXI, CRYPTO, CUSTOMERS, COLLISIONS)}
EVERY = "all"
