"""What an application tells the SDK by its own functions, and whose event it lands on."""

import asyncio

import sentry_sdk
from fastapi import FastAPI, Request, WebSocket

from telemetry.request import current_request
from telemetry.tracing import current_ids
from tests.patience import time_to_flush
from tests.sentry_endpoint import SentryEndpoint
from tests.telemetry.asgi import Served, serving, watch
from tests.telemetry.sentry.conftest import KEY, a_sentry, scrubber


def make_app() -> FastAPI:
    """An app that tells the SDK what a request is about, waits, and then fails or says something."""
    app = FastAPI()

    @app.get("/fails/{item}")
    async def fails(item: str) -> None:
        sentry_sdk.set_tag(f"tag-{item}", item)
        sentry_sdk.set_context("order", {"item": item})
        sentry_sdk.set_extra("item", item)
        sentry_sdk.set_user({"id": item})
        sentry_sdk.add_breadcrumb(message=f"crumb {item}")
        await asyncio.sleep(0.01)
        raise ValueError(item)

    @app.get("/says/{item}")
    def says(item: str) -> str:
        sentry_sdk.set_tag(f"tag-{item}", item)
        sentry_sdk.capture_message(f"said {item}")
        return item

    @app.websocket("/socket/{item}")
    async def socket(websocket: WebSocket, item: str) -> None:
        sentry_sdk.set_tag(f"tag-{item}", item)
        await websocket.accept()
        sentry_sdk.capture_message(item)
        await websocket.close()

    return app


def own_tags(event: dict) -> set[str]:
    """The names of the tags that requests have set."""
    return {name for name in event.get("tags", {}) if name.startswith("tag-")}


async def test_each_request_has_its_own_scope() -> None:
    """Tags, context, extra, user and breadcrumbs reach the event of their own request, and no other one's."""
    app = make_app()
    with SentryEndpoint() as endpoint, time_to_flush():
        watch(app, sentry_dsn=endpoint.dsn, sentry_traces_sample_rate=1.0)
        async with serving(app) as served:
            await asyncio.gather(*(served.get(f"/fails/item{n}") for n in range(5)))
            await served.get("/fails/last")
        sentry_sdk.capture_message("after")
    events = endpoint.payloads("event")
    assert len(events) == 6
    for event in events:
        (value,) = event["exception"]["values"]
        item = value["value"]
        assert own_tags(event) == {f"tag-{item}"}
        assert event["contexts"]["order"] == {"item": item}
        assert event["extra"] == {"item": item}
        assert [crumb["message"] for crumb in event["breadcrumbs"]["values"]] == [f"crumb {item}"]
        assert event["user"]["id"].startswith("[REDACTED:user")
    assert all(len(own_tags(transaction)) == 1 for transaction in endpoint.payloads("transaction"))


async def test_what_the_application_captures_is_linked() -> None:
    """A message that the application itself captures has the response's trace, from a thread too."""
    app = make_app()
    with SentryEndpoint() as endpoint, time_to_flush():
        watch(app, sentry_dsn=endpoint.dsn, sentry_traces_sample_rate=0.0)
        async with serving(app) as served:
            answer = await served.get("/says/hello")
    (event,) = endpoint.payloads("event")
    assert event["message"] == "said hello"
    assert own_tags(event) == {"tag-hello"}
    assert (event["contexts"]["trace"]["trace_id"], event["contexts"]["trace"]["span_id"]) == (
        answer.trace_id,
        answer.span_id,
    )


async def test_the_callers_principal_is_the_user() -> None:
    """Who the gateway knows is the user of the event, as the pseudonym that the policy gives."""
    app = FastAPI()

    @app.get("/fails")
    async def fails(request: Request) -> None:
        current_request(request.scope).principal = "ann"
        raise ValueError

    with SentryEndpoint() as endpoint, time_to_flush():
        watch(app, sentry_dsn=endpoint.dsn, pseudonym_key=KEY)
        async with serving(app) as served:
            await served.get("/fails")
    (event,) = endpoint.payloads("event")
    assert event["user"] == {"id": scrubber().pseudonym("user", "ann")}
    assert event["contexts"]["pii"] == {"redactions": ["user_id in user.user.id"]}


async def connect(served: Served, path: str) -> None:
    """Open a websocket and close it."""
    said = [{"type": "websocket.connect"}]

    async def receive() -> dict:
        return said.pop(0) if said else {"type": "websocket.disconnect", "code": 1000}

    async def send(_message: dict) -> None:
        """Listen to nothing."""

    scope = served.scope("GET", path, (), "127.0.0.1", "")
    await served.app(scope | {"type": "websocket", "scheme": "ws", "subprotocols": []}, receive, send)


async def test_each_websocket_has_its_own_scope() -> None:
    """Two connections of one server share no tag."""
    app = make_app()
    with SentryEndpoint() as endpoint, time_to_flush():
        watch(app, sentry_dsn=endpoint.dsn)
        async with serving(app) as served:
            for item in ("one", "two"):
                await connect(served, f"/socket/{item}")
    assert [own_tags(event) for event in endpoint.payloads("event")] == [{"tag-one"}, {"tag-two"}]


def test_the_sdk_is_given_back() -> None:
    """After the stop, the SDK's functions reach nobody, the client of before is back, and no hook is left."""
    before = sentry_sdk.get_global_scope().client
    with a_sentry(scrubber()) as running:
        assert sentry_sdk.get_global_scope().client is running.client
    assert sentry_sdk.get_global_scope().client is before
    assert not sentry_sdk.get_client().is_active()
    assert not sentry_sdk.scope.has_external_propagation_context()
    assert sentry_sdk.capture_message("to nobody") is None


def test_two_applications_keep_their_clients() -> None:
    """Of two applications in a process, each sends its own; the one that stops first leaves the other's in place."""
    with SentryEndpoint() as endpoint, time_to_flush():
        with a_sentry(scrubber(), service_version="first") as first:
            with a_sentry(scrubber(), service_version="second") as second:
                sentry_sdk.capture_message("of the second")
                first.sentry.capture(ValueError("of the first"))
                second.sent()
            assert sentry_sdk.get_global_scope().client is first.client
            sentry_sdk.capture_message("of the first again")
            first.sent()
        assert endpoint.bodies() == []
    assert [event["release"] for event in first.endpoint.payloads("event")] == ["first", "first"]
    assert [event["release"] for event in second.endpoint.payloads("event")] == ["second"]


def test_nothing_is_bound_without_a_dsn() -> None:
    """Without a DSN the SDK stays as it was: no client, no scope of one's own, nothing kept."""
    isolation = sentry_sdk.get_isolation_scope()
    with a_sentry(scrubber(), sentry_dsn=None) as running:
        assert running.client is None
        assert sentry_sdk.get_isolation_scope() is isolation
        assert not sentry_sdk.get_client().is_active()
        running.sentry.capture(ValueError("to nobody"))
        assert running.sent() == b""
    assert current_ids() is None
