"""A short form of `make parity`: what leaves by way of the collector is scrubbed as Python scrubs it, byte for byte."""

from itertools import islice

import pytest

from telemetry.pii import Scrubber, read_policy
from tests.stack.comparing_values import compare_fields, compare_values
from tests.stack.differences import Report
from tests.stack.exchange import Exchange
from tests.stack.parity import compare_everywhere
from tests.stack.texts import fuzzed, known

STRINGS, SEED = 20_000, 11


@pytest.fixture
def report():
    """A report of nothing yet, by the project's policy without pseudonyms."""
    return Report(Scrubber(read_policy()))


def test_known_texts_are_scrubbed_alike(collector, report):
    """The examples of every rule, the leak suite's texts and odd ones are the same on both sides, in every place."""
    compare_everywhere(collector, report, known(report.scrubber, SEED), places=1)
    assert report.compared > 10_000
    assert report.differences == 0, str(report)


def test_fuzzed_texts_are_scrubbed_alike(collector, report):
    """Texts that nobody wrote, half of them examples glued together, are the same on both sides, in every place."""
    compare_everywhere(collector, report, islice(fuzzed(report.scrubber, SEED), STRINGS), places=1)
    assert report.compared > 8 * STRINGS
    assert report.differences == 0, str(report)


def test_key_rules_hide_values_of_every_type_alike(collector, report):
    """Under a key that a rule hits, a value of any type becomes the same placeholder on both sides, and so do two."""
    compare_fields(Exchange(collector), report)
    assert report.compared > 10_000
    assert report.differences == 0, str(report)


def test_arrays_maps_and_bytes_tell_nothing(collector, report):
    """Neither side tells what stands in an array, a map or bytes, and both leave those alone that hold nothing."""
    compare_values(Exchange(collector), report)
    assert report.compared > 5_000
    assert report.differences == 0, str(report)


def test_a_difference_is_found(bare_collector, report):
    """A collector without rules differs in every place, and the report says where, of what and by which rules."""
    compare_everywhere(bare_collector, report, ["to bob@example.com"])
    compare_fields(Exchange(bare_collector), report)
    compare_values(Exchange(bare_collector), report)
    assert {"span.name", "log.body", "metric.unit", "resource.attributes as_key"} <= set(report.by_place)
    assert report.by_place["span.name"] == report.by_place["log.attributes as_value note"] == 1
    assert report.by_rules["email",] > 20
    assert "rules: email" in str(report)
