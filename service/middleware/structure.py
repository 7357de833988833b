"""How much structure a JSON text has, counted as it arrives.

Parsing costs by the value, not by the byte: 10 MB of `[],[],…` hold the event loop for more than a second, 10 MB
of one text for milliseconds (measured).
"""

_PARTS = (b",", b"[", b"{")


class Structure:
    """Counts the quotes, commas and opening brackets that stand for themselves, not for text.

    Args:
        limit: how many there may be.
    """

    __slots__ = ("_carried", "_in_text", "_left")

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._in_text = False
        self._carried = b""

    def exceeded_by(self, chunk: bytes) -> bool:
        """Count one more chunk, and say whether there is too much by now."""
        # Without its escaped backslashes and quotes, every quote of a text begins or ends it (RFC 8259, section 7).
        text = (self._carried + chunk).replace(rb"\\", b"")
        self._carried = text[-1:] if text.endswith(b"\\") else b""
        text = text.removesuffix(b"\\").replace(b'\\"', b"")
        quotes = text.count(b'"')
        self._left -= quotes
        if self._left >= 0:
            outside = b"".join(text.split(b'"')[self._in_text :: 2])
            self._left -= sum(map(outside.count, _PARTS))
        self._in_text ^= quotes % 2 == 1
        return self._left < 0
