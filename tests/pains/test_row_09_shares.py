"""Row 9: the in-memory fallback multiplies the limit by the replicas (litellm#35533)."""

from contextlib import AsyncExitStack
from pathlib import Path

from service.limits.redis import keeper
from tests.patience import until

REPLICAS, LIMIT = 4, 10


async def test_row_09_the_replicas_share_the_limit_when_redis_is_gone(real, mortal_redis, monkeypatch, tmp_path):
    """litellm#35533: four replicas admit the limit together, with Redis and without: not four times the limit."""
    monkeypatch.setattr(keeper, "BEAT_SECONDS", 0.01)  # they know of each other at once
    async with AsyncExitStack() as stack:
        environ = {
            "REDIS_URL": mortal_redis.url,
            "PII_PSEUDONYM_KEY": "k" * 16,
            "RATE_LIMITS": f'{{"default": {{"limit": {LIMIT}, "window": 3600}}}}',
        }
        served = [
            await stack.enter_async_context(real(DATA_DIR=str(Path(tmp_path, str(number))), **environ))
            for number in range(REPLICAS)
        ]
        beliefs = [each.app.state.counts._keeper._places for each in served]
        await until(lambda: all(places.believed.of == REPLICAS for places in beliefs))

        async def admitted(subject: str) -> int:
            count = 0
            for each in served:
                async with each.client_from("192.0.2.1", **each.bearer(subject)) as client:
                    answers = [await client.get("/api/v1/jobs?limit=1") for _ in range(LIMIT + 1)]
                count += sum(answer.status_code == 200 for answer in answers)
            return count

        assert await admitted("ada") == LIMIT
        mortal_redis.kill()
        for each in served:
            await until(lambda each=each: each.app.state.counts.deciding().by == "share")
        assert await admitted("bob") == LIMIT
