"""Row 8: Redis gone turns every request into a 500 (plyr.fm#1787)."""

import pytest

from service.limits.redis import keeper
from tests.patience import until


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No other process is waited for when Redis is back."""
    monkeypatch.setattr(keeper, "SILENCE_SECONDS", 0.2)


async def test_row_08_no_request_fails_with_redis(real, mortal_redis):
    """plyr.fm#1787: killed, frozen or absent from the start, Redis costs no request; back, it decides again."""
    async with real(REDIS_URL=mortal_redis.url, PII_PSEUDONYM_KEY="k" * 16) as served:

        async def statuses(count: int = 20) -> set[int]:
            return {(await served.client.get("/api/v1/jobs?limit=1")).status_code for _ in range(count)}

        assert await statuses() == {200}
        for _ in range(2):
            mortal_redis.kill()
            assert await statuses() == {200}
            mortal_redis.start()
            await until(lambda: served.app.state.counts.deciding().by == "redis")
            assert await statuses() == {200}
        assert (await served.client.get("/readyz")).status_code == 200
    mortal_redis.kill()
    async with real(REDIS_URL=mortal_redis.url, PII_PSEUDONYM_KEY="k" * 16) as served:
        assert (await served.client.get("/api/v1/jobs?limit=1")).status_code == 200


async def test_row_08_a_frozen_redis_costs_a_deadline_once(real, mortal_redis, monkeypatch):
    """A Redis that accepts and never answers is given up at the deadline; who comes later does not wait at all."""
    monkeypatch.setattr("service.limits.configured.REDIS_DEADLINE_SECONDS", 0.05)
    async with real(REDIS_URL=mortal_redis.url, PII_PSEUDONYM_KEY="k" * 16) as served:
        await until(lambda: served.app.state.counts.deciding().by == "redis")
        mortal_redis.freeze()
        answers = [await served.client.get("/api/v1/jobs?limit=1") for _ in range(5)]
        assert {answer.status_code for answer in answers} == {200}
        assert served.app.state.counts.deciding() == ("share", "no answer within the deadline")
        mortal_redis.thaw()
        await until(lambda: served.app.state.counts.deciding().by == "redis")
