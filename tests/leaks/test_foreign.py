"""Code that is not ours puts markers wherever it can: none leaves, and the same without a policy shows each place."""

import pytest

from tests.leaks.arrivals import fields, header_value
from tests.leaks.corpus import Corpus, examples
from tests.leaks.foreign import ROUTES, foreign
from tests.leaks.keyed import say
from tests.leaks.places import PLACES
from tests.leaks.policies import scrub_nothing
from tests.leaks.wire import SINKS, Instrumented, listening


@pytest.fixture(scope="module")
def planted():
    """Every example of the policy, and the corpus in every container."""
    return [*examples(), *Corpus(21).planted(40)]


async def put_everywhere(running: Instrumented, texts: list[str]) -> None:
    """Let the application put its texts in every place, and send it each one."""
    for place in PLACES:
        answer = await running.client.get(f"/put/{place}")
        assert answer.status_code == 200, place
        await running.exported()
    for text in texts:
        headers = fields(text) if header_value(text) is not None else {}
        for route in ROUTES:
            await running.client.post(f"/{route}", params={"q": text}, content=text.encode(), headers=headers)
        await running.exported()
    await running.scrape()
    assert running.lost() == {}


@pytest.mark.parametrize(("log_format", "turn"), [("json", 0), ("console", 1)])
async def test_what_has_a_form_leaves_nowhere(planted, log_format, turn):
    """No marker of a known form is in any sink's bytes, wherever the application's own code put it."""
    planted = planted[turn::2]
    texts = [sent.text for sent in planted]
    with listening() as wire:
        async with foreign(wire, texts, log_format=log_format) as running:
            await put_everywhere(running, texts)
        assert all(running.redactions(sink) > len(texts) for sink in SINKS)
        told = sum("sentry" in place.sinks for place in PLACES.values())
        assert len(wire.sentry.payloads("event")) >= told * len(texts)
        assert wire.found(marker for sent in planted for marker in sent.markers) == []


@pytest.mark.parametrize("place", PLACES)
async def test_without_a_policy_each_place_is_seen(monkeypatch, place):
    """The suite would see it: without a policy the marker of a place is found in every sink that the place leads to."""
    scrub_nothing(monkeypatch)
    with listening() as wire:
        async with foreign(wire, ["bob@example.com"]) as running:
            await running.client.get(f"/put/{place}")
        assert PLACES[place].sinks <= wire.sinks_with("bob@example.com")


async def test_what_has_no_form_is_hidden_by_its_key():
    """No name, address, birth date or phrase of a letter leaves, where what it stands under says what it is."""
    people = Corpus(22).people(14)
    with listening() as wire:
        async with foreign(wire, ()) as running:
            for person in people:
                say(running.telemetry, person)
            await running.scrape()
            assert running.lost() == {}
        assert min(len(wire.lines), len(wire.otlp.spans), len(wire.sentry.bodies())) >= len(people)
        assert wire.found(marker for person in people for marker in person.markers) == []
