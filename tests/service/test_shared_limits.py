"""The service with its limits in Redis: what it says of who decides."""

import pytest

from service.app import create_app
from service.limits.redis import keeper
from telemetry.testing import Recorder
from tests.patience import until

LIMITS = '{"default": {"limit": 4}, "auth": {"limit": 3}}'


@pytest.fixture
def built(settings, mortal_redis):
    """The application, before its start."""
    return create_app(settings(REDIS_URL=mortal_redis.url, RATE_LIMITS=LIMITS, PII_PSEUDONYM_KEY="k" * 16))


def deciders(recorder: Recorder):
    """Who decided about each request, by its span."""
    return [
        span.attributes.get("clearstory.rate_limit.backend") for span in recorder.spans if span.kind.name == "SERVER"
    ]


async def test_redis_decides_and_is_seen_to(client, recorder):
    """Headers as ever; the span says who decided, and so does `/readyz`."""
    answers = [await client.get("/api/v1/jobs?limit=1") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 4 + [429]
    assert answers[0].headers["ratelimit"] == '"default";r=3;t=60'
    assert answers[4].headers["retry-after"] == "60"
    assert deciders(recorder) == ["redis"] * 5
    ready = await client.get("/readyz")
    assert ready.json() == {"status": "ok", "rate_limits": {"decided_by": "redis"}}
    metrics = (await client.get("/metrics")).text
    assert 'rate_limit_backend_up{backend="redis"} 1.0' in metrics
    assert 'backend="memory"' not in metrics
    assert "rate_limit_backend_errors_total 0.0" in metrics


async def test_failed_tokens_count_there_too(app, client, recorder):
    """The limit of failed authentications is one for all processes, too."""
    client.headers["Authorization"] = "Bearer no.such.token"
    answers = [await client.get("/api/v1/jobs") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401] * 3 + [429]
    assert deciders(recorder) == ["redis"] * 4


async def test_an_outage_is_told_once_and_costs_no_request(app, client, recorder, mortal_redis, monkeypatch):
    """One line when Redis goes and one when it is back; no 5xx; ready, with the reason, all the time."""
    monkeypatch.setattr(keeper, "SILENCE_SECONDS", 0.2)  # nobody else is waited for
    assert (await client.get("/api/v1/jobs?limit=1")).status_code == 200
    mortal_redis.kill()
    answers = [await client.get("/api/v1/jobs?limit=1") for _ in range(8)]
    assert {answer.status_code for answer in answers} <= {200, 429}
    assert deciders(recorder)[-1] == "share"
    ready = await client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["rate_limits"] == {"decided_by": "share", "reason": "nothing answers there"}
    metrics = (await client.get("/metrics")).text
    assert 'rate_limit_backend_up{backend="redis"} 0.0' in metrics
    assert "rate_limit_backend_errors_total 0.0" not in metrics
    mortal_redis.start()
    await until(lambda: app.state.counts.deciding().by == "redis")
    assert (await client.get("/api/v1/jobs?limit=1")).status_code == 200
    (gone,) = recorder.events("rate_limit.backend.gone")
    assert (gone["level"], gone["setting"], gone["reason"]) == ("warning", "REDIS_URL", "nothing answers there")
    assert gone["processes"] >= 1
    (back,) = recorder.events("rate_limit.backend.back")
    assert (back["level"], back["setting"]) == ("info", "REDIS_URL")
