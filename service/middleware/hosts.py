"""Which hosts the service answers for."""

from collections.abc import Sequence


class Hosts:
    """A list of host names; `*.example.com` stands for every name below it, `*` or nothing for any.

    Args:
        allowed: the names, without ports.
    """

    def __init__(self, allowed: Sequence[str]) -> None:
        names = {name.lower() for name in allowed}
        self._any = not names or "*" in names
        self._exact = frozenset(name.encode() for name in names if not name.startswith("*."))
        self._below = tuple(name[1:].encode() for name in names if name.startswith("*."))

    def serves(self, host: bytes | None) -> bool:
        """Say whether a `Host` header (RFC 9110 section 7.2), with or without port, is served."""
        if not host:
            return False
        if self._any:
            return True
        name = _without_port(host.lower()).removesuffix(b".")
        return name in self._exact or name.endswith(self._below)


def _without_port(host: bytes) -> bytes:
    if host.startswith(b"["):
        return host.partition(b"]")[0] + b"]"
    return host.partition(b":")[0]
