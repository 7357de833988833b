"""The SDK's client, with nothing of its environment, and answers that end."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import anthropic
import httpx2

from service.llm.attempt import AttemptFailed

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

MOST_BYTES = 4 * 1024 * 1024
"""Of one answer, whatever it is; the longest that is asked for takes a quarter of it, streamed."""
# More streams than this would be a load for another process.
_CONNECTIONS = 1000


class Client(anthropic.AsyncAnthropic):
    """A client that sends what it is told to, and nothing else.

    Args:
        base_url: of the provider.
        api_key: this or `auth_token` is needed.
        auth_token: sent as a bearer token, as the SDK does with keys too.
        connect_seconds: a connection may take so long; there is no other deadline.
    """

    def __init__(self, base_url: str, *, api_key: str | None, auth_token: str | None, connect_seconds: float) -> None:
        timeout = httpx2.Timeout(None, connect=connect_seconds)
        transport = httpx2.AsyncHTTPTransport(
            limits=httpx2.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS),
            verify=_authorities(),
            trust_env=False,
        )
        super().__init__(
            api_key=api_key,
            auth_token=auth_token,
            base_url=base_url,
            max_retries=0,
            timeout=timeout,
            open_telemetry={"traces": False, "propagation": False},
            # Its own would take proxies and credentials from the environment, and follow redirects with a CV.
            http_client=httpx2.AsyncClient(
                transport=_Bounded(transport),
                timeout=timeout,
                trust_env=False,
                follow_redirects=False,
                # A few kilobytes that are compressed may be gigabytes.
                headers={"Accept-Encoding": "identity"},
            ),
        )
        # Those of ANTHROPIC_CUSTOM_HEADERS, which may name another key, or tell strangers who we are.
        self._custom_headers = {}


class _Bounded(httpx2.AsyncBaseTransport):
    """Reads so much of an answer and no more: the SDK keeps all of a body, and all of an event.

    Args:
        transport: sends and reads.
    """

    def __init__(self, transport: httpx2.AsyncBaseTransport) -> None:
        self._transport = transport

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request."""
        response = await self._transport.handle_async_request(request)
        assert isinstance(response.stream, httpx2.AsyncByteStream)  # noqa: S101 - an asynchronous transport's
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            await response.stream.aclose()
            raise AttemptFailed("malformed")
        response.stream = _BoundedStream(response.stream)
        return response

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()


class _BoundedStream(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = MOST_BYTES
        async for chunk in self._stream:
            left -= len(chunk)
            if left < 0:
                raise AttemptFailed("endless")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


@cache
def _authorities() -> ssl.SSLContext:
    """Read the certificate authorities, once: it takes a tenth of a second."""
    return httpx2.create_ssl_context(trust_env=False)
