"""Resources that BigQuery has and this emulator never has any of: models and row access policies.

Their lists are empty, and there is none of any name. Whatever would make one is refused.
"""

from typing import Any

from tarn_bigquery.errors import not_found
from tarn_bigquery.rest import datasets, tables
from tarn_bigquery.rest.http import Call


def list_models(call: Call) -> dict[str, Any]:
    call.engine.catalog.dataset(datasets.ref_of(call))
    return {}


def model(call: Call) -> dict[str, Any]:
    """A model to be told, changed or deleted."""
    ref = datasets.ref_of(call)
    call.engine.catalog.dataset(ref)
    raise not_found("Model", f"{ref}.{call.path['model']}")


def list_policies(call: Call) -> dict[str, Any]:
    tables.get(call)
    return {}


def policy(call: Call) -> dict[str, Any]:
    """A row access policy to be told or deleted."""
    tables.get(call)
    raise not_found("Row access policy", f"{tables.ref_of(call)}.{call.path['policy']}")
