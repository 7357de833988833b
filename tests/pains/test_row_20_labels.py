"""Row 20: label explosion from paths, users, models (litellm#35666)."""

import random
import string
from collections import Counter

from service.middleware import REJECTIONS

REQUESTS = 3000
ROUTES = ("/api/v1/jobs/{}", "/api/v1/applications/{}", "/{}", "/api/v1/{}/{}", "/docs/assets/{}", "/openapi.json/{}")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


def word(chance: random.Random) -> str:
    """Something that nobody has sent before."""
    return "".join(chance.choices(string.ascii_letters + string.digits, k=12))


def series(text: str) -> Counter[str]:
    """How many series each metric has in an exposition."""
    return Counter(line.split("{")[0].split(" ")[0] for line in text.splitlines() if not line.startswith("#"))


async def test_row_20_nothing_that_a_client_chooses_makes_a_series(real):
    """litellm#35666: thousands of paths, methods, hosts, users, agents and ids add no series."""
    chance = random.Random(20)

    async def ask(served, method, route, *, subject):
        headers = {
            "Host": f"{word(chance)}.test",
            "User-Agent": word(chance),
            "X-Request-ID": word(chance),
            "X-Forwarded-For": f"192.0.2.{chance.randrange(256)}",
            "Origin": f"https://{word(chance)}.test",
            "Content-Type": f"application/{word(chance)}",
            "Idempotency-Key": word(chance),
        }
        path = route.format(word(chance), word(chance))
        if subject:
            headers |= served.bearer(subject)
        async with served.client_from(f"198.51.100.{chance.randrange(256)}") as client:
            await client.request(method, path, params={"q": word(chance)}, headers=headers)

    async with real() as served:
        # Which statuses a route has is bounded, but not known before they occur.
        for method in (*METHODS, "BREW"):
            for route in ROUTES:
                for subject in ("first", None):
                    await ask(served, method, route, subject=subject)
        before = series((await served.client.get("/metrics")).text)
        for _ in range(REQUESTS):
            method = chance.choice((*METHODS, word(chance).upper()))
            subject = word(chance) if chance.random() < 0.8 else None
            await ask(served, method, chance.choice(ROUTES), subject=subject)
        text = (await served.client.get("/metrics")).text
    assert len(served.recorder.server_spans()) >= REQUESTS
    assert series(text) == before
    # A description that grows without anybody's asking would pass the above.
    assert sum(before.values()) < 3000


async def test_row_20_every_rejection_exists_at_zero(real):
    """What is bounded is there from the start: each (layer, reason) that can be counted stands at 0."""
    async with real() as served:
        await served.client.get("/metrics")
        counted = [
            served.recorder.metric("http_server_middleware_rejections_total", middleware=layer, reason=reason)
            for layer, reason in REJECTIONS
        ]
    assert counted == [0] * len(REJECTIONS)
