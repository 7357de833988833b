"""Settings, resource and samplers."""

import dataclasses
from typing import get_args

import pytest
from fastapi import FastAPI

from telemetry import Telemetry, TelemetrySettings
from telemetry.settings import Sampler
from tests.telemetry.asgi import serving, watch

SECRETS = {
    "otlp_headers": {"authorization": "Basic marker-secret"},
    "sentry_dsn": "https://marker-secret@sentry.example/1",
    "pseudonym_key": b"marker-secret-key",
}


def test_repr_shows_no_secret() -> None:
    """Neither `repr` nor `str` of the settings shows a credential."""
    settings = TelemetrySettings(service_name="shop", **SECRETS)
    assert "marker-secret" not in f"{settings!r} {settings}"
    assert "shop" in repr(settings)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("service_name", "", "a name"),
        ("otlp_endpoint", "localhost:4318", "a URL such as http://127.0.0.1:4318"),
        ("otlp_endpoint", "http://127.0.0.1:99999", "a URL such as http://127.0.0.1:4318"),
        ("otlp_endpoint", "http://[::1", "a URL such as http://127.0.0.1:4318"),
        ("otlp_endpoint", "http:///v1", "a URL such as http://127.0.0.1:4318"),
        ("sentry_dsn", "marker-secret", "a DSN such as https://key@host/project"),
        ("sentry_dsn", "https://sentry.example/1", "a DSN such as https://key@host/project"),
        ("sentry_dsn", "https://marker-secret@sentry.example/", "a DSN such as https://key@host/project"),
        ("log_level", "chatty", "one of debug, info, warning, error, critical"),
        ("log_format", "xml", "one of json, console"),
        ("sampler", "half", f"one of {', '.join(get_args(Sampler))}"),
        ("sampler_ratio", 1.1, "a number from 0 to 1"),
        ("sentry_traces_sample_rate", -0.1, "a number from 0 to 1"),
        ("pseudonym_key", b"marker-secret", "at least 16 bytes"),
        ("pseudonym_key", "marker-secret of sixteen", "at least 16 bytes"),
        ("policy_files", "ours.toml", "a tuple of paths, such as (Path('ours.toml'),)"),
    ],
)
def test_what_cannot_be_is_named(name: str, value: object, expected: str) -> None:
    """A wrong setting is an error of one line where it is given, with its name and without its value."""
    with pytest.raises(ValueError, match=name) as refusal:
        TelemetrySettings(**{"service_name": "shop", name: value})
    assert str(refusal.value) == f"{name}: expected {expected}"


def test_an_application_is_instrumented_once() -> None:
    """A second call is refused: each request would be told twice."""
    app = FastAPI()
    watch(app)
    with pytest.raises(ValueError, match="instrumented already"):
        watch(app)


def test_settings_are_frozen() -> None:
    """A setting cannot be changed."""
    settings = TelemetrySettings(service_name="shop")
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.service_name = "other"  # type: ignore[misc]


@pytest.mark.parametrize("sampler", get_args(Sampler))
def test_every_sampler_name_works(sampler: Sampler) -> None:
    """Each of OpenTelemetry's sampler names makes its sampler."""
    telemetry = Telemetry(TelemetrySettings(service_name="test", sampler=sampler, sampler_ratio=0.25))
    description = telemetry.tracing.provider.sampler.get_description().lower().replace("decision", "")
    inner = sampler.removeprefix("parentbased_")
    expected = {"always_on": "alwayson", "always_off": "alwaysoff", "traceidratio": "traceidratiobased{0.25}"}[inner]
    assert expected in description
    assert description.startswith("parentbased{root:" if sampler != inner else expected)


@pytest.mark.parametrize(("sampler", "sampled"), [("always_on", 1), ("always_off", 0)])
async def test_sampling_keeps_the_ids(sampler: Sampler, sampled: int) -> None:
    """A request that is not sampled has its ids in answer and access event, flagged so, and its metrics."""
    app = FastAPI()
    _, recorder = watch(app, sampler=sampler)
    async with serving(app) as served:
        answer = await served.get("/nothing")
    (event,) = recorder.events("http.request.completed")
    assert (event["trace_id"], event["span_id"]) == (answer.trace_id, answer.span_id)
    assert answer.header("traceresponse").endswith(f"-0{sampled}")
    labels = {"http_request_method": "GET", "http_route": "unmatched", "http_response_status_code": "404"}
    assert recorder.metric("http_server_request_duration_seconds_count", **labels) == 1


async def test_ratio_samples_a_share() -> None:
    """At ratio 0.5 about half of 200 requests are sampled."""
    app = FastAPI()
    _, recorder = watch(app, sampler="traceidratio", sampler_ratio=0.5)
    async with serving(app) as served:
        answers = [await served.get("/nothing") for _ in range(200)]
    sampled = [answer.trace_id for answer in answers if answer.header("traceresponse").endswith("-01")]
    assert 60 <= len(sampled) <= 140
    exported = [f"{span.context.trace_id:032x}" for span in recorder.spans if span.context.trace_flags.sampled]
    assert exported == sampled


def test_resource_says_what_runs() -> None:
    """The resource has name, version, environment and instance id; explicit ones win, what is not allowed stays out."""
    settings = TelemetrySettings(
        service_name="shop",
        service_version="7",
        environment="staging",
        resource_attributes={"host.id": "b1d5781111d8", "process.owner": "ann", "service.instance.id": "mine"},
    )
    telemetry = Telemetry(settings)
    attributes = dict(telemetry.tracing.provider.resource.attributes)
    attributes.pop("telemetry.sdk.version")
    assert attributes == {
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
        "service.name": "shop",
        "service.version": "7",
        "service.instance.id": "mine",
        "deployment.environment.name": "staging",
        "pii.policy.digest": telemetry.scrubber.policy.digest,
    }


def test_environment_adds_nothing_to_the_resource(monkeypatch: pytest.MonkeyPatch) -> None:
    """OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME are the service's to read, not the library's."""
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "secret=marker")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "other")
    attributes = Telemetry(TelemetrySettings(service_name="shop")).tracing.provider.resource.attributes
    assert (attributes["service.name"], "secret" in attributes) == ("shop", False)


def test_instances_of_one_process_share_their_id() -> None:
    """The instance id is the process's: two telemetries of it have the same."""
    ids = {
        Telemetry(TelemetrySettings(service_name=name)).tracing.provider.resource.attributes["service.instance.id"]
        for name in ("a", "b")
    }
    assert len(ids) == 1
