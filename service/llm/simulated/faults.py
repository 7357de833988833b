"""The ways to fail, by words: in the header `x-simulated-fault`, on the command line, or by `PUT /faults`.

A word is `NAME`, `NAME:ARGUMENT` where it takes one, and then perhaps `:SHARE`, the share of requests that it befalls,
0 to 1. Several are separated by commas: `slow:50,drop_after:3`.
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

STATUSES = ("400", "401", "403", "413", "429", "500", "529")
# What befalls the whole answer, with what it is for.
PLAIN = {
    **dict.fromkeys(STATUSES, "answered with that status"),
    "stall": "accepted, and never answered",
    "drop": "the connection is closed before the head",
    "malformed": "what should be JSON is none",
    "endless": "the answer never stops",
    "utf8": "invalid UTF-8 in the answer",
    "error_200": "a 200 that is an error",
    "empty": "a 200 without a body",
    "html": "a 200 that is a web page",
    "truncated": "the answer ends in its middle, and the connection does not break",
    "refusal": "the model declines",
    "echo_system": "the answer repeats the system prompt",
    "tool_garbage": "tool arguments outside the schema",
}
# What takes an argument: a number of pieces of text, milliseconds, or text in base64url.
COUNTED = {
    "stall_after": "so many pieces of text, then silence",
    "drop_after": "so many pieces of text, then the connection is cut",
    "error_after": "so many pieces of text, then an `overloaded_error` event",
}
TIMED = {"slow": "milliseconds between pieces", "first": "milliseconds to the first"}
LEAK = "leak"
_NUMBER = re.compile(r"[0-9]{1,9}")
_SHARE = re.compile(r"0|1|[01]?\.[0-9]{1,9}|1\.0+")


class UnknownFault(ValueError):
    """There is no such fault, or its argument is none."""

    def __init__(self) -> None:
        super().__init__("expected a fault such as stall, 529:0.5 or slow:50")


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail.

    Attributes:
        name: a key of `PLAIN`, `COUNTED` or `TIMED`, or `LEAK`.
        number: its argument, where it is one.
        text: its argument, where it is text.
        share: of requests that it befalls, 0 to 1.
    """

    name: str
    number: int = 0
    text: str = ""
    share: float = 1.0


def parse(words: str) -> tuple[Fault, ...]:
    """Read faults separated by commas; "" is none.

    Raises:
        UnknownFault: there is no such fault, or its argument is none.
    """
    return tuple(_parse(word.strip()) for word in words.split(",")) if words.strip() else ()


def befall(faults: tuple[Fault, ...], seed: int, count: int) -> dict[str, Fault]:
    """Give those that befall the request of that number, by name: the same ones for the same seed."""
    return {fault.name: fault for fault in faults if _chance(seed, count, fault.name) < fault.share}


def _chance(seed: int, count: int, name: str) -> float:
    digest = blake2b(f"{seed}\0{count}\0{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def _parse(word: str) -> Fault:
    parts = iter(word.split(":"))
    name = next(parts)
    if name in PLAIN:
        fault = Fault(name, share=_share(parts))
    elif name in COUNTED or name in TIMED:
        number = next(parts, "")
        if not _NUMBER.fullmatch(number):
            raise UnknownFault
        fault = Fault(name, number=int(number), share=_share(parts))
    elif name == LEAK:
        try:
            encoded = next(parts, "")
            text = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True).decode()
        except ValueError as error:
            raise UnknownFault from error
        fault = Fault(name, text=text, share=_share(parts))
    else:
        raise UnknownFault
    if next(parts, None) is not None:
        raise UnknownFault
    return fault


def _share(parts: Iterator[str]) -> float:
    share = next(parts, "1")
    if not _SHARE.fullmatch(share) or float(share) > 1:
        raise UnknownFault
    return float(share)
