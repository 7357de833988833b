"""Events without end, each full of what must not leave, through a sink: the short form in every run, the long by hand.

`python -m tests.leaks.events 100000` goes on for a few minutes and exits 1 with the first leaks.
"""

import json
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from telemetry.pii import Item, Scrubber, Sink, read_policy
from tests.leaks.corpus import Corpus, Planted, examples
from tests.leaks.keyed import keyed, model_call, nested, texts
from tests.leaks.search import Finding, Search

_PEOPLE = 56
_BATCH = 500
_SHOWN = 20


@dataclass
class Counts:
    """A tally that only counts."""

    redactions: int = 0
    failures: int = 0

    def redacted(self, _rule: str, _sink: str) -> None:
        """Count a redaction."""
        self.redactions += 1

    def failed(self, _sink: str) -> None:
        """Count a failure."""
        self.failures += 1


@dataclass(frozen=True, slots=True)
class Event:
    """An event, and what must be in no byte of it."""

    content: dict[Any, Any]
    markers: tuple[str, ...]


@dataclass
class Events:
    """Generates events from a seed."""

    seed: int
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._corpus = Corpus(self.seed)
        self._people = self._corpus.people(_PEOPLE)

    def take(self, count: int) -> Iterator[Event]:
        """Give so many events."""
        pick = self._random.choice
        own = examples()
        for planted in self._corpus.planted(count):
            person = pick(self._people)
            second = pick(own)
            content: dict[Any, Any] = {
                "event": "test.event",
                "level": "info",
                "request_id": f"req_{self._random.getrandbits(128):032x}",
                "trace_id": f"{self._random.getrandbits(128):032x}",
                "duration_ms": self._random.random() * 100,
            }
            content.update(pick((keyed, nested, model_call))(person))
            content["body"] = pick(texts(person))
            for each in (planted, second):
                self._put(content, each)
            yield Event(content, (*planted.markers, *second.markers, *person.markers))

    def _put(self, content: dict[Any, Any], planted: Planted) -> None:
        text = planted.text
        place = self._random.randrange(8)
        if place == 0:
            content["note"] = text
        elif place == 1:
            content.setdefault("data", {})["deep"] = [{"list": (1, None, text)}]
        elif place == 2:
            content[text] = 1
        elif place == 3:
            content["headers"] = [(b"x-info", text.encode()), ("x-n", "1")]
        elif place == 4:
            content["exception"] = [{"exc_value": text, "exc_notes": [text]}]
        elif place == 5:
            content["error"] = ValueError(text)
        elif place == 6:
            content["set"] = frozenset({text})
        else:
            content["event"] = f"saw {text}"


def scrub(item: Item, content: dict[Any, Any]) -> Any:
    """Scrub an event the way a sink does."""
    return item.mapping(content, "event")


def leaks(seed: int, count: int) -> tuple[list[Finding], Counts]:
    """Let events through a sink and look for what must not be in them."""
    counts = Counts()
    sink = Sink("logs", Scrubber(read_policy()), counts)
    found: list[Finding] = []
    events = Events(seed).take(count)
    for _ in range(0, count, _BATCH):
        written, markers = [], set()
        for event in islice(events, _BATCH):
            written.append(json.dumps(sink.scrub(scrub, event.content), default=repr, ensure_ascii=False))
            markers.update(event.markers)
        found += Search(markers).texts("event", written)
    return found, counts


def main() -> int:
    """Run the long form."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    found, counts = leaks(1, count)
    print(f"{count} events, {counts.redactions} redactions, {counts.failures} failures, {len(found)} leaks")  # noqa: T201
    for finding in found[:_SHOWN]:
        print(finding)  # noqa: T201
    return 1 if found or counts.failures else 0


if __name__ == "__main__":
    sys.exit(main())
