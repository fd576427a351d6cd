"""GoogleSQL by example: `cases/*.yaml` has queries with the columns, rows or errors that the documentation promises.

A case has `sql` and one of: `is`, the one value; `row`, the one row; `rows`; `interval`, the one value in its canonical
form; `json` or `jsons`, parsed values; `error`, a part of the message. `type` and `columns` check the schema too.
"""

import base64
import json
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery

CASES = Path(__file__).parent / "cases"

Case = dict[str, Any]


def cases() -> list[Any]:
    return [
        pytest.param(case, id=f"{file.stem}:{case['sql'][:60]}")
        for file in sorted(CASES.glob("*.yaml"))
        for case in yaml.safe_load(file.read_text())
    ]


def plain(value: Any) -> Any:
    """A value of the client's as YAML would write it."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    return value.isoformat() if hasattr(value, "isoformat") else value


def wanted(value: Any) -> Any:
    """NaN and the infinities as YAML leaves them, made what `plain` makes of them."""
    if isinstance(value, list):
        return [wanted(inner) for inner in value]
    if isinstance(value, str) and value.lstrip("-") == "Infinity":
        return float(value)
    return value


def agree(one: Any, other: Any) -> bool:
    """Whether two values are the same, floats within the last of their digits."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(agree(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-13)
    return type(one) is type(other) and one == other


def raw_value(client: bigquery.Client, job: bigquery.QueryJob) -> str:
    """The one value of a result as the REST API writes it."""
    path = f"/projects/{client.project}/queries/{job.job_id}"
    answer = client._connection.api_request(method="GET", path=path)  # the client parses intervals away
    return answer["rows"][0]["f"][0]["v"]


@pytest.mark.parametrize("case", cases())
def test_case(client: bigquery.Client, case: Case) -> None:
    if "error" in case:
        with pytest.raises(BadRequest) as raised:
            client.query(case["sql"]).result()
        assert case["error"] in raised.value.message
        assert raised.value.errors[0]["reason"] == "invalidQuery"
        return
    job = client.query(case["sql"])
    result = job.result()
    if "type" in case:
        assert [field.field_type for field in result.schema] == [case["type"]]
    if "columns" in case:
        assert [field.name for field in result.schema] == case["columns"]
    if "interval" in case:
        assert raw_value(client, job) == case["interval"]
        return
    rows = [[plain(value) for value in row.values()] for row in result]
    if "json" in case or "jsons" in case:
        found = [json.loads(value) if isinstance(value, str) else value for value in rows[0]]
        assert found == case.get("jsons", [case.get("json")])
        return
    expected = case["rows"] if "rows" in case else [case["row"]] if "row" in case else [[case["is"]]]
    assert agree(wanted(expected), rows), f"{rows} is not {expected}"
