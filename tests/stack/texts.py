"""The texts that go through Python and the collector: those that are known to be difficult, and fuzzed ones."""

from __future__ import annotations

from collections.abc import Iterator

from telemetry.pii import Scrubber
from telemetry.pii.scrubber import UNSCRUBBABLE
from tests.leaks.corpus import Corpus
from tests.leaks.keyed import keyed, model_call, texts
from tests.pii.fuzzing import strings

# Characters. Longer texts have rules of their own on either side.
BUDGET = 16_384
_PEOPLE, _PLANTED = 14, 560
_ODD = (
    "", " ", "\n", "\0", "\0bob@example.com\0", "\x01", "\x02", "\x7f", "\u2028", "\ufeff", "\ufffd", "\U0010ffff",
    "😀", "😀bob@example.com😀", "e\u0301bob@example.com", "[REDACTED:email]", "[REDACTED:email:h0123456789abcdef]",
    "[REDACTED:field][REDACTED:ip]", "[REDACTED:", "[REDACTED:]", "$1", "${1}", "$$", "$0", "\\1", "\\", '"', "'", "%",
    "%%", "%s", "{{.}}", "${env:HOME}", "bob@example.com$1", "password=$1${2}secret", "\\u0000", "null", "true", "0",
    "-1", "1e400", "[]", "{}", "[1]", '{"password": 1}',
    # A placeholder is a part of what hits then, or the end of it.
    'phone_number=8112 6541=":"]', 'bob@example.com="principal": null',
    "?X-Amz-Security-Token=;abcdefgh[quartzvexing", "?X-Amz-Credential=&abcdefgh[quartzvexing",
    "token=+?sk-proj-abcDEF123456ghiJKL789012mno='Ann'", "call me at 0612345678Private-Lines: 1\nAAAAgQCoAZ==",
    "bob@example.com " * 60, "x" * BUDGET, "a" * 9000 + " bob@example.com",
)  # fmt: skip


def known(scrubber: Scrubber, seed: int) -> list[str]:
    """Give the texts that are known to be difficult: of every rule, of the leak suite, and odd ones."""
    corpus = Corpus(seed)
    found = [text for rule in scrubber.compiled.data for text in (*rule.examples, *rule.innocent)]
    found += [planted.text for planted in corpus.planted(_PLANTED)]
    found += [planted.text for planted in corpus.bare(_PLANTED)]
    for person in corpus.people(_PEOPLE):
        found += texts(person)
        found += [value for value in (keyed(person) | model_call(person)).values() if isinstance(value, str)]
    return [text for text in dict.fromkeys((*_ODD, *found)) if comparable(scrubber, text)]


def fuzzed(scrubber: Scrubber, seed: int) -> Iterator[str]:
    """Give fuzzed texts without end, half of them examples that were glued together."""
    return (text for text in strings(scrubber, seed) if comparable(scrubber, text))


def comparable(scrubber: Scrubber, text: str) -> bool:
    """Tell whether both sides must give the same: of valid Unicode, within the budget, and not given up by Python."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return len(text) <= BUDGET and (text == UNSCRUBBABLE or scrubber.text(text) != UNSCRUBBABLE)
