"""The opposite of a leak: what holds nothing to hide comes out of the collector as it went in."""

import pytest

from telemetry.pii import Item, Scrubber, read_policy
from tests.leaks.search import OTLP, fields
from tests.stack.fields import SIGNALS, put, texts, values
from tests.stack.ordinary import SEMANTIC, full, semantic, sorted_attributes
from tests.stack.values import value


def through(collector, signal, request):
    """Give what comes out for a request."""
    collector.exported(signal)
    answer = collector.send(signal, request)
    assert answer.status == 200, answer
    (message,) = collector.exported(signal)
    return message


def assert_same(before, after):
    """The two are equal but for the order of attributes, which says nothing."""
    assert sorted_attributes(before).SerializeToString(deterministic=True) == sorted_attributes(
        after
    ).SerializeToString(deterministic=True), f"{before}\n----\n{after}"


@pytest.mark.parametrize("signal", SIGNALS)
def test_ordinary_messages_come_out_as_they_are(collector, signal):
    """Every field of OTLP keeps its content: types, keys, values, ids, times, flags, links, and the order of items."""
    for request in full(signal):
        assert_same(request, through(collector, signal, request))


@pytest.mark.parametrize("signal", SIGNALS)
def test_what_services_say_comes_out_as_it_is(collector, signal):
    """Attributes of the semantic conventions keep their types and values, wherever attributes stand."""
    assert Item(Scrubber(read_policy())).mapping(SEMANTIC, "attributes") == SEMANTIC
    request = semantic(signal)
    assert_same(request, through(collector, signal, request))


@pytest.mark.parametrize("signal", SIGNALS)
def test_the_innocent_come_out_as_they_are(collector, signal):
    """What looks sensitive and is not stays as it is in every field, alone or among other values."""
    scrubber = Scrubber(read_policy())
    innocent = [text for rule in scrubber.compiled.data for text in rule.innocent if scrubber.leaves(text)]
    assert len(innocent) > 150
    for text in innocent:
        request = OTLP[f"/v1/{signal}"]()
        for path in texts(signal):
            if scrubber.compiled.key_rule(text) is None or path[-1] != "key":
                put(request, path, text)
        for path in values(signal):
            put(request, path, value(text))
        after = through(collector, signal, request)
        assert told(after) == told(request), text


def told(message):
    """Give everything that is told, in order, but for links: those of services that do not scrub are not told."""
    for resource in getattr(message, "resource_spans", ()):
        for scope in resource.scope_spans:
            for span in scope.spans:
                del span.links[:]
    return list(fields(message))
