"""The wire to an OTLP endpoint: what may travel on it, and what counts as an answer.

The exporters take every status below 400 for success, a redirect and the page of a captive portal included, and
do not look at what a receiver says it refused (OTLP 1.x, "OTLP/HTTP Response" and "Partial Success").
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import requests
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from requests.auth import HTTPBasicAuth
from requests.utils import get_auth_from_url

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

_PROTOBUF = "application/x-protobuf"
_LONGEST_ANSWER = 64 * 1024


class NotAcknowledged(Exception):
    """The endpoint answered something that is no acknowledgement by OTLP."""


class OtlpSession(requests.Session):
    """Sends to the endpoint alone, by way of no proxy, and believes only OTLP's own answers.

    Args:
        signal: `traces` or `logs`.

    Attributes:
        rejected: items that the endpoint refused of the batch it took last, by its own word.
        cause: why the last attempt failed: `HTTP` and a status, or the name of an exception's class; None: it did not.
    """

    def __init__(self, signal: str) -> None:
        super().__init__()
        self.auth = _credentials_of_url
        self.rejected = 0
        self.cause: str | None = None
        self._signal = signal

    def get_redirect_target(self, resp: Response) -> None:
        """Give None: telemetry goes where it was told to go, and nowhere else."""

    def merge_environment_settings(self, *args: Any, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401 - the base's
        """Give the environment's certificates, and none of its proxies: they are no peers of the settings."""
        return {**super().merge_environment_settings(*args, **kwargs), "proxies": {}}

    def send(self, request: PreparedRequest, **kwargs: Any) -> Response:  # noqa: ANN401 - the base's signature
        """Send a batch; an answer is read no further than an acknowledgement may be long.

        Raises:
            NotAcknowledged: neither an error by its status nor an acknowledgement.
        """
        self.rejected, self.cause = 0, None
        try:
            with super().send(request, **{**kwargs, "stream": True}) as response:
                if response.status_code < HTTPStatus.BAD_REQUEST:
                    self.rejected = self._rejected(response)
                else:
                    self.cause = f"HTTP {response.status_code}"
        except Exception as failure:
            self.cause = _root(failure)
            raise
        return response

    def _rejected(self, response: Response) -> int:
        answer = response.raw.read(_LONGEST_ANSWER + 1, decode_content=True)
        # Not every receiver names the type of nothing; and only by the specification is it 200 for all of them.
        kind = response.headers.get("content-type", "" if answer else _PROTOBUF)
        known = response.status_code < HTTPStatus.MULTIPLE_CHOICES and kind.partition(";")[0].strip() == _PROTOBUF
        if not known or len(answer) > _LONGEST_ANSWER:
            raise NotAcknowledged
        if self._signal == "traces":
            return int(ExportTraceServiceResponse.FromString(answer).partial_success.rejected_spans)
        return int(ExportLogsServiceResponse.FromString(answer).partial_success.rejected_log_records)


def _root(failure: BaseException) -> str:
    """Name what a failure began with: requests and urllib3 wrap a refused connection three times."""
    while (behind := failure.__cause__ or failure.__context__) is not None:
        failure = behind
    return type(failure).__name__


def _credentials_of_url(request: PreparedRequest) -> PreparedRequest:
    """Send the URL's own credentials; without a say of ours, requests would look into ~/.netrc."""
    user, password = get_auth_from_url(request.url or "")
    return HTTPBasicAuth(user, password)(request) if user or password else request
