"""One value of an unusual type must not stop a batch: whatever OTLP allows is answered 200, and nothing is lost."""

import pytest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from tests.leaks.search import OTLP, Search
from tests.stack import raw
from tests.stack.fields import SIGNALS, put, texts, values
from tests.stack.values import EVERY, around, pair, value

SENSITIVE = ("password", "user.id", "session.id", "client.address", "email", "gen_ai.prompt", "db.query.parameter.0")
ORDINARY = (
    "note",
    "",
    "http.response.status_code",
    "http.route",
    "url.path",
    "server.address",
    "service.name",
    "é\n\0",
)
ODD_TEXTS = ("", " ", "\0", "\n", "\ufffd", "😀", "[REDACTED:email]", "$1", "${0}", "%", "\\", '"')
LONG = "lorem ipsum " * 25_000
ODD_BYTES = (b"\xff", b"a\xff\xfeb", b"\xed\xa0\x80", b"\xc3", b"\xf8\x88\x80\x80\x80", b"\0\xff")
EMAIL, DEPTHS = "jane.roe7@mail.example.org", (40, 200, 1000)
NAMES = {
    "traces": ("resource_spans", "scope_spans", "spans", "name"),
    "logs": ("resource_logs", "scope_logs", "log_records", "event_name"),
    "metrics": ("resource_metrics", "scope_metrics", "metrics", "name"),
}
TEXTS = {"traces": ("name", "status"), "logs": ("severity",), "metrics": ("name", "unit")}
MAKERS = {"traces": raw.span, "logs": raw.log, "metrics": raw.metric}


def items(message):
    """Count the spans, records or metrics of a message."""
    return sum(
        len(getattr(scope, part))
        for resources in message.DESCRIPTOR.fields
        for resource in getattr(message, resources.name)
        for scopes in resource.DESCRIPTOR.fields_by_name
        if scopes.startswith("scope_")
        for scope in getattr(resource, scopes)
        for part in {"spans", "log_records", "metrics"} & set(scope.DESCRIPTOR.fields_by_name)
    )


def assert_taken(collector, signal, request):
    """A request is answered 200 and as many items come out of it as went in; gives what came out."""
    collector.exported(signal)
    answer = collector.send(signal, request)
    assert answer.status == 200, f"{answer}\n{request}"
    (message,) = collector.exported(signal)
    assert items(message) == items(request)
    return message


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("key", [*SENSITIVE, *ORDINARY])
def test_every_type_is_taken_under_every_key(collector, signal, key):
    """A value of each type, empty ones and nothing too, is taken in every field, under ordinary and sensitive keys."""
    for name, each in (EVERY | around(EMAIL)).items():
        request = OTLP[f"/v1/{signal}"]()
        for path in values(signal):
            put(request, path, each, key)
        message = assert_taken(collector, signal, request)
        assert Search([EMAIL]).otlp(f"/v1/{signal}", message.SerializeToString()) == [], name


@pytest.mark.parametrize("signal", SIGNALS)
def test_every_type_is_taken_among_all_others(collector, signal):
    """Values of all types together, each under keys of both sorts, are taken in the attributes of every field."""
    many = [KeyValue(key=f"{key}{number}", value=each) for key in ("note", "password") for number, each in EACH]
    for path in values(signal):
        if path[-1] == "body":
            continue
        request = OTLP[f"/v1/{signal}"]()
        put(request, path, value(1))
        holder = getattr(request, path[0])[0]
        for part in path[1:-2]:
            below = getattr(holder, part)
            holder = below[0] if holder.DESCRIPTOR.fields_by_name[part].is_repeated else below
        getattr(holder, path[-2]).extend(many)
        assert_taken(collector, signal, request)


EACH = list(enumerate(EVERY.values()))


@pytest.mark.parametrize("signal", SIGNALS)
def test_odd_texts_are_taken(collector, signal):
    """Empty texts, control characters and those that mean something to a template are taken everywhere."""
    for text in ODD_TEXTS:
        for path in texts(signal):
            request = OTLP[f"/v1/{signal}"]()
            put(request, path, text)
            assert_taken(collector, signal, request)


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_long_text_is_taken(collector, signal):
    """A text that is longer than Python would look at is taken as a name, and as a value under either sort of key."""
    request = OTLP[f"/v1/{signal}"]()
    put(request, NAMES[signal], LONG)
    for key in ("note", "password"):
        put(request, values(signal)[-1], value(LONG), key)
    assert_taken(collector, signal, request)


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("key", ["note", "password", "", "server.address"])
def test_a_key_that_comes_twice_is_taken(collector, signal, key):
    """Two values of any types under one key are taken."""
    for _, first in EACH:
        request = OTLP[f"/v1/{signal}"]()
        for path in values(signal):
            put(request, path, value([pair(key, "x"), KeyValue(key=key, value=first)]), key)
        assert_taken(collector, signal, request)


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("odd", ODD_BYTES)
def test_texts_that_are_no_unicode_are_taken(collector, signal, odd):
    """What is no UTF-8 is taken as a name, a value, a key and a text, and does not hide what stands beside it."""
    make = MAKERS[signal]
    address = odd + b" " + EMAIL.encode() + b" " + odd
    before = len(collector.raw(signal))
    requests = [
        make(attributes=raw.pair(b"note", raw.text(address))),
        make(attributes=raw.pair(b"password", raw.text(address))),
        make(attributes=raw.pair(address, raw.text(b"x"))),
        make(attributes=raw.pair(odd, raw.text(odd))),
        make(attributes=raw.pair(b"note", raw.deep(2, raw.text(address)))),
        *(make(**{name: address}) for name in TEXTS[signal]),
    ]
    if signal == "logs":
        requests += [raw.log(body=raw.text(address)), raw.log(body=raw.deep(3, raw.text(address)))]
    assert [collector.send(signal, request).status for request in requests] == [200] * len(requests)
    came = collector.raw(signal)[before:]
    collector.skip(signal)
    assert Search([EMAIL]).bytes(signal, came) == []


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("depth", DEPTHS)
def test_no_depth_hides_anything(collector, signal, depth):
    """However deep in arrays and maps something stands, the request is taken and it does not come out."""
    before = len(collector.raw(signal))
    tree = raw.deep(depth, raw.text(EMAIL.encode()))
    requests = [MAKERS[signal](attributes=raw.pair(key, tree)) for key in (b"note", b"password")]
    if signal == "logs":
        requests.append(raw.log(body=tree))
    assert [collector.send(signal, request).status for request in requests] == [200] * len(requests)
    came = collector.raw(signal)[before:]
    collector.skip(signal)
    assert Search([EMAIL]).bytes(signal, came) == []
