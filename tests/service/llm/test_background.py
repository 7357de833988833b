"""What agents say in JSON passes the filter as it is going to be read."""

from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace

import pytest

from service.llm.background import Background
from service.llm.bill import Nobody
from service.llm.canary import Canaries
from service.llm.errors import Withheld
from service.llm.guarded import Guarded
from service.llm.personal import Personal
from telemetry.pii import load
from tests.service.llm.scripted import CALL, PROMPT, completion


class Open:
    """No limits."""

    @asynccontextmanager
    async def admitted(self, _policy, _key, *, reserve):
        """Admit."""
        assert reserve
        yield Nobody()


class Saying:
    """Answers a text."""

    def __init__(self, text):
        self._text = text

    async def complete(self, _call, _charge, shown):
        """Answer."""
        return shown(completion("a", self._text))


CANARIES = Canaries(b"k" * 32)


async def said(text):
    """What is left of a text that a model says to an agent."""
    guarded = Guarded(Saying(text), Open(), CANARIES, Personal(load().policy, lambda _: None), lambda *_: None)
    background = Background(guarded, "llm", "somebody", nullcontext)
    return (await background.complete(replace(CALL, prompt=CANARIES.marked(PROMPT)))).text


@pytest.mark.parametrize(
    ("value", "placeholder"),
    [
        (r"bob.smith\u0040corp-example.org", "[REDACTED:email]"),
        (r"bob.smith\uff20corp-example.org", "[REDACTED:email]"),
        (r"bob.smith\u0026#64;corp-example.org", "[REDACTED:email]"),
        (r"+49 30\u00ad 12345\u00ad678", "[REDACTED:phone]"),
        (r"\uff14111 \uff11111 \uff11111 \uff11111", "[REDACTED:credit_card]"),
        (r"DE\uff18\uff19370400440532013000", "[REDACTED:iban]"),
    ],
)
async def test_no_escape_hides_a_value(value, placeholder):
    """A value is one however JSON spells its characters."""
    assert await said(f'{{"title": "T", "summary": "at {value} now"}}') == (
        f'{{"title": "T", "summary": "at {placeholder} now"}}'
    )


@pytest.mark.parametrize("shift", [0, 0xFEE0])
async def test_no_escape_hides_a_canary(shift):
    """The canary ends it, also where each of its characters is escaped, full-width or not."""
    canary = CANARIES.of(CANARIES.marked(PROMPT))
    escaped = "".join(rf"\u{ord(char) + shift:04x}" for char in canary)
    with pytest.raises(Withheld):
        await said(f'{{"title": "{escaped}"}}')


async def test_what_is_innocent_stays():
    """Escaped letters, dashes and emoji come as themselves, and quotes stay escaped."""
    text = r'{"title": "Gr\u00fc\u00dfe \u2013 \"\ud83d\ude00\" \u2014 2015"}'
    assert await said(text) == '{"title": "Grüße \u2013 \\"😀\\" \u2014 2015"}'
