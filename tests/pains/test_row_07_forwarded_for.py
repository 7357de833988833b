"""Row 7: X-Forwarded-For believed from anyone: limits evaded, wrong client blamed (slowapi#255)."""

from collections import Counter

LIMIT = 5
LIMITS = f'{{"default": {{"limit": {LIMIT}}}, "auth": {{"limit": {LIMIT}}}}}'
PROXY, STRANGER = "10.0.0.9", "203.0.113.7"
ATTEMPTS = 30


def forged(number: int) -> dict[str, str]:
    """Every way to name another client."""
    other = f"198.51.100.{number}"
    return {"X-Forwarded-For": other, "Forwarded": f"for={other}", "X-Real-IP": other, "True-Client-IP": other}


async def test_row_07_a_stranger_does_not_choose_his_address(real):
    """slowapi#255: one client that claims another address each time is limited as one."""
    async with real(RATE_LIMITS=LIMITS, TRUSTED_PROXIES="10.0.0.0/8") as served, served.client_from(STRANGER) as client:
        answers = [await client.get("/openapi.json", headers=forged(number)) for number in range(ATTEMPTS)]
    assert Counter(answer.status_code for answer in answers) == {200: LIMIT, 429: ATTEMPTS - LIMIT}


async def test_row_07_nor_does_he_guess_tokens_for_ever(real):
    """Failed tokens count against the peer's own address, whatever it claims."""
    async with real(RATE_LIMITS=LIMITS, TRUSTED_PROXIES="10.0.0.0/8") as served, served.client_from(STRANGER) as client:
        statuses = [
            (
                await client.get("/api/v1/jobs", headers=forged(number) | {"Authorization": f"Bearer x{number}"})
            ).status_code
            for number in range(ATTEMPTS)
        ]
    assert Counter(statuses) == {401: LIMIT, 429: ATTEMPTS - LIMIT}


async def test_row_07_nobody_is_blamed_for_another(real):
    """Through a trusted proxy clients count apart, and what the client itself put before is not believed."""
    async with real(RATE_LIMITS=LIMITS, TRUSTED_PROXIES="10.0.0.0/8") as served, served.client_from(PROXY) as proxy:
        loud = [
            (await proxy.get("/openapi.json", headers={"X-Forwarded-For": f"192.0.2.{number}, {STRANGER}"})).status_code
            for number in range(ATTEMPTS)
        ]
        quiet = [
            (await proxy.get("/openapi.json", headers={"X-Forwarded-For": f"192.0.2.{number}"})).status_code
            for number in range(ATTEMPTS)
        ]
    assert Counter(loud) == {200: LIMIT, 429: ATTEMPTS - LIMIT}
    assert Counter(quiet) == {200: ATTEMPTS}


async def test_row_07_the_span_names_the_right_client(real):
    """The server span's client.address is the peer for a stranger, and the forwarded client behind a proxy."""
    async with real(TRUSTED_PROXIES="10.0.0.0/8") as served:
        for peer in (STRANGER, PROXY):
            async with served.client_from(peer) as client:
                await client.get("/openapi.json", headers={"X-Forwarded-For": "198.51.100.1"})
    spans = served.recorder.server_spans()
    assert [span.attributes["client.address"] for span in spans] == [STRANGER, "198.51.100.1"]
