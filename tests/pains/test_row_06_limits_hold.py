"""Row 6: the same wrapping of routers silently switches rate limits off (slowapi#281)."""

import json
from collections import Counter

LIMIT = 3


async def test_row_06_every_route_of_the_service_is_limited(real):
    """slowapi#281: on each route with a policy, included ones too, the request over the limit is a 429."""
    limits = {policy: {"limit": LIMIT} for policy in ("default", "llm", "questions")} | {"auth": {"limit": 100000}}
    async with real(RATE_LIMITS=json.dumps(limits)) as served:
        limited = {key: access for key, access in served.app.state.access.items() if access.policy is not None}
        for number, ((method, template), access) in enumerate(limited.items()):
            path = template.replace("{", "").replace("}", "")
            headers = served.bearer(f"subject-{number}") if access.auth == "bearer" else {}
            async with served.client_from(f"192.0.2.{number}", **headers) as client:
                statuses = [(await client.request(method, path)).status_code for _ in range(LIMIT + 1)]
            assert [status == 429 for status in statuses] == [False] * LIMIT + [True], (method, template)
    outcomes = Counter(line["rate_limit"] for line in served.recorder.events("http.request.completed"))
    assert len(limited) >= 14
    assert outcomes == {"allowed": LIMIT * len(limited), "refused": len(limited)}


async def test_row_06_what_matches_no_route_is_limited_too(real):
    """Unknown paths, unknown methods and routes that were added late count under the default policy."""
    async with real(RATE_LIMITS=f'{{"default": {{"limit": {LIMIT}}}}}') as served:
        for subject, method, path in (
            ("one", "GET", "/nowhere"), ("two", "BREW", "/api/v1/jobs"), ("three", "GET", "/echo"),
        ):  # fmt: skip
            async with served.client_from("192.0.2.1", **served.bearer(subject)) as client:
                statuses = [(await client.request(method, path)).status_code for _ in range(LIMIT + 1)]
            assert [status == 429 for status in statuses] == [False] * LIMIT + [True]
