"""The client of one provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2

from service.llm.anthropic.client import Client
from service.llm.anthropic.failures import told
from service.llm.anthropic.messages import as_completion, as_request
from service.llm.anthropic.pieces import Pieces

if TYPE_CHECKING:
    from service.llm.model import Call, Completion

_HTTPS = 443


class AnthropicProvider:
    """A provider that speaks the Messages API.

    Args:
        name: by which it is known.
        base_url: where it is.
        model: its name of the model.
        api_key: this or `auth_token` is needed.
        auth_token: sent as a bearer token, as the SDK does with keys too.
        connect_seconds: a connection may take so long; all other deadlines are the router's.
        caching: whether the instructions end in a cache breakpoint.

    Attributes:
        name: by which it is known.
        model: its name of the model.
        address: host and port.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        model: str,
        *,
        api_key: str | None = None,
        auth_token: str | None = None,
        connect_seconds: float,
        caching: bool,
    ) -> None:
        url = httpx2.URL(base_url)
        self.name, self.model = name, model
        self.address = (url.host, url.port or _HTTPS)
        self._caching = caching
        self._client = Client(base_url, api_key=api_key, auth_token=auth_token, connect_seconds=connect_seconds)

    async def complete(self, call: Call) -> Completion:
        """Answer as a whole.

        Raises:
            AttemptFailed: there is no answer.
        """
        with told():
            message = await self._client.messages.create(**as_request(call, self.model, caching=self._caching))
            return as_completion(message, self.name, call.max_tokens)

    async def stream(self, call: Call) -> Pieces:
        """Begin to answer piece by piece.

        Raises:
            AttemptFailed: it did not begin.
        """
        with told():
            request = as_request(call, self.model, caching=self._caching)
            events = await self._client.messages.create(**request, stream=True)
            return Pieces(events, self.name, call.max_tokens)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()
