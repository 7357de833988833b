"""A whole life of the service, watched from outside: whom it spoke to, what it said, and how its parts fit."""

import asyncio
import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import opentelemetry.sdk.environment_variables as otel
import pytest

from tests.leaks.arrivals import fields, formed, spoken, tokens
from tests.leaks.corpus import Corpus
from tests.leaks.real import SECRET, environment
from tests.leaks.wire import OPEN_METRICS, Wire, listening
from tests.patience import PATIENCE
from tests.service.run.process import running

PEOPLE, TEXTS = 2, 28


@dataclass
class Trap:
    """A listener that nobody may find."""

    port: int
    visitors: list[tuple[str, int]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """What a variable is set to."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def trapped() -> Iterator[Trap]:
    """Listen, and note who comes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        trap = Trap(listener.getsockname()[1])

        def wait() -> None:
            while True:
                try:
                    connection, peer = listener.accept()
                except OSError:
                    return
                trap.visitors.append(peer)
                connection.close()

        thread = threading.Thread(target=wait, daemon=True)
        thread.start()
        yield trap
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def tracing_variables(trap: Trap) -> dict[str, str]:
    """Every variable by which an installed package, or one that is often installed beside it, opens a way out."""
    known = {name: value for name, value in vars(otel).items() if name.startswith("OTEL_") and isinstance(value, str)}
    endpoints = {
        name: trap.url for name in known if name.endswith("ENDPOINT") and name != "OTEL_EXPORTER_OTLP_ENDPOINT"
    }
    signals = {f"OTEL_{signal}_EXPORTER": "otlp,console,zipkin" for signal in ("TRACES", "METRICS", "LOGS")}
    return {
        **endpoints,
        **signals,
        "OTEL_EXPORTER_JAEGER_AGENT_HOST": "127.0.0.1",
        "OTEL_EXPORTER_JAEGER_AGENT_PORT": str(trap.port),
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "x-own=1",
        "OTEL_EXPORTER_PROMETHEUS_PORT": "0",
        "OTEL_METRIC_EXPORT_INTERVAL": "100",
        "OTEL_PROPAGATORS": "tracecontext,baggage",
        "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": "process,os,host,otel",
        "OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED": "true",
        "OTEL_PYTHON_LOG_CORRELATION": "true",
        "OTEL_PYTHON_TRACER_PROVIDER": "sdk_tracer_provider",
        "OTEL_PYTHON_METER_PROVIDER": "sdk_meter_provider",
        "OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED": "true",
        "OTEL_PYTHON_FASTAPI_EXCLUDED_URLS": "nothing",
        "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST": ".*",
        "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE": ".*",
        "OTEL_INSTRUMENTATION_HTTP_CAPTURE_BODY": "true",
        "SENTRY_SPOTLIGHT": f"{trap.url}/stream",
        "SENTRY_SPOTLIGHT_ON_ERROR": "1",
        "SENTRY_DEBUG": "1",
        "SENTRY_TRACE": "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
        "SENTRY_BAGGAGE": "sentry-trace_id=0af7651916cd43dd8448eb211c80319c",
        "LANGSMITH_TRACING": "true",
        "LANGSMITH_ENDPOINT": trap.url,
        "LANGSMITH_API_KEY": "k" * 20,
        "LANGCHAIN_TRACING_V2": "true",
        "LANGCHAIN_ENDPOINT": trap.url,
        "LOGFIRE_SEND_TO_LOGFIRE": "true",
        "LOGFIRE_TOKEN": "t" * 20,
        "LOGFIRE_BASE_URL": trap.url,
        "DD_TRACE_ENABLED": "true",
        "DD_TRACE_AGENT_URL": trap.url,
        "DD_AGENT_HOST": "127.0.0.1",
        "NEW_RELIC_LICENSE_KEY": "n" * 40,
        "NEW_RELIC_HOST": "127.0.0.1",
        "ELASTIC_APM_SERVER_URL": trap.url,
        "ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE": "content",
        "ANTHROPIC_BASE_URL": trap.url,
        "OPENAI_BASE_URL": trap.url,
        "TRACELOOP_BASE_URL": trap.url,
        "PYROSCOPE_SERVER_ADDRESS": trap.url,
        "PROMETHEUS_PUSHGATEWAY": trap.url,
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"), trap.url),
    }


@dataclass
class Life:
    """What a life left behind."""

    wire: Wire
    markers: list[str]
    audit: list[str]
    visitors: list[tuple[str, int]]
    failed: httpx.Response
    status: int


async def live(directory) -> Life:
    """Start the service, send it requests full of markers on real connections, one of them failing, and stop it."""
    planted = [*Corpus(31).bare(TEXTS)]
    people = Corpus(32).people(PEOPLE)
    markers = [marker for sent in (*planted, *people) for marker in sent.markers]
    with listening() as wire, trapped() as trap:
        given = tracing_variables(trap) | environment(wire, directory, DRAIN_SECONDS="0")
        given["AUDIT_FILE"] = str(directory / "audit")
        async with running(directory, "tests.leaks.audited", **given) as service:
            headers = {"Authorization": b"Bearer " + service.token}
            url = f"http://127.0.0.1:{service.port}"
            async with httpx.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE) as client:
                for sent in planted:
                    for ask in (*formed(sent.text), *tokens(SECRET.encode(), sent.text)):
                        await client.request(**ask)
                for person in people:
                    for ask in spoken(f"{person.full_name} {person.cv_content}"):
                        await client.request(**ask)
                failed = await client.request(
                    "GET", "/boom", params=[("q", planted[0].text)], headers=fields(planted[0].text)
                )
                for accept in ({}, OPEN_METRICS):
                    wire.expositions.append((await client.get("/metrics", headers=accept)).content)
            service.signal()
            status = await service.ended()
            wire.lines += [service.stdout, service.stderr.replace(service.token, b"")]
        audit = (directory / "audit").read_text().splitlines()
        return Life(wire, markers, audit, trap.visitors, failed, status)


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    """One life, which all of these tests look at."""
    return asyncio.run(live(tmp_path_factory.mktemp("life")))


def test_the_peers_are_those_of_the_settings(life: Life):
    """Whatever variables are set, the process connects to the OTLP and the Sentry endpoint, and to nobody else."""
    wanted = {
        life.wire.otlp.endpoint.rpartition(":")[2],
        re.search(r":(\d+)/", life.wire.sentry.dsn.rpartition("@")[2])[1],
    }
    peers = {line.partition(" ")[2] for line in life.audit if line.startswith("socket.connect")}
    assert peers == {f"('127.0.0.1', {port})" for port in wanted}
    assert life.visitors == []


def test_the_names_that_are_looked_up(life: Life):
    """No name is looked up but the endpoints' hosts and the address that is listened on."""
    asked = {
        line.partition(" ")[2].split(",")[0].lstrip("(") for line in life.audit if not line.startswith("socket.connect")
    }
    assert asked <= {"'127.0.0.1'", "b'127.0.0.1'"}


def test_every_byte_was_looked_at(life: Life):
    """What the endpoints received is OTLP traces and logs and Sentry envelopes, all of it searched."""
    assert {path for path, _, _ in life.wire.otlp.requests()} == {"/v1/traces", "/v1/logs"}
    assert {headers["path"] for headers in life.wire.sentry.requests()} == {"/api/1/envelope/"}
    assert life.status == 0


def test_no_marker_left(life: Life):
    """No marker is in any byte on standard output, standard error, /metrics, OTLP or Sentry, shutdown included."""
    assert min(len(life.wire.otlp.spans), len(life.wire.otlp.records), len(life.wire.sentry.bodies())) > TEXTS
    assert life.wire.found(life.markers) == []


def test_the_unhandled_error_is_one_story(life: Life):
    """The unhandled error's response, span, log line and Sentry event have the same trace id."""
    trace = life.failed.headers["traceresponse"].split("-")[1]
    (span,) = [span for span in life.wire.otlp.server_spans if span.trace_id == trace]
    (event,) = [
        event for event in life.wire.sentry.payloads("event") if event["contexts"]["trace"]["trace_id"] == trace
    ]
    lines = [json.loads(line) for line in life.wire.lines[0].splitlines() if trace.encode() in line]
    assert life.failed.status_code == span.attributes["http.response.status_code"] == 500
    assert event["contexts"]["trace"]["span_id"] == span.span_id
    assert {"http.request.failed", "http.request.completed"} <= {line["event"] for line in lines}
