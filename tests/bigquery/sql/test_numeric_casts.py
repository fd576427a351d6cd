"""FLOAT64 to NUMERIC by an independent reckoning: the exact binary value, rounded half away from zero."""

import math
from decimal import ROUND_HALF_UP, Decimal

from google.cloud import bigquery
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CENTS = st.integers(-(10**9), 10**9).map(lambda cents: cents / 100)
HALVES = st.integers(-(10**13), 10**13).map(lambda half: (half + 0.5) / 1e9)
NEIGHBOURS = HALVES.map(lambda value: math.nextafter(value, math.inf))
ANY = st.floats(-1e18, 1e18, allow_nan=False)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(CENTS | HALVES | NEIGHBOURS | ANY, min_size=1, max_size=50))
def test_every_digit_counts(client: bigquery.Client, values: list[float]) -> None:
    parameter = bigquery.ArrayQueryParameter("values", "FLOAT64", values)
    config = bigquery.QueryJobConfig(query_parameters=[parameter])
    sql = "SELECT CAST(x AS NUMERIC) AS n FROM UNNEST(@values) AS x WITH OFFSET AS i ORDER BY i"
    rows = client.query(sql, job_config=config).result()
    unit = Decimal("1e-9")
    assert [row.n for row in rows] == [Decimal(value).quantize(unit, ROUND_HALF_UP) for value in values]
