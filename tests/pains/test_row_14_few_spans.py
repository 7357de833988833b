"""Row 14: send and receive spans drown the trace (opentelemetry-python-contrib#831)."""

import pytest


async def test_row_14_a_stream_of_many_chunks_is_one_span(real):
    """opentelemetry-python-contrib#831: a hundred sent messages add no span to the server's own."""
    async with real() as served:
        await served.client.get("/stream", params={"chunks": 100, "pause": 0})
    assert [span.kind.name for span in served.recorder.spans] == ["SERVER"]


@pytest.mark.parametrize("chunks", [1, 100])
async def test_row_14_a_body_of_many_chunks_adds_none(real, chunks):
    """A request's body, in one part or many, adds no span: there are the server's and the database's."""

    async def body():
        yield b'{"name": "Ada", "email": "ada@example.org"'
        for _ in range(chunks):
            yield b" "
        yield b"}"

    async with real() as served:
        headers = {"Content-Type": "application/json"}
        answer = await served.client.put("/api/v1/profiles/me", content=body(), headers=headers)
    assert answer.status_code == 201
    kinds = [span.kind.name for span in served.recorder.spans]
    assert kinds.count("SERVER") == 1
    assert "INTERNAL" not in kinds
    assert not any(word in span.name for span in served.recorder.spans for word in ("http send", "http receive"))
