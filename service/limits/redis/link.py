"""The one connection to Redis; what goes over it is calls of scripts, one after the other (RESP 2)."""

import asyncio
from collections.abc import Sequence
from typing import Any

from redis.asyncio.connection import AbstractConnection, Connection, parse_url
from redis.exceptions import NoScriptError, RedisError

from service.limits.redis.reasons import Gone, Reason, reason_of
from service.limits.redis.script import Script

_EVALSHA, _EVAL = b"$7\r\nEVALSHA\r\n", b"$4\r\nEVAL\r\n"


def framed(value: bytes) -> bytes:
    """A value as it is sent: a bulk string."""
    return b"$%d\r\n%b\r\n" % (len(value), value)


class Link:
    """A connection that is made, used, and thrown away at the first fault.

    Args:
        url: `redis://`, `rediss://` or `unix://`, as the settings have checked it.
    """

    def __init__(self, url: str) -> None:
        given: dict[str, Any] = dict(parse_url(url))
        self._kind: type[AbstractConnection] = given.pop("connection_class", Connection)
        # The driver's own timeouts and retries are off: whoever waits has a deadline.
        self._options = given | {
            "socket_timeout": None, "socket_connect_timeout": None, "driver_info": None, "protocol": 2,
        }  # fmt: skip
        self._connection: AbstractConnection | None = None
        self._turn = asyncio.Lock()

    @property
    def connected(self) -> bool:
        """Whether there is a connection."""
        return self._connection is not None and bool(self._connection.is_connected)

    async def connect(self) -> None:
        """Make a connection in the place of the one that there was.

        Raises:
            Gone: there is none.
        """
        async with self._turn:
            await self._drop()
            self._connection = self._kind(**self._options)
            try:
                await self._connection.connect()  # type: ignore[no-untyped-call]
            except (RedisError, OSError) as error:
                await self._drop()
                raise Gone(reason_of(error)) from None  # the driver's text names the user

    async def call(self, script: Script, keys: Sequence[bytes], arguments: Sequence[bytes]) -> Any:  # noqa: ANN401 - the script's
        """Run a script; one that the server does not know yet is sent whole.

        Cancelled, it closes the connection: the answer that nobody took would be taken for the next one's.

        Args:
            script: it.
            keys: framed.
            arguments: framed.

        Raises:
            Gone: no answer; the connection is closed.
        """
        tail = b"%b%b%b" % (framed(b"%d" % len(keys)), b"".join(keys), b"".join(arguments))
        size = b"*%d\r\n" % (3 + len(keys) + len(arguments))
        async with self._turn:
            try:
                try:
                    return await self._ask(b"%b%b%b%b" % (size, _EVALSHA, framed(script.digest), tail))
                except NoScriptError:
                    return await self._ask(b"%b%b%b%b" % (size, _EVAL, framed(script.source), tail))
            except (RedisError, OSError) as error:
                await self._drop()
                raise Gone(reason_of(error)) from None  # the driver's text holds what was sent

    async def close(self) -> None:
        """Close the connection."""
        async with self._turn:
            await self._drop()

    async def _ask(self, command: bytes) -> Any:  # noqa: ANN401 - the script's
        if self._connection is None or not self._connection.is_connected:
            raise Gone(Reason.UNREACHABLE)
        await self._connection.send_packed_command([command])
        return await self._connection.read_response(disable_decoding=True)

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)
