"""Which hosts the service answers for."""

import re
from collections.abc import Sequence

# RFC 9110 section 7.2 and RFC 3986 section 3.2.2: a name of labels that are not empty, or an address in brackets.
_HOST = re.compile(rb"([a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])\.?(?::[0-9]*)?")


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
        found = _HOST.fullmatch(host.lower())
        return found is not None and (found[1] in self._exact or found[1].endswith(self._below))
