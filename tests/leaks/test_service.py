"""The real service: whatever a caller sends, wherever in a request, is in no byte that leaves."""

import os

import pytest

from tests.leaks.arrivals import formed, spoken, tokens
from tests.leaks.corpus import Corpus, examples
from tests.leaks.real import SECRET, real
from tests.leaks.wire import listening

PEOPLE = 14
# Each text comes to every other place, half of them in each format; with LEAKS_WHOLE in the environment to every one.
STEP = 2 if "LEAKS_WHOLE" in os.environ else 4


@pytest.fixture(scope="module")
def planted():
    """Every example of the policy, and each kind of the corpus bare."""
    return [*examples(), *Corpus(11).bare(28)]


@pytest.mark.parametrize(("log_format", "turn"), [("json", 0), ("console", 1)])
async def test_what_has_a_form_leaves_nowhere(tmp_path, planted, log_format, turn):
    """No marker of a known form is in any sink's bytes, wherever in a request it came; the formats share the places."""
    with listening() as wire:
        async with real(wire, tmp_path, LOG_FORMAT=log_format) as running:
            statuses = set()
            for number, sent in enumerate(planted):
                asks = [*formed(sent.text), *tokens(SECRET.encode(), sent.text)]
                for ask in asks[(number + turn * STEP // 2) % STEP :: STEP]:
                    statuses.add((await running.client.request(**ask)).status_code)
                await running.exported()
            await running.scrape()
            assert running.lost() == {}
        assert {200, 401, 404, 422, 500} <= statuses
        assert min(len(wire.lines), len(wire.otlp.spans), len(wire.otlp.records), len(wire.sentry.bodies())) > 1000
        assert wire.found(marker for sent in planted for marker in sent.markers) == []


async def test_what_has_no_form_leaves_nowhere(tmp_path):
    """No name, address, birth date or phrase of a letter that was sent in a body or a query is in any sink's bytes."""
    people = Corpus(12).people(PEOPLE)
    with listening() as wire:
        async with real(wire, tmp_path) as running:
            for person in people:
                for text in (person.full_name, person.address, person.date_of_birth, person.cv_content):
                    for ask in spoken(text):
                        await running.client.request(**ask)
                for ask in tokens(SECRET.encode(), person.full_name):
                    await running.client.request(**ask)
                await running.exported()
            await running.scrape()
            assert running.lost() == {}
        assert wire.found(marker for person in people for marker in person.markers) == []
