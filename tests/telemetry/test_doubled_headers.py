"""Headers that were sent twice."""

import pytest

from tests.telemetry.test_edge import STRANGER, TRUSTED_PEER, ask


@pytest.mark.parametrize("name", [b"user-agent", b"host", b"traceparent", b"tracestate"])
@pytest.mark.parametrize("values", [(b"\xff\\x", b"plain"), (b"plain", b"\xff\\x"), (b"\xff\\x", b"\xff\\x")])
@pytest.mark.parametrize("peer", [TRUSTED_PEER, STRANGER])
async def test_doubled_header_that_is_no_utf8_is_served(name: bytes, values: tuple[bytes, bytes], peer: str) -> None:
    """A header that was sent twice, one of them not UTF-8, never gives a 500."""
    _, answer, _ = await ask(peer, *[(name, value) for value in values])
    assert (answer.status, answer.error) == (200, None)
