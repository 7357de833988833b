"""Row 22: PII in query strings, events, bodies, arrays, nested values.

opentelemetry-python-contrib#2992, opentelemetry-collector-contrib#36633, #37239.
"""

import pytest

from tests.leaks.foreign import foreign
from tests.leaks.places import PLACES, log
from tests.leaks.real import real
from tests.leaks.wire import listening

EMAIL, CARD, NAME, PROSE = (
    "bob.smith4711@example.com",
    "4111 1111 1111 1111",
    "Wilhelmina Oddfellow",
    "Ten years of welding",
)
MARKERS = (EMAIL, CARD, NAME, PROSE)


async def test_row_22_query_strings(tmp_path):
    """#2992: a query's values are in no span, whatever they are."""
    with listening() as wire:
        async with real(wire, tmp_path) as running:
            for url in ("/api/v1/jobs", "/boom", "/nowhere"):
                await running.client.get(url, params={"q": NAME, "to": EMAIL, NAME: CARD, "limit": 1})
        queries = [span.attributes["url.query"] for span in wire.otlp.server_spans]
        assert [query for query in queries if "q=[REDACTED:query]" in query and "limit=1" in query] == queries
        assert wire.found((EMAIL, CARD, "q=Wilhelmina", f"q={NAME}")) == []


async def test_row_22_bodies(tmp_path):
    """A body's fields are in no sink, whether it was stored, refused or the cause of an error."""
    profile = {"name": NAME, "email": EMAIL, "phone": CARD, "cv_content": PROSE}
    with listening() as wire:
        async with real(wire, tmp_path) as running:
            assert (await running.client.put("/api/v1/profiles/me", json=profile)).status_code == 201
            assert (await running.client.put("/api/v1/profiles/me", json=profile | {PROSE: 1})).status_code == 422
            assert (await running.client.post("/broken-rule", json={"note": NAME})).status_code == 500
        assert wire.found(MARKERS) == []


@pytest.mark.parametrize("place", ["span_event", "span_attribute", "span_link", "log_nested", "log_object", "log_key"])
async def test_row_22_events_arrays_nested_values(place):
    """#36633, #37239: span events, arrays, nested values and keys are scrubbed like any attribute."""
    with listening() as wire:
        async with foreign(wire, [f"{EMAIL} paid with {CARD}"]) as running:
            await running.client.get(f"/put/{place}")
        assert wire.found(MARKERS) == []
        assert sum(b"REDACTED:email" in body for _, _, body in wire.otlp.requests()) >= 1


async def test_row_22_nested_values_by_their_keys():
    """What has no form is found by its key at any depth, whatever the value's type."""
    with listening() as wire:
        async with foreign(wire, ()) as running:
            log.info("test.nested", body={"people": [{"first_name": [NAME], "cv_content": {"text": (PROSE,)}}]})
            with running.telemetry.span("test.span") as span:
                span.set_attribute("applicant.full_name", [NAME, "x"])
                span.add_event("test.event", {"cv_content": PROSE})
        assert wire.found(MARKERS) == []


def test_row_22_every_place_is_in_the_suite():
    """The leak suite puts its markers in these places too."""
    assert {"span_event", "span_attribute", "span_link", "log_nested", "log_key"} <= set(PLACES)
