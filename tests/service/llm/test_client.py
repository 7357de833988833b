"""What the provider's client sends, and how much it reads, whatever its environment and the provider say."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from anthropic.types import Message, TextBlock, Usage

from service.llm.anthropic import AnthropicProvider
from service.llm.anthropic.client import MOST_BYTES
from service.llm.anthropic.messages import as_completion
from service.llm.attempt import AttemptFailed
from tests.patience import PATIENCE
from tests.service.llm.scripted import CALL

ENVIRONMENT = {
    "ANTHROPIC_API_KEY": "sk-environment",
    "ANTHROPIC_AUTH_TOKEN": "token-environment",
    "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
    "ANTHROPIC_CUSTOM_HEADERS": "x-smuggled: yes\nx-api-key: sk-smuggled\nauthorization: Bearer smuggled\nhost: a",
    "ANTHROPIC_PROFILE": "nobody",
    "ANTHROPIC_CONFIG_DIR": "/nowhere",
    "ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE": "content",
    "ANTHROPIC_OPEN_TELEMETRY_PROPAGATION": "true",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "ALL_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
    "SSL_CERT_FILE": "/nowhere",
}

PING = b'event: ping\ndata: {"type": "ping"}\n\n'


@asynccontextmanager
async def answering(*parts: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that answers everybody with the first part, then for ever with the others; and what it was sent."""
    heard: list[bytes] = []
    serving: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        with suppress(ConnectionError):
            heard.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(parts[0])
            while parts[1:]:
                for part in parts[1:]:
                    writer.write(part)
                    await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heard
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*serving)  # nobody is left to be answered


@asynccontextmanager
async def provider(url: str, **credential: str) -> AsyncIterator[AnthropicProvider]:
    """A provider at that address."""
    credential = credential or {"api_key": "sk-ours"}
    model = "claude-sonnet-5-5"
    made = AnthropicProvider("anthropic", url, model, connect_seconds=PATIENCE, caching=True, **credential)
    try:
        yield made
    finally:
        await made.close()


async def failed(made: AnthropicProvider, *, stream: bool) -> str:
    """Why a call failed."""
    with pytest.raises(AttemptFailed) as raised:
        await (read(made) if stream else made.complete(CALL))
    return raised.value.reason


async def read(made: AnthropicProvider) -> None:
    """Read a stream to its end."""
    pieces = await made.stream(CALL)
    try:
        async for _ in pieces:
            pass
    finally:
        await pieces.close()


def head(kind: str, status: str = "200 OK") -> bytes:
    """The head of an answer that ends with its connection."""
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n\r\n".encode()


@pytest.mark.parametrize("credential", [{"api_key": "ours"}, {"auth_token": "ours"}])
async def test_the_environment_changes_nothing_that_is_sent(monkeypatch, credential):
    """Whatever the SDK would read of its environment, the request's head is the same but for the address."""
    heads = []
    for environment in ({}, ENVIRONMENT):
        for variable, setting in environment.items():
            monkeypatch.setenv(variable, setting)
        async with answering(head("text/html", "500 No")) as (url, heard), provider(url, **credential) as made:
            assert await failed(made, stream=False) == "server_error"
        heads.append({line for line in heard[0].split(b"\r\n") if not line.lower().startswith(b"host:")})
        assert f"host: {url.removeprefix('http://')}".encode() in heard[0].lower()
    assert heads[0] == heads[1]
    sent = dict(line.split(b": ", 1) for line in heads[0] if b": " in line)
    credentials = {each.lower(): sent[each] for each in sent if each.lower() in (b"x-api-key", b"authorization")}
    assert credentials == {b"authorization": b"Bearer ours"}
    assert not {each.lower() for each in sent} & {b"traceparent", b"tracestate", b"baggage", b"sentry-trace"}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", ["200 OK", "529 Overloaded"])
@pytest.mark.parametrize("part", [b"x" * 65536, b": no event\n\n" * 4096, PING * 2048])
async def test_an_answer_without_end_is_left(stream, status, part):
    """Of an answer that never ends a few megabytes are read, whatever it is made of."""
    kind = "text/event-stream" if stream else "application/json"
    async with asyncio.timeout(PATIENCE), answering(head(kind, status), part) as (url, _), provider(url) as made:
        assert await failed(made, stream=stream) == "endless"


async def test_as_much_as_is_bounded_is_read():
    """What is within the bound is read to its end."""
    body = b"x" * MOST_BYTES
    async with answering(head("application/json") + body) as (url, _), provider(url) as made:
        assert await failed(made, stream=False) == "malformed"


@pytest.mark.parametrize("stream", [False, True])
async def test_no_compressed_answer_is_read(stream):
    """None is asked for, and one that comes is none: a few kilobytes may be gigabytes."""
    bomb = gzip.compress(b"x" * (1 << 24))
    packed = head("text/event-stream" if stream else "application/json").replace(
        b"\r\n\r\n", b"\r\ncontent-encoding: gzip\r\n\r\n", 1
    )
    async with answering(packed + bomb) as (url, heard), provider(url) as made:
        assert await failed(made, stream=stream) == "malformed"
    assert b"accept-encoding: identity\r\n" in heard[0].lower()


def message(text: str = "Hello", tokens: int = 1) -> Message:
    """A message of the API."""
    usage = {"input_tokens": tokens, "output_tokens": 1}
    content = [{"type": "text", "text": text}]
    told = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn"}
    return Message.construct(**told, content=[TextBlock.construct(**content[0])], usage=Usage.construct(**usage))


@pytest.mark.parametrize(
    ("told", "reason"), [({"text": "x" * 5_000}, "endless"), ({"tokens": 10**400}, "malformed"), ({}, None)]
)
def test_a_whole_answer_is_bounded_like_a_stream(told, reason):
    """Much more text than was asked for, or more tokens than there are, is no answer."""
    if reason is None:
        assert as_completion(message(**told), "p", 10).text == "Hello"
        return
    with pytest.raises(AttemptFailed) as raised:
        as_completion(message(**told), "p", 10)
    assert raised.value.reason == reason
