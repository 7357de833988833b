"""The client's address, read from forwarding headers through the proxies that are trusted (RFC 7239)."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# A pair of RFC 7239 section 4, or none, and what ends it: `;` goes on with the hop, `,` with the next one. In a quoted
# string, which may be a client's Host, neither ends anything. Addresses need no escapes: with one it is no address.
_PAIR = re.compile(
    r"""[ \t]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^",;= \t]+)))?[ \t]*([;,]|\Z)""", re.DOTALL
)
_PORT = re.compile(r":[0-9]{1,5}\Z")


def client_address(
    peer: str, x_forwarded_for: list[bytes], forwarded: list[bytes], is_trusted: Callable[[str], bool]
) -> str:
    """Give the right-most address that is not a trusted proxy's.

    A proxy sets one of the two headers and passes the other on as the client wrote it, so when both are there
    and disagree neither is believed.

    Args:
        peer: the trusted peer's address.
        x_forwarded_for: the values of `X-Forwarded-For` in the order they came.
        forwarded: the values of `Forwarded` in the order they came.
        is_trusted: whether an address is a trusted proxy's.
    """
    plain = [hop for value in x_forwarded_for for hop in value.decode("latin-1").split(",")]
    named = [hop for value in forwarded for hop in _named(value.decode("latin-1"))]
    answers = {_walk(peer, hops, is_trusted) for hops in (plain, named) if hops}
    return answers.pop() if len(answers) == 1 else peer


def _named(value: str) -> list[str]:
    """Give the `for` of each hop in a `Forwarded` field, empty where it has none; a field without its form has none."""
    hops, hop, position = [], "", 0
    while (pair := _PAIR.match(value, position)) is not None:
        name, quoted, token, end = pair.groups()
        if name is not None and name.lower() == "for":
            hop = token if quoted is None else quoted
        if end != ";":
            hops.append(hop)
            hop = ""
        if not end:
            return hops
        position = pair.end()
    return [""]


def _walk(peer: str, hops: list[str], is_trusted: Callable[[str], bool]) -> str:
    client = peer
    for hop in reversed(hops):
        if not is_trusted(client):
            break
        address = _address(hop.strip())
        if address is None:
            break
        client = address
    return client


def _address(hop: str) -> str | None:
    """Give the bare address of `1.2.3.4`, `1.2.3.4:80`, `2001:db8::1` or `[2001:db8::1]:80`; None of others."""
    if hop.startswith("["):
        hop = hop[1:].partition("]")[0]
    elif hop.count(":") == 1:
        hop = _PORT.sub("", hop)
    try:
        ip = ip_address(hop)
    except ValueError:
        return None
    return str(getattr(ip, "ipv4_mapped", None) or ip)
