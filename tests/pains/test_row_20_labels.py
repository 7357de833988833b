"""Row 20: label explosion from paths, users, models (litellm#35666)."""

import asyncio
import random
import string
from collections import Counter
from contextlib import suppress

from service.llm import breaker, journey
from service.llm.errors import LlmError
from service.llm.model import Call, Message
from service.middleware import REJECTIONS
from tests.leaks.raw_provider import message, raw_provider, whole

REQUESTS, CALLS = 3000, 1000
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
    assert sum(before.values()) < 4000


async def test_row_20_nothing_that_a_provider_says_makes_a_series(real, monkeypatch):
    """litellm#35666: a thousand models, ids, reasons, errors and tools that a provider makes up add no series."""
    monkeypatch.setattr(breaker, "FAILURES", 1_000_000)
    monkeypatch.setattr(journey, "_FIRST_PAUSE", 0.0)
    chance = random.Random(20)

    def made_up(_request):
        slug = word(chance).lower()
        tool = {"type": "tool_use", "id": word(chance), "name": word(chance), "input": {word(chance): 1}}
        said = message(id=f"msg_{word(chance)}1", model=f"claude-{slug}", stop_reason=slug, content=[tool])
        refusal = {"type": "error", "error": {"type": slug, "message": slug}}
        return chance.choice((whole(said), whole(said), whole(refusal, chance.randrange(400, 600), slug)))

    async with raw_provider() as raw, real(SIMULATED_PROVIDER_URL=raw.url, ENABLE_PROMPT_CACHING="false") as served:
        raw.answer = made_up
        ours = served.app.state.assistance
        call = Call(ours.prompts["question"], (Message("user", "Why?"),), max_tokens=10, user="somebody")

        async def ask(calls: int) -> None:
            for _ in range(calls):
                with suppress(LlmError):
                    await ours.router.complete(call)

        # Which errors there are is bounded, but not all of them occur at first.
        await ask(100)
        before = series((await served.client.get("/metrics")).text)
        await asyncio.gather(*(ask(CALLS // 10) for _ in range(10)))
        text = (await served.client.get("/metrics")).text
    calls = [span for span in served.recorder.spans if span.name.startswith("chat ")]
    assert len({span.attributes.get("gen_ai.response.id") for span in calls}) > CALLS // 2
    assert max(len(str(value)) for span in calls for value in span.attributes.values()) <= 113
    assert series(text) == before


async def test_row_20_every_rejection_exists_at_zero(real):
    """What is bounded is there from the start: each (layer, reason) that can be counted stands at 0."""
    async with real() as served:
        await served.client.get("/metrics")
        counted = [
            served.recorder.metric("http_server_middleware_rejections_total", middleware=layer, reason=reason)
            for layer, reason in REJECTIONS
        ]
    assert counted == [0] * len(REJECTIONS)
