"""Planted markers, the real SDK and the bytes that it sent."""

import itertools

import pytest
import sentry_sdk
import sentry_sdk.logger

from telemetry.pii import Scrubber
from tests.telemetry.sentry import places
from tests.telemetry.sentry.conftest import NO_POLICY, Running, a_sentry, scrubber


class Marker:
    """Gives a marker of one form, each with a number of its own."""

    def __init__(self, form: str) -> None:
        self._form = form
        self._numbers = itertools.count(1)
        self.given: list[str] = []

    def __call__(self) -> str:
        number = f"{next(self._numbers)}x"
        self.given.append(f"p{number}planted")
        return self._form.format(number)


def plant_everywhere(running: Running, marker: Marker) -> None:
    """Fill every place, and send an event, a message, an event made by hand, a transaction, a metric and logs."""
    places.on_the_scope(marker)
    sentry_sdk.set_user(
        {"id": marker(), "username": marker(), "email": marker(), "segment": marker(), "data": {"note": marker()}}
    )
    running.sentry.capture(places.raised(marker))
    sentry_sdk.capture_message(marker())
    sentry_sdk.capture_event(places.an_event(marker))
    sentry_sdk.capture_event(places.a_transaction(marker))
    sentry_sdk.metrics.count(marker(), 1, unit=marker(), attributes={"note": marker(), marker(): 1, "list": [marker()]})
    sentry_sdk.logger.info("for {who}", who=marker(), attributes={"note": marker(), marker(): "key"})
    sentry_sdk.logger.error(marker())


@pytest.mark.parametrize("form", places.MARKERS)
def test_no_marker_is_sent(running: Running, form: str) -> None:
    """Whatever place an e-mail address, a card, an IBAN or a token is put into, no byte of it is sent."""
    plant_everywhere(running, Marker(places.MARKERS[form]))
    sent = running.sent().decode()
    kinds = {header["type"] for _, items in running.endpoint.envelopes() for header, _ in items}
    plain = sent.replace(" ", "").replace("-", "")
    assert [core for core in places.CORES if core in plain] == []
    assert "Ann Prose" not in sent
    assert "Ann+Prose" not in sent
    assert kinds == {"event", "transaction", "trace_metric", "log"}
    assert running.counts.failures == {}


def test_every_place_would_reach_the_wire() -> None:
    """With a policy without rules, each place but the ids shows up in what was sent: none is planted in vain."""
    marker = Marker(places.MARKERS["email"])
    with a_sentry(Scrubber(NO_POLICY)) as running:
        plant_everywhere(running, marker)
        sent = running.sent().decode()
    # The sampling context is for the envelope's headers, which are of exact forms under any policy.
    assert len([given for given in marker.given if given not in sent]) <= 2
    assert len(marker.given) >= 90


def test_prose_under_keys_is_not_sent(running: Running) -> None:
    """What has no form is hidden by the name it stands under: in user, extra, tags, contexts, breadcrumbs, spans."""
    sensitive = {"first_name": "Ann Prose", "coverLetter": "Ann Prose", "password": "Ann Prose"}
    sentry_sdk.set_user({"username": "Ann Prose", "email": "Ann Prose", "ip_address": "Ann Prose", **sensitive})
    sentry_sdk.set_tags(sensitive)
    sentry_sdk.set_extra("form", {"deep": [sensitive]})
    sentry_sdk.set_context("applicant", {"name": "Ann Prose", **sensitive})
    sentry_sdk.set_context("state", sensitive)
    sentry_sdk.add_breadcrumb(message="sent", data={"form": sensitive})
    sentry_sdk.capture_message("hello")
    sentry_sdk.metrics.count("sent", 1, attributes=sensitive)
    sentry_sdk.get_isolation_scope().clear()
    sentry_sdk.capture_event(
        {
            "type": "transaction",
            "contexts": {"trace": {"trace_id": "a" * 32, "span_id": "b" * 16, "data": sensitive}},
            "spans": [{"op": "x", "data": sensitive, "tags": sensitive}],
        }
    )
    sentry_sdk.capture_event({"message": "pairs", "tags": [["first_name", "Ann Prose"]]})
    sent = running.sent().decode()
    assert "Prose" not in sent
    event = running.endpoint.payloads("event")[0]
    assert event["tags"]["first_name"] == "[REDACTED:field]"
    assert event["extra"]["form"]["deep"][0]["coverLetter"] == "[REDACTED:field]"


@pytest.mark.parametrize("name", ["profile", "app", "device", "trace", "runtime", "os", "browser", "gpu", "flags"])
def test_contexts_called_like_sentrys_are_the_applications(running: Running, name: str) -> None:
    """Whatever a context is called, key rules apply in it."""
    sentry_sdk.set_context(name, {"first_name": "Ann Prose", "data": {"password": "Ann Prose"}, "plain": "told"})
    sentry_sdk.capture_message("hello")
    assert b"Prose" not in running.sent()
    (event,) = running.endpoint.payloads("event")
    assert event["contexts"][name]["plain"] == "told"


def test_what_a_hand_made_event_holds_besides(running: Running) -> None:
    """Parameters of a message, a mechanism's data and fields that Sentry does not know bring no prose."""
    sentry_sdk.capture_event(
        {
            "logentry": {"message": "for %s", "params": ["Ann Prose"], "who": "Ann Prose"},
            "exception": {
                "values": [
                    {
                        "type": "E",
                        "value": "told",
                        "mechanism": {"type": "generic", "handled": True, "data": {"q": "Ann Prose"}, "x": "Ann Prose"},
                    }
                ]
            },
            "breadcrumbs": {"values": [{"message": "crumb", "first_name": "Ann Prose"}]},
            "sdk": {"name": "own", "first_name": "Ann Prose"},
            "first_name": "Ann Prose",
            "form": {"password": "Ann Prose"},
            "invented": "told too",
        }
    )
    sentry_sdk.capture_event({"type": "transaction", "spans": [{"op": "x", "first_name": "Ann Prose"}]})
    assert b"Prose" not in running.sent()
    (event,) = running.endpoint.payloads("event")
    assert event["logentry"] == {"message": "for %s"}
    assert event["exception"]["values"][0]["mechanism"] == {"type": "generic", "handled": True}
    assert (event["sdk"], event["invented"]) == ({"name": "own"}, "told too")


def test_queries_have_no_values(running: Running) -> None:
    """The values of a query stay out wherever Sentry or OpenTelemetry keeps one, and so does a fragment."""
    url = "https://host/find?q=Ann+Prose&limit=20#Ann+Prose"
    told = "https://host/find?q=[REDACTED:query]&limit=20"
    data = {"url": url, "http.query": "q=Ann+Prose", "http.fragment": "Ann+Prose", "url.full": url, "http.url": url}
    sentry_sdk.add_breadcrumb(type="http", data=data)
    sentry_sdk.logger.info("sent", attributes=data)
    trace = {"trace_id": "a" * 32, "span_id": "b" * 16}
    sentry_sdk.capture_event({"message": "x", "request": {"headers": {"Referer": url, "referer": url}}})
    sentry_sdk.capture_event(
        {"type": "transaction", "contexts": {"trace": {**trace, "data": data}}, "spans": [{"op": "x", "data": data}]}
    )
    assert b"Prose" not in running.sent()
    (event,) = running.endpoint.payloads("event")
    (transaction,) = running.endpoint.payloads("transaction")
    assert event["request"]["headers"] == {"Referer": told, "referer": told}
    crumb = event["breadcrumbs"]["values"][-1]["data"]
    assert crumb == {
        "url": told,
        "http.query": "q=[REDACTED:query]",
        "http.fragment": "[REDACTED:query]",
        "url.full": told,
        "http.url": told,
    }
    assert transaction["spans"][0]["data"] == transaction["contexts"]["trace"]["data"] == crumb
    assert running.counts.redactions["query", "sentry"] > 0


def test_user_is_a_pseudonym(running: Running) -> None:
    """`user.id` and the address are pseudonyms, the same for the same user, and other ones for others."""
    ids = []
    for who in ("ann", "ann", "bob"):
        sentry_sdk.set_user({"id": who, "ip_address": "203.0.113.9"})
        sentry_sdk.capture_message("hello")
    running.sent()
    users = [event["user"] for event in running.endpoint.payloads("event")]
    ids = [user["id"] for user in users]
    assert ids[0] == ids[1] != ids[2]
    assert ids[0] == scrubber().pseudonym("user", "ann")
    assert users[0]["ip_address"] == scrubber().pseudonym("ip", "203.0.113.9")


def test_event_tells_what_was_hidden(running: Running) -> None:
    """A redacted event says which rules hit and where, at most fifty of them, and never what; a clean one nothing."""
    sentry_sdk.capture_message("clean")
    sentry_sdk.set_extra("note", "ann@example.com")
    sentry_sdk.set_tag("password", "x")
    running.sentry.capture(ValueError("4111 1111 1111 1111"))
    sentry_sdk.get_isolation_scope().clear()
    sentry_sdk.capture_event({"message": "many", "extra": {f"n{n}": {"to": f"a{n}@example.com"} for n in range(80)}})
    running.sent()
    clean, redacted, many = running.endpoint.payloads("event")
    assert "pii" not in clean["contexts"]
    assert sorted(redacted["contexts"]["pii"]["redactions"]) == [
        "credit_card in exception.values.0.value",
        "email in extra.note",
        "secret_field in tags.password",
    ]
    assert 1 <= len(many["contexts"]["pii"]["redactions"]) <= 50
    assert running.counts.redactions["email", "sentry"] >= 2


def test_ids_are_never_damaged(running: Running) -> None:
    """Ids of their exact form are copied, also where one looks like a bank account; others are scrubbed."""
    like_an_iban = "de89370400440532013000" + "0" * 10
    trace = {"trace_id": like_an_iban, "span_id": "4111111111111111", "parent_span_id": "a" * 16}
    sentry_sdk.capture_event({"message": "x", "event_id": like_an_iban, "contexts": {"trace": trace}})
    sentry_sdk.capture_event({"message": "y", "contexts": {"trace": {**trace, "span_id": "4111-1111-1111-1111"}}})
    running.sent()
    first, second = running.endpoint.payloads("event")
    assert (first["event_id"], first["contexts"]["trace"]) == (like_an_iban, trace)
    assert second["contexts"]["trace"]["span_id"] == "[REDACTED:credit_card]"
    assert running.endpoint.envelopes()[0][0]["event_id"] == like_an_iban


def test_hostile_values_end_quietly(running: Running) -> None:
    """Cycles, 10 MB texts, 200,000 keys, bytes that are not UTF-8 and objects whose repr raises: an event comes."""
    cycle: dict = {"to": "ann@example.com"}
    cycle["again"] = cycle
    hostile = {
        "cycle": cycle,
        "long": "ann@example.com " * 650_000,
        "keys": {f"k{n}": n for n in range(200_000)},
        "bytes": b"\xff\xfe ann@example.com",
        "explodes": places.Explodes(),
        "surrogate": "\ud800 ann@example.com",
    }
    for name, value in hostile.items():
        sentry_sdk.set_extra(name, value)
        sentry_sdk.set_context(name, {"value": value})
        sentry_sdk.add_breadcrumb(message=name, data={"value": value})
    running.sentry.capture(ValueError("ann@example.com " * 650_000))
    sent = running.sent()
    assert b"ann@" not in sent
    assert len(running.endpoint.payloads("event")) == 1
    assert running.endpoint.payloads("event")[0]["exception"]["values"][0]["value"] == "[REDACTED:unscrubbable]"
