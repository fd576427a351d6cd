"""getIamPolicy and testIamPermissions: the emulator keeps no policies, so nobody is kept from anything."""

from typing import Any

from tarn_bigquery.catalog.resources import require
from tarn_bigquery.rest import routines, tables
from tarn_bigquery.rest.http import Call

_NO_BINDINGS = {"version": 1, "etag": "ACAB"}
"""The policy of a resource that has none, with the etag that Google's services give it."""


def table_policy(call: Call) -> dict[str, Any]:
    tables.get(call)
    return _NO_BINDINGS


def table_permissions(call: Call) -> dict[str, Any]:
    tables.get(call)
    return _granted(call)


def routine_policy(call: Call) -> dict[str, Any]:
    routines.get(call)
    return _NO_BINDINGS


def routine_permissions(call: Call) -> dict[str, Any]:
    routines.get(call)
    return _granted(call)


def _granted(call: Call) -> dict[str, Any]:
    return {"permissions": require(call.body, "permissions")}
