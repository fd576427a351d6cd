"""Errors as BigQuery words them.

https://cloud.google.com/bigquery/docs/error-messages lists the reasons and their HTTP codes.
"""

from typing import Any

_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    409: "ALREADY_EXISTS",
    412: "FAILED_PRECONDITION",
    499: "CANCELLED",
    501: "UNIMPLEMENTED",
}

_CODES = {
    "accessDenied": 403,
    "authError": 401,
    "bytesBilledLimitExceeded": 400,
    "conditionNotMet": 412,
    "duplicate": 409,
    "invalid": 400,
    "invalidParameter": 400,
    "invalidQuery": 400,
    "methodNotAllowed": 405,
    "notFound": 404,
    "notImplemented": 501,
    "required": 400,
    "resourceInUse": 400,
    "responseTooLarge": 403,
    "stopped": 499,
}


_HEADERS = {"Authorization", "If-Match"}

_IN_REQUESTS = {"query": "q"}
"""Places that the answer to a request names otherwise than a job's status does."""


class ApiError(Exception):
    """A failure that a client is told about: a reason of BigQuery's, a message, and where it lies."""

    def __init__(self, reason: str, message: str, *, location: str | None = None, code: int | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.location = location
        self.code = code if code is not None else _CODES[reason]

    @property
    def status(self) -> str:
        """The name that Google's APIs give the code: `NOT_FOUND` for 404."""
        return _STATUS.get(self.code, "UNKNOWN")

    def proto(self) -> dict[str, Any]:
        """The ErrorProto that stands in a job's status."""
        body = {"reason": self.reason, "message": self.message}
        if self.location is not None:
            body["location"] = self.location
        return body

    def body(self) -> dict[str, Any]:
        """The body of an HTTP answer, in the error format of Google's APIs."""
        detail = {"message": self.message, "domain": "global", "reason": self.reason}
        if self.location is not None:
            place = _IN_REQUESTS.get(self.location, self.location)
            detail |= {"location": place, "locationType": "header" if place in _HEADERS else "parameter"}
        return {"error": {"code": self.code, "message": self.message, "errors": [detail], "status": self.status}}


def not_found(kind: str, name: object) -> ApiError:
    """`Not found: Table p:d.t`. A kind is a resource's name with a capital: Dataset, Table, Job."""
    where = " was not found in location US" if kind in {"Table", "Dataset"} else ""
    return ApiError("notFound", f"Not found: {kind} {name}{where}")


def already_exists(kind: str, name: object) -> ApiError:
    """`Already Exists: Table p:d.t`."""
    return ApiError("duplicate", f"Already Exists: {kind} {name}")


def invalid(message: str, location: str | None = None) -> ApiError:
    """A request that is well formed and asks for what cannot be."""
    return ApiError("invalid", message, location=location)


def invalid_query(message: str) -> ApiError:
    """SQL that is wrong. A position, where there is one, ends the message: ` at [line:column]`."""
    return ApiError("invalidQuery", message, location="query")


def missing_credentials() -> ApiError:
    """A request without a token, where one is required."""
    message = "Request is missing required authentication credential. Expected OAuth 2 access token."
    return ApiError("required", message, location="Authorization", code=401)


def bad_credentials() -> ApiError:
    """A request with another token than the one that is required."""
    message = "Request had invalid authentication credentials. Expected OAuth 2 access token."
    return ApiError("authError", message, location="Authorization")


def unsupported(feature: str) -> ApiError:
    """A thing that BigQuery has and this emulator has not. Never a 5xx that clients retry."""
    return ApiError("notImplemented", f"The emulator does not support {feature}.")
