"""Verification keys from a JWKS URL (RFC 7517), fetched in a thread and kept.

What is promised, whatever tokens arrive: an unknown key id causes at most one fetch in
`UNKNOWN_KEY_SECONDS` for the whole process; requests that come while it runs wait for that one. When a
fetch fails, the known keys serve on until they are `MAX_AGE_SECONDS` old. A key that is gone from the
document stops working when the document is next read, at most `REFRESH_SECONDS` after it was last read
while requests come in.
"""

import asyncio
import json
import time
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from jwt import PyJWK

from service.auth.errors import KeysUnavailable, TokenRefused
from service.auth.keys import KEY_TYPES, usable_keys
from service.limits.limiter import Clock
from telemetry import get_logger, names

REFRESH_SECONDS = 300.0
UNKNOWN_KEY_SECONDS = 30.0
RETRY_SECONDS = 5.0
MAX_AGE_SECONDS = 3600.0
FETCH_TIMEOUT_SECONDS = 3.0
MAX_DOCUMENT_BYTES = 512 * 1024

log = get_logger(__name__)


class _NoRedirect(HTTPRedirectHandler):
    """The configured URL is the trust anchor: nobody may point elsewhere."""

    def redirect_request(self, *_: object) -> None:
        return None


class JwksKeys:
    """Keys of one JWKS document.

    Args:
        url: http or https.
        algorithm: the pinned one; keys of any other are left out.
        clock: seconds, never backwards.

    Raises:
        ValueError: the URL or the algorithm is not fit for a key set.
    """

    def __init__(self, url: str, algorithm: str, *, clock: Clock = time.monotonic) -> None:
        if urlsplit(url).scheme not in {"http", "https"}:
            raise ValueError("a JWKS URL is http or https")
        if algorithm not in KEY_TYPES:
            raise ValueError("a JWKS needs an asymmetric algorithm")
        self._url = url
        self._algorithm = algorithm
        self._clock = clock
        self._keys: dict[str, PyJWK] = {}
        self._generation = 0
        self._read_at = self._tried_at = float("-inf")
        self._fetching: asyncio.Task[None] | None = None

    def generation(self) -> int:
        """A number that changes with the keys. Begins a refresh in the background when one is due."""
        now = self._clock()
        if self._keys and now - self._read_at >= MAX_AGE_SECONDS:
            self._replace({})
        if now - self._read_at >= REFRESH_SECONDS and self._may_fetch(now, UNKNOWN_KEY_SECONDS) and self._keys:
            self._fetch(now)
        return self._generation

    async def find(self, key_id: str | None) -> PyJWK:
        """Give the key `key_id`, reading the document again if it is unknown and that is allowed.

        Raises:
            TokenRefused: `unknown_key`: no such key, or the token names none.
            KeysUnavailable: there are no keys at all.
        """
        self.generation()
        if self._keys and (key_id is None or key_id in self._keys):
            return self._known(key_id)
        now = self._clock()
        # Without any key each request is in vain, so the next try comes sooner than for a key that may
        # be an invention of its sender.
        if self._may_fetch(now, UNKNOWN_KEY_SECONDS if self._keys else RETRY_SECONDS):
            self._fetch(now)
        if self._fetching is not None:
            # Shielded: a client that leaves must not cancel the fetch that others wait for.
            await asyncio.shield(self._fetching)
        if not self._keys:
            raise KeysUnavailable(RETRY_SECONDS)
        return self._known(key_id)

    def _known(self, key_id: str | None) -> PyJWK:
        key = self._keys.get(key_id) if key_id is not None else None
        if key is None:
            raise TokenRefused("unknown_key")
        return key

    def _may_fetch(self, now: float, pause: float) -> bool:
        return self._fetching is None and now - self._tried_at >= pause

    def _fetch(self, now: float) -> None:
        self._tried_at = now
        self._fetching = asyncio.create_task(self._refresh(now), name="jwks-refresh")

    async def _refresh(self, now: float) -> None:
        try:
            keys = usable_keys(await asyncio.to_thread(self._download), self._algorithm)
            if not keys:
                log.warning(names.JWKS_FETCH_FAILED, reason="no_usable_key")
                return
            self._read_at = now
            if _identity(keys) != _identity(self._keys):
                self._replace(keys)
        except (OSError, ValueError, RecursionError) as error:
            reason = "unreachable" if isinstance(error, URLError | OSError) else "not_json"
            log.warning(names.JWKS_FETCH_FAILED, reason=reason)
        finally:
            self._fetching = None

    def _replace(self, keys: dict[str, PyJWK]) -> None:
        self._keys = keys
        self._generation += 1

    def _download(self) -> object:
        # No proxies from the environment, and no redirects: only the configured host is asked.
        opener = build_opener(ProxyHandler({}), _NoRedirect())
        request = Request(self._url, headers={"Accept": "application/json"})  # noqa: S310 - scheme checked
        deadline = time.monotonic() + FETCH_TIMEOUT_SECONDS
        document = bytearray()
        with opener.open(request, timeout=FETCH_TIMEOUT_SECONDS) as response:
            while chunk := response.read1(64 * 1024):
                document += chunk
                if len(document) > MAX_DOCUMENT_BYTES:
                    raise ValueError("the JWKS document is too large")
                if time.monotonic() > deadline:
                    raise TimeoutError("the JWKS document came too slowly")
        parsed: object = json.loads(document)
        return parsed


def _identity(keys: dict[str, PyJWK]) -> dict[str, object]:
    return {key_id: key._jwk_data for key_id, key in keys.items()}  # noqa: SLF001 - PyJWK has no equality
