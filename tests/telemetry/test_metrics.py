"""The metrics and who may read them."""

import asyncio
import itertools
import platform
import re
from ipaddress import ip_network

import pytest
from fastapi import FastAPI
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from starlette.responses import StreamingResponse

from telemetry import TelemetrySettings, names
from telemetry.metrics import Metrics
from tests.patience import until
from tests.telemetry.asgi import serving, watch

OPENMETRICS = b"application/openmetrics-text; version=1.0.0"
PROXY = (ip_network("10.9.0.0/16"),)


def make_app() -> FastAPI:
    """An app with a few routes."""
    app = FastAPI(openapi_url=None)

    @app.get("/hello", responses={404: {}})
    async def hello() -> str:
        return "x"

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def parts():
            yield b"a"
            await asyncio.sleep(0.1)
            yield b"b"

        return StreamingResponse(parts())

    @app.get("/healthz")
    async def healthz() -> str:
        return "x"

    @app.get("/healthcare")
    async def healthcare() -> str:
        return "x"

    return app


async def scrape(*, accept: bytes = b"", requests: int = 1) -> str:
    """The exposition after a few requests."""
    app = make_app()
    watch(app)
    async with serving(app) as served:
        for _ in range(requests):
            await served.get("/hello")
        answer = await served.get("/metrics", headers=[(b"accept", accept)] if accept else [])
    assert answer.status == 200
    assert answer.header("content-type").startswith(accept.decode().partition(";")[0] or "text/plain")
    return answer.body.decode()


async def test_every_metric_has_help_and_is_declared() -> None:
    """What is exposed has help text and a unit, and is declared in `names`, but for process_* and python_*."""
    families = list(parse_text(await scrape()))
    declared = {spec.name.removesuffix("_total") for spec in vars(names).values() if isinstance(spec, names.Metric)}
    ours = {family.name for family in families if not family.name.startswith(("process_", "python_"))}
    assert ours <= declared
    assert [family.name for family in families if not family.documentation] == []


async def test_created_series_are_off() -> None:
    """There is no `_created` series, in either format."""
    assert "_created" not in await scrape() + await scrape(accept=OPENMETRICS)


async def test_exemplar_is_the_trace() -> None:
    """In OpenMetrics the request's bucket has its trace id as exemplar."""
    app = make_app()
    watch(app)
    async with serving(app) as served:
        trace = (await served.get("/hello")).trace_id
        text = (await served.get("/metrics", headers=[(b"accept", OPENMETRICS)])).body.decode()
    exemplars = [
        sample.exemplar.labels["trace_id"]
        for family in parse_openmetrics(text)
        for sample in family.samples
        if sample.exemplar is not None
    ]
    assert set(exemplars) == {trace}


async def test_pain_18_exemplars_only_in_openmetrics() -> None:
    """Pain 18: exemplars are in OpenMetrics, and the plain format, which cannot hold them, is still valid."""
    assert "# {" in await scrape(accept=OPENMETRICS)
    assert "# {" not in await scrape()


async def test_unsampled_request_has_no_exemplar() -> None:
    """A request that is not sampled leaves no exemplar, whose trace nobody would find."""
    app = make_app()
    watch(app, sampler="always_off")
    async with serving(app) as served:
        await served.get("/hello")
        text = (await served.get("/metrics", headers=[(b"accept", OPENMETRICS)])).body.decode()
    assert "# {" not in text
    assert (
        'http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="200"' in text
    )


def test_middleware_buckets() -> None:
    """Own times have buckets 1, 2.5, 5 a decade from a microsecond to a second."""
    assert names.MIDDLEWARE_DURATION.buckets == (
        1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25,
        0.5, 1.0,
    )  # fmt: skip


def test_request_buckets() -> None:
    """Request durations have the semantic conventions' buckets and 30, 60, 120 s."""
    assert names.REQUEST_DURATION.buckets == (
        0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60, 120,
    )  # fmt: skip


def test_histogram_counts_as_the_clients_own() -> None:
    """An observation lands in the buckets where prometheus-client's own histogram puts it, bounds included."""
    from prometheus_client import CollectorRegistry, Histogram  # noqa: PLC0415

    bounds = names.REQUEST_DURATION.buckets
    registry = CollectorRegistry()
    reference = Histogram("reference", "reference", buckets=bounds, registry=registry)
    metrics = Metrics(TelemetrySettings(service_name="test"))
    metrics.allow("http_route", "/")
    ours = metrics.histogram(names.REQUEST_DURATION, "GET", "/", "200")
    for amount in (0.0, -1.0, *bounds, *(bound * 1.0001 for bound in bounds), 1e9, float("inf")):
        reference.observe(amount)
        ours.observe(amount)
    labels = {"http_request_method": "GET", "http_route": "/", "http_response_status_code": "200"}
    for bound in [*map(float, bounds), "+Inf"]:
        le = str(bound)
        expected = registry.get_sample_value("reference_bucket", {"le": le})
        name = "http_server_request_duration_seconds_bucket"
        assert metrics.registry.get_sample_value(name, {**labels, "le": le}) == expected


def test_label_value_that_nobody_declared_is_other() -> None:
    """A label value outside its closed set is counted as `other`, and is nowhere in the exposition."""
    metrics = Metrics(TelemetrySettings(service_name="test"))
    metrics.counter(names.RATE_LIMIT_REQUESTS, "bob@example.com", "allowed").inc()
    assert (
        metrics.registry.get_sample_value("rate_limit_requests_total", {"policy": "other", "outcome": "allowed"}) == 1
    )
    assert b"bob" not in metrics.render("")[0]


async def test_bounded_sets_exist_at_zero() -> None:
    """Every signal and reason, every method, and each route's own series exist at 0 before the first request."""
    app = make_app()
    _, recorder = watch(app)
    async with serving(app):
        for signal, reason in itertools.product(names.SIGNALS, names.DROP_REASONS):
            assert recorder.metric("telemetry_dropped_items_total", signal=signal, reason=reason) == 0
        for method in (*names.METHODS, names.OTHER_METHOD):
            assert recorder.metric("http_server_active_requests", http_request_method=method) == 0
        assert recorder.metric("http_server_invalid_requests_total") == 0
        for status in ("200", "404"):
            labels = {"http_request_method": "GET", "http_route": "/hello", "http_response_status_code": status}
            assert recorder.metric("http_server_request_duration_seconds_count", **labels) == 0


@pytest.mark.parametrize(
    ("peer", "status"),
    [
        ("127.0.0.1", 200),
        ("::1", 200),
        ("::ffff:127.0.0.1", 200),
        ("10.1.2.3", 200),
        ("192.168.0.9", 200),
        ("fd00::1", 200),
        ("203.0.113.9", 404),
        ("2001:db8::1", 404),
        (None, 404),
        ("not-an-address", 404),
    ],
)
async def test_metrics_are_for_some(peer: str | None, status: int) -> None:
    """Loopback and private addresses read the metrics; to everyone else there is nothing there."""
    app = make_app()
    watch(app)
    async with serving(app) as served:
        answer = await served.get("/metrics", peer=peer)
        nothing = await served.get("/nothing-here", peer=peer)
    assert answer.status == status
    if status == 404:
        assert answer.body == nothing.body


@pytest.mark.parametrize("name", [b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto"])
async def test_forwarded_request_of_a_stranger_reads_no_metrics(name: bytes) -> None:
    """A forwarded request from a peer that is not trusted gets 404, even from loopback: its client is unknown."""
    app = make_app()
    watch(app)
    async with serving(app) as served:
        answer = await served.get("/metrics", headers=[(name, b"127.0.0.1")])
    assert answer.status == 404


@pytest.mark.parametrize(("client", "status"), [(b"10.1.2.3", 200), (b"203.0.113.9", 404), (b"nonsense", 404)])
async def test_metrics_are_judged_by_the_resolved_client(client: bytes, status: int) -> None:
    """Behind a trusted proxy the client that edge trust resolves is judged."""
    app = make_app()
    watch(app, trusted_proxies=PROXY)
    async with serving(app) as served:
        answer = await served.get("/metrics", peer="10.9.0.1", headers=[(b"x-forwarded-for", client)])
    assert answer.status == status


async def test_metrics_are_not_for_a_client_that_two_headers_name_differently() -> None:
    """A trail that ends at the proxy, here because its two headers disagree, leads to nobody who may read."""
    app = make_app()
    watch(app, trusted_proxies=PROXY)
    headers = [(b"x-forwarded-for", b"203.0.113.9"), (b"forwarded", b"for=1.2.3.4")]
    async with serving(app) as served:
        answer = await served.get("/metrics", peer="10.9.0.1", headers=headers)
    assert answer.status == 404


@pytest.mark.parametrize("version", [b"abc", b"1!2", b""])
async def test_metrics_have_a_default_format(version: bytes) -> None:
    """A version that is none gets the default format, not a 500."""
    app = make_app()
    watch(app)
    async with serving(app) as served:
        answer = await served.get("/metrics", headers=[(b"accept", b"text/plain;version=" + version)])
    assert answer.status == 200


async def test_metrics_answer_head() -> None:
    """HEAD is answered like GET; another method is a 405."""
    app = make_app()
    watch(app)
    async with serving(app) as served:
        assert (await served.request("HEAD", "/metrics")).status == 200
        assert (await served.request("POST", "/metrics")).status == 405


async def test_pain_21_probes_have_no_trace_and_no_line() -> None:
    """Pain 21: probes and scrapes have no span, no `traceresponse`, no access event; `/healthcare` has all three."""
    app = make_app()
    _, recorder = watch(app)
    async with serving(app) as served:
        for path in ("/healthz", "/metrics", "/healthz?x=1"):
            answer = await served.get(path)
            assert (answer.status, answer.header("traceresponse")) == (200, None)
            assert answer.header("x-request-id")
        assert (recorder.spans, recorder.lines) == ([], [])
        answer = await served.get("/healthcare")
    assert answer.trace_id
    assert len(recorder.server_spans()) == len(recorder.events("http.request.completed")) == 1


async def test_pain_13_first_and_last_byte_are_two_numbers() -> None:
    """Pain 13: of a stream, the time to the first byte is apart from the whole duration."""
    app = make_app()
    _, recorder = watch(app)
    async with serving(app) as served:
        await served.get("/stream")
    labels = {"http_request_method": "GET", "http_route": "/stream"}
    first = recorder.metric("http_server_time_to_first_byte_seconds_sum", **labels)
    whole = recorder.metric("http_server_request_duration_seconds_sum", **labels, http_response_status_code="200")
    assert first is not None
    assert whole is not None
    assert whole >= 0.09
    assert whole - first >= 0.09


async def test_event_loop_lag_is_measured() -> None:
    """A callback that keeps the loop shows in the event loop's lag."""
    import time  # noqa: PLC0415

    app = make_app()
    _, recorder = watch(app)
    async with serving(app):
        await asyncio.sleep(0.05)
        time.sleep(0.6)  # noqa: ASYNC251 - this is what is measured
        await until(lambda: (recorder.metric("event_loop_lag_seconds_sum") or 0) >= 0.2)


async def test_build_and_process_are_shown() -> None:
    """`build_info` says what runs, `process_*` what it needs."""
    app = make_app()
    _, recorder = watch(app, service_name="shop", service_version="7")
    labels = {"service_name": "shop", "service_version": "7", "python_version": platform.python_version()}
    assert recorder.metric("build_info", **labels) == 1
    assert (recorder.metric("process_resident_memory_bytes") or 0) > 1e6
    assert recorder.metric("process_cpu_seconds_total") is not None


async def test_active_requests_return_to_zero() -> None:
    """While a request is served it is active; after it, whatever its end, it is not."""
    app = make_app()
    _, recorder = watch(app)
    async with serving(app) as served:
        await asyncio.gather(*(served.get(path) for path in ["/hello", "/stream", "/nothing", "/healthz"] * 5))
        await served.get("/stream", leave_after=2)
    assert recorder.metric("http_server_active_requests", http_request_method="GET") == 0


async def test_metrics_path_may_move() -> None:
    """`metrics_path` moves the metrics."""
    app = make_app()
    watch(app, metrics_path="/internal/metrics")
    async with serving(app) as served:
        assert (await served.get("/internal/metrics")).status == 200
        assert (await served.get("/metrics")).status == 404


async def test_names_have_their_unit() -> None:
    """Histograms of time end in `_seconds`, counters in `_total`; tokens have no unit, by their convention."""
    for spec in (spec for spec in vars(names).values() if isinstance(spec, names.Metric)):
        if spec.kind == "counter":
            assert spec.name.endswith("_total")
        if spec.kind == "histogram":
            assert re.search(r"_(seconds|ratio|token_usage)$", spec.name)
