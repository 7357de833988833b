"""Values that never show themselves."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """Bytes that neither `repr`, `str` nor a log line gives away; `reveal()` is the only way to them."""

    _value: bytes

    def reveal(self) -> bytes:
        """Give the bytes themselves, to the one place that computes with them."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"
