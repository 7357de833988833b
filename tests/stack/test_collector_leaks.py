"""A service that scrubs nothing sends everything to the collector, and nothing of it leaves the collector."""

import os
import time
from string import ascii_lowercase

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from telemetry.pii import Scrubber, read_policy
from tests.leaks.corpus import Corpus, examples
from tests.leaks.keyed import texts
from tests.leaks.search import Search
from tests.patience import PATIENCE
from tests.stack.collector import Collector
from tests.stack.fields import SIGNALS, put, unreachable
from tests.stack.matrix import Placed, everywhere, leaks, of_person
from tests.stack.values import opaque, pair, under, value

PLANTED, BARE, PEOPLE = 140, 56, 14
# Each text comes to every field, and there to a part of the types; with LEAKS_WHOLE in the environment to every one.
STEP = 1 if "LEAKS_WHOLE" in os.environ else 6
EMAIL = "jane.roe7@mail.example.org"
SECRET = "quartz-vexing-sphinx"
ODD_KEYS = (
    "my new password", "user\u2019s email", "user\u2019sEmail", "é_password", "x\\password", "x\npassword",
    "x\0password", 'x"password', "my user[password][0]", "<password", "db.query.parameter.a b",
)  # fmt: skip
SECRET_KEYS = (
    "hooks.slack.com/services/TAB/BCD/xyz", "rk_live_abcdefghij", "glpat-abcdefgh-ijklmnop", "xoxb-abcdefgh-ijkl",
    "discord.com/api/webhooks/abc/def-ghi", "eyJabcdefgh.abc",
)  # fmt: skip
INNOCENT_KEYS = ("x\\npassword", "file name", "my passwords x", "my user.id", "ünpassword")
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


def test_secrets_of_short_words_leave_in_no_key(collector):
    """A secret that looks like any other name is scrubbed as a key, among usual ones and among many of its kind."""
    scrubber = Scrubber(read_policy())
    many = [f"{SECRET_KEYS[0]}/{letter}" for letter in ascii_lowercase]
    for keys in (*((key, "http.route") for key in SECRET_KEYS), many):
        request = ExportTraceServiceRequest()
        for key in keys:
            put(request, SPAN_VALUE, value("x"), key)
        assert collector.send("traces", request).status == 200
        (message,) = collector.exported("traces")
        secrets = [key for key in keys if scrubber.text(key) != key]
        assert secrets != []
        assert Search(secrets).otlp("/v1/traces", message.SerializeToString()) == []


def attributes(message):
    """Give those of a message's one span."""
    return list(message.resource_spans[0].scope_spans[0].spans[0].attributes)


def test_keys_of_maps_are_known_by_their_last_words(collector):
    """In a map a sensitive key hides what is under it whatever its first words are; others leave the map as it is."""
    compiled = Scrubber(read_policy()).compiled
    assert [key for key in (*ODD_KEYS, *INNOCENT_KEYS) if compiled.key_rule(key) is not None] == list(ODD_KEYS)
    for key in (*ODD_KEYS, *INNOCENT_KEYS):
        for shape, each in under(key, SECRET).items():
            request = ExportTraceServiceRequest()
            put(request, SPAN_VALUE, each)
            assert collector.send("traces", request).status == 200
            (message,) = collector.exported("traces")
            found = Search([SECRET]).otlp("/v1/traces", message.SerializeToString())
            assert found == [] or key in INNOCENT_KEYS, (key, shape)
            if key in INNOCENT_KEYS and not opaque(each):
                assert attributes(message) == attributes(request), (key, shape)


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
