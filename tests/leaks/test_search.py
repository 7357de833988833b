"""The searcher is proved first: every way of writing a marker down is found, and nothing is found in what is clean."""

import base64
import gzip
import json
import zlib
from urllib.parse import quote, quote_plus

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.leaks.search import Search

EMAIL, NAME, CARD, PHONE, SHORT = (
    "bob.müller@example.com",
    "Zoë O'Neil 😀",
    "4111 1111 1111 1111",
    "+49 30 1234567",
    "555-2671",
)
MARKERS = (EMAIL, NAME, CARD, PHONE, SHORT)


def _spelled_json(text: str) -> bytes:
    return json.dumps({"a": [text]}).encode()


def _escaped_twice(text: str) -> bytes:
    return json.dumps(json.dumps([text])).encode()


ENCODINGS = {
    "plain": lambda text: f"x={text};".encode(),
    "capitals": lambda text: text.upper().encode(),
    "percent": lambda text: quote(text, safe="").encode(),
    "percent twice": lambda text: quote(quote(text, safe=""), safe="").encode(),
    "plus": lambda text: quote_plus(text).encode(),
    "plus, nothing else": lambda text: text.replace(" ", "+").encode(),
    "json": _spelled_json,
    "json twice": _escaped_twice,
    "repr of text": lambda text: repr([text]).encode(),
    "repr of bytes": lambda text: repr([text.encode()]).encode(),
    "ascii": lambda text: ascii(text).encode(),
    "base64": lambda text: b'{"a":"' + base64.b64encode(b"sub=" + text.encode()) + b'"}',
    "base64 in a path": lambda text: b"/v1/objects/" + base64.urlsafe_b64encode(text.encode()) + b"/x",
    "base64url, no padding": lambda text: b"." + base64.urlsafe_b64encode(b">>>" + text.encode()).rstrip(b"=") + b".",
    "base64 of json": lambda text: base64.b64encode(_spelled_json(text)),
    "percent of base64": lambda text: quote(base64.b64encode(text.encode()), safe="").encode(),
    "gzip": lambda text: gzip.compress(f"x {text}".encode()),
    "zlib": lambda text: zlib.compress(f"x {text}".encode()),
    "base64 of gzip": lambda text: base64.b64encode(gzip.compress(text.encode())),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("marker", [EMAIL, NAME, CARD, PHONE])
def test_every_encoding_is_seen_through(encoding, marker):
    """A marker is found in each encoding, among other things, and no other marker is."""
    wire = b'{"event":"a","n":1} ' + ENCODINGS[encoding](marker) if "z" not in encoding else ENCODINGS[encoding](marker)
    assert {finding.marker for finding in Search(MARKERS).bytes("here", wire)} & {marker.lower(), _squeezed(marker)}
    assert Search(set(MARKERS) - {marker}).bytes("here", wire) == []


def _squeezed(marker: str) -> str:
    return "".join(letter for letter in marker.lower() if letter not in " .-_()/+")


@pytest.mark.parametrize(
    "spelling", ["4111111111111111", "4111-1111-1111-1111", "4111.1111/1111 1111", "a4111111111111111b"]
)
def test_separators_do_not_hide(spelling):
    """A number is found with other separators or none."""
    assert Search([CARD]).bytes("here", f"id {spelling}".encode())


@pytest.mark.parametrize("spelling", ["+49 (30) 123-4567", "4930 123 45 67", "49301234567"])
def test_a_shorter_number_is_found_as_a_number(spelling):
    """A number that is short enough to occur by chance is found where it stands alone."""
    assert Search([PHONE]).bytes("here", f"tel {spelling};".encode())


def test_clocks_are_no_numbers():
    """Seconds since the epoch are not taken for somebody's number."""
    assert Search(["1732269000123"[1:10]]).bytes("here", b'"t":1732269000.123') == []


def _otlp_logs(**value: object) -> bytes:
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add()
    pair = record.attributes.add()
    pair.key = "a"
    for name, content in value.items():
        setattr(pair.value, name, content)
    return request.SerializeToString()


@pytest.mark.parametrize(
    ("value", "marker"),
    [
        ({"string_value": f"mail {EMAIL}"}, EMAIL),
        ({"int_value": 4111111111111111}, CARD),
        ({"double_value": 4111111111111111.0}, CARD),
        ({"bytes_value": base64.b64encode(EMAIL.encode())}, EMAIL),
    ],
)
def test_every_kind_of_otlp_value_is_read(value, marker):
    """Strings, numbers and bytes of a protobuf message are read, gzipped or not."""
    body = _otlp_logs(**value)
    assert Search([marker]).otlp("/v1/logs", body)
    assert Search([marker]).otlp("/v1/logs", gzip.compress(body))


@pytest.mark.parametrize(
    "place", ["name", "trace_state", "key", "event", "link", "status", "scope", "resource", "schema"]
)
def test_every_place_of_a_span_is_read(place):
    """There is no part of an OTLP span in which a marker is overlooked."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    scope = resource.scope_spans.add()
    span = scope.spans.add()
    if place == "name":
        span.name = EMAIL
    elif place == "trace_state":
        span.trace_state = f"a={EMAIL}"
    elif place == "key":
        span.attributes.add().key = EMAIL
    elif place == "event":
        span.events.add().attributes.add().value.string_value = EMAIL
    elif place == "link":
        span.links.add().attributes.add().value.array_value.values.add().string_value = EMAIL
    elif place == "status":
        span.status.message = EMAIL
    elif place == "scope":
        scope.scope.version = EMAIL
    elif place == "resource":
        resource.resource.attributes.add().value.kvlist_value.values.add().key = EMAIL
    else:
        scope.schema_url = EMAIL
    assert Search([EMAIL]).otlp("/v1/traces", request.SerializeToString())


def test_nothing_is_found_in_clean_bytes():
    """Ids, clocks, versions and placeholders are not taken for markers."""
    clean = (
        b'{"t":"2026-11-22T20:55:55.123456Z","id":"4bf92f3577b34da6a3ce929d0e0e4736","v":"[REDACTED:email]","ms":1.25}'
    )
    assert Search(MARKERS).bytes("here", clean * 50) == []


def test_what_random_bytes_hold_by_chance_is_not_looked_for():
    """A marker whose decoding is shorter than chance allows is looked for as it was planted alone."""
    search = Search(["a%2Fb"])
    assert search.bytes("here", b"x=a%2Fb") != []
    assert search.bytes("here", b"\x3c\xf3\x18a/b\x17\x13") == []
