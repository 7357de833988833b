"""Scrubs a stream of lines: a clean one goes through byte by byte, one that cannot be read does not go through."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, BinaryIO

from telemetry.pii.commands.lines import lines_of, with_keys_whole
from telemetry.pii.item import Item
from telemetry.pii.scrubber import UNSCRUBBABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from telemetry.pii.scrubber import Scrubber

_UNREADABLE = "could not be scrubbed, in full or in part"
_NOT_JSON = "is not JSON and was scrubbed as text"


def scrub(
    scrubber: Scrubber, source: BinaryIO, sink: BinaryIO, say: Callable[[str], None], *, lines_are_text: bool
) -> int:
    r"""Scrub every line and write it at once; give 1 when one was not what it should be, else 0.

    Args:
        scrubber: the policy.
        source: lines in UTF-8; bytes that are not become `\xNN`. A line with a NUL, or over 8 MiB, is not readable and
            becomes `[REDACTED:unscrubbable]`.
        sink: where they go.
        say: told at the first line of each sort that is not what it should be.
        lines_are_text: they are not JSON.
    """
    said: set[str] = set()
    for number, line in with_keys_whole(lines_of(source), among_json=not lines_are_text):
        body = line.rstrip(b"\r\n")
        scrubbed, complaints = _text(scrubber, body) if lines_are_text else _json(scrubber, body)
        for complaint in complaints - said:
            say(f"line {number} {complaint}; said once")
        said |= complaints
        sink.write(scrubbed + line[len(body) :])
        sink.flush()
    return 1 if said else 0


def _text(scrubber: Scrubber, body: bytes) -> tuple[bytes, set[str]]:
    if b"\0" in body:
        # In UTF-16 every second byte may be one, and no rule would find anything.
        return UNSCRUBBABLE.encode(), {_UNREADABLE}
    text = body.decode("utf-8", "backslashreplace")
    scrubbed = scrubber.text(text)
    return scrubbed.encode(), {_UNREADABLE} if scrubbed == UNSCRUBBABLE != text else set()


def _json(scrubber: Scrubber, body: bytes) -> tuple[bytes, set[str]]:
    repeated: list[str] = []

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        unique = dict(pairs)
        repeated.extend(() if len(unique) == len(pairs) else unique)
        return unique

    if not body.strip():
        return body, set()
    try:
        value = json.loads(body.decode(), object_pairs_hook=members)
    except (ValueError, RecursionError):
        scrubbed, complaints = _text(scrubber, body)
        return scrubbed, complaints or {_NOT_JSON}
    item = Item(scrubber)
    left = item.value(value, "")
    complaints = {_UNREADABLE for rule, _ in item.found if rule == "unscrubbable"}
    if left is value and not repeated:
        return body, complaints
    # Of members with one name every reader takes the last, and only that one was looked at.
    return json.dumps(left, ensure_ascii=False).encode("utf-8", "backslashreplace"), complaints
