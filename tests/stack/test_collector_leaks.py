"""A service that scrubs nothing sends everything to the collector, and nothing of it leaves the collector."""

import os
import time

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.leaks.corpus import Corpus, examples
from tests.leaks.keyed import texts
from tests.leaks.search import Search
from tests.patience import PATIENCE
from tests.stack.collector import Collector
from tests.stack.fields import SIGNALS, put, unreachable
from tests.stack.matrix import Placed, everywhere, leaks, of_person
from tests.stack.values import pair, value

PLANTED, BARE, PEOPLE = 140, 56, 14
# Each text comes to every field, and there to a part of the types; with LEAKS_WHOLE in the environment to every one.
STEP = 1 if "LEAKS_WHOLE" in os.environ else 6
EMAIL = "jane.roe7@mail.example.org"
SPAN_NAME = ("resource_spans", "scope_spans", "spans", "name")
SPAN_VALUE = ("resource_spans", "scope_spans", "spans", "attributes", "value")


@pytest.fixture(scope="module")
def planted():
    """Every example of the policy, and each kind of the corpus bare and in each container."""
    corpus = Corpus(21)
    return [*examples(), *corpus.bare(BARE), *corpus.planted(PLANTED)]


@pytest.fixture(scope="module")
def people():
    """People who do not exist."""
    return Corpus(22).people(PEOPLE)


@pytest.mark.parametrize("signal", SIGNALS)
def test_what_has_a_form_leaves_nowhere(collector, planted, signal):
    """No marker of a known form comes out of any field, at any depth, in bytes or as a key, or is in what is said."""
    found = []
    for turn, sent in enumerate(planted):
        found += leaks(collector, signal, everywhere(signal, sent.text, turn, STEP), sent.markers)
    assert found == []
    assert Search(marker for sent in planted for marker in sent.markers).texts("said", [collector.said]) == []


@pytest.mark.parametrize("signal", SIGNALS)
def test_what_stands_under_a_key_leaves_nowhere(collector, people, signal):
    """No name, address or phrase under a key that tells it comes out: not as a field, in a tree or in a text."""
    found = []
    for turn, person in enumerate(people):
        found += leaks(collector, signal, of_person(signal, person), person.markers)
        told = texts(person)
        for text in told if STEP == 1 else (told[turn % len(told)],):
            found += leaks(collector, signal, everywhere(signal, text, turn, STEP), person.markers)
    assert found == []
    assert Search(marker for person in people for marker in person.markers).texts("said", [collector.said]) == []


@pytest.mark.parametrize("signal", SIGNALS)
def test_every_field_is_seen(bare_collector, signal):
    """Without rules the marker comes out of every field and every type that a text is put into."""
    placed = list(everywhere(signal, EMAIL))
    found = leaks(bare_collector, signal, placed, [EMAIL])
    assert [str(each) for each in placed if not any(told.startswith(f"{each}: ") for told in found)] == []


@pytest.mark.parametrize("signal", SIGNALS)
def test_what_cannot_be_reached_is_known(collector, signal):
    """Of a resource's references to entities the collector has no path to any text: whoever sends must scrub them."""
    placed = [Placed(path, "text", EMAIL) for path in unreachable(signal)]
    told = leaks(collector, signal, placed, [EMAIL])
    assert {each.path[-1] for each in placed} == {"schema_url", "type", "id_keys", "description_keys"}
    assert [each for each in placed if not any(found.startswith(f"{each}: ") for found in told)] == []


def test_metrics_that_are_made_of_spans_tell_nothing(tmp_path, planted):
    """What counts spans sees them scrubbed: no marker is in a label or a name of it."""
    markers = [marker for sent in planted for marker in sent.markers]
    with Collector(tmp_path / "run", spans_every="200ms") as running:
        request = ExportTraceServiceRequest()
        for sent in planted:
            put(request, SPAN_NAME, sent.text)
            put(request, SPAN_VALUE, value(sent.text), "http.request.method")
        put(request, SPAN_NAME, "the last one")
        for resource in request.resource_spans:
            # What has no name is not counted.
            resource.resource.attributes.append(pair("service.name", "jobs"))
        assert running.send("traces", request).status == 200
        deadline = time.monotonic() + PATIENCE
        while b"the last one" not in (told := running.raw("spans")):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        messages = running.exported("spans")
    assert b"calls" in told
    assert [found for each in messages for found in Search(markers).otlp("/v1/metrics", each.SerializeToString())] == []
