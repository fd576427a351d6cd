"""getIamPolicy and testIamPermissions: the emulator keeps no policies, so nobody is kept from anything."""

from typing import Any

from tarn_bigquery.catalog.resources import require
from tarn_bigquery.rest.http import Call, Handler

_NO_BINDINGS = {"version": 1, "etag": "ACAB"}
"""The policy of a resource that has none, with the etag that Google's services give it."""


def policy_of(get: Handler) -> Handler:
    """getIamPolicy of the resource that `get` answers with. It fails as `get` does where there is no such resource."""

    def policy(call: Call) -> dict[str, Any]:
        get(call)
        return _NO_BINDINGS

    return policy


def permissions_of(get: Handler) -> Handler:
    """testIamPermissions of the resource that `get` answers with, as `policy_of`: all that is asked for is granted."""

    def permissions(call: Call) -> dict[str, Any]:
        get(call)
        return {"permissions": require(call.body, "permissions")}

    return permissions
