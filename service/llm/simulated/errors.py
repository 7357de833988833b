"""How the API says no: https://platform.claude.com/docs/en/api/errors."""

import orjson

_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}
MESSAGES = {
    400: "Your request is not valid.",
    401: "invalid x-api-key",
    403: "Your API key does not have permission to use the specified resource.",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Request exceeds the maximum size",
    429: "This request would exceed your organization's rate limit.",
    500: "Internal server error",
    529: "Overloaded",
}


class ApiError(Exception):
    """An answer that is an error.

    Args:
        status: of HTTP, one of `MESSAGES`.
        message: in English; None: the usual one of its status.
    """

    def __init__(self, status: int, message: str | None = None) -> None:
        super().__init__(message or MESSAGES[status])
        self.status = status
        self.message = message or MESSAGES[status]

    def body(self, request_id: str) -> bytes:
        """Give what is sent: JSON, also as the data of an `error` event."""
        error = {"type": _KINDS[self.status], "message": self.message}
        return orjson.dumps({"type": "error", "error": error, "request_id": request_id})
