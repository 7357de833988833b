"""What the API accepts, and what is seen of what came."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from tests.patience import PATIENCE
from tests.service.llm.simulated.asking import ASKED, TOOL, cached
from tests.service.llm.simulated.process import Provider

HEADERS = {"x-api-key": "sk-1", "anthropic-version": "2023-06-01"}


@pytest.fixture
async def http(simulated: Provider) -> AsyncIterator[httpx2.AsyncClient]:
    """A client that is no SDK."""
    async with httpx2.AsyncClient(base_url=simulated.url, headers=HEADERS, timeout=PATIENCE) as made:
        yield made


def _said(text: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"messages": None}, "messages: Input should be a valid list"),
        ({"messages": []}, "messages: at least one message is required"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages.0.role: Input should be 'user' or 'assistant'"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "messages: first message must use the user role"),
        ({"messages": [{"role": "user"}]}, "messages.0.content: Field required"),
        (_said(""), "messages.0.content: text content blocks must be non-empty"),
        (_said([{"text": "x"}]), "messages.0.content.0.type: Field required"),
        ({"max_tokens": -1}, "max_tokens: Input should be greater than or equal to 0"),
        ({"max_tokens": "9"}, "max_tokens: Input should be a valid integer"),
        ({"max_tokens": 0, "stream": True}, "stream: not supported with max_tokens 0"),
        ({"model": 4}, "model: Input should be a valid string"),
        ({"stop_sequences": [1]}, "stop_sequences: Input should be a valid list of non-empty strings"),
        ({"tools": [{"name": "x"}]}, "tools.0: name and input_schema are required"),
        ({"tool_choice": {"type": "any"}}, "tool_choice: may only be specified while providing tools"),
        (
            {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "other"}},
            "tool_choice.name: tool not found in provided tools",
        ),
        (
            {"system": cached("a") * 5},
            "A maximum of 4 blocks with cache_control may be provided. Found 5.",
        ),
        (
            {"system": cached("a") + cached("b", ttl="1h")},
            "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block",
        ),
        (
            {"system": cached("a", ttl="2h")},
            "system: cache_control should be of type 'ephemeral', with a ttl of '5m' or '1h'",
        ),
        (
            {"model": "claude-opus-5", "messages": [*ASKED["messages"], {"role": "assistant", "content": "x"}]},
            "This model does not support assistant message prefill. The conversation must end with a user message.",
        ),
    ],
)
async def test_refused(http: httpx2.AsyncClient, changes: dict[str, Any], message: str):
    """What the real one refuses is refused, in its words."""
    answer = await http.post("/v1/messages", json=ASKED | changes)
    assert answer.status_code == 400
    body = answer.json()
    assert body["error"] == {"type": "invalid_request_error", "message": message}
    assert body["request_id"] == answer.headers["request-id"]


@pytest.mark.parametrize("name", ["model", "messages", "max_tokens"])
async def test_required(http: httpx2.AsyncClient, name: str):
    """What is required is."""
    answer = await http.post("/v1/messages", json={key: ASKED[key] for key in ASKED if key != name})
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, f"{name}: Field required")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"\xff"'])
async def test_no_json(http: httpx2.AsyncClient, body: bytes):
    """What is no JSON object is refused."""
    assert (await http.post("/v1/messages", content=body)).status_code == 400


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"x-api-key": ""}, 401),
        ({"x-api-key": "invalid-key"}, 401),
        ({"authorization": "Bearer invalid"}, 401),
        ({"authorization": "Basic a2V5"}, 401),
        ({}, 401),
        ({"authorization": "Bearer key"}, 200),
        ({"x-api-key": "invalid", "authorization": "Bearer key"}, 401),
    ],
)
async def test_keys(simulated: Provider, headers: dict[str, str], status: int):
    """A key is needed, in either header; where there are two it is `x-api-key`."""
    async with httpx2.AsyncClient(base_url=simulated.url, timeout=PATIENCE) as http:
        answer = await http.post("/v1/messages", json=ASKED, headers=headers | {"anthropic-version": "2023-06-01"})
    assert answer.status_code == status


@pytest.mark.parametrize("version", [None, "2020-01-01"])
async def test_version(simulated: Provider, version: str | None):
    """A version that exists is needed."""
    headers = {"x-api-key": "k"} | ({"anthropic-version": version} if version else {})
    async with httpx2.AsyncClient(base_url=simulated.url, timeout=PATIENCE) as http:
        assert (await http.post("/v1/messages", json=ASKED, headers=headers)).status_code == 400


async def test_too_large(http: httpx2.AsyncClient):
    """A body over 32 MiB is too large, and the connection survives it."""
    answer = await http.post("/v1/messages", content=b" " * (32 * 1024 * 1024 + 1))
    assert (answer.status_code, answer.json()["error"]["type"]) == (413, "request_too_large")
    assert (await http.post("/v1/messages", json=ASKED)).status_code == 200


async def test_requests(http: httpx2.AsyncClient, simulated: Provider):
    """What came is shown as it was sent, without its credentials."""
    body = ASKED | {"metadata": {"user_id": "u_123"}}
    await http.post("/v1/messages", json=body, headers={"authorization": "Bearer secret", "traceparent": "00-1"})
    last = simulated.last()
    assert json.loads(last["body"]) == body
    assert (last["model"], last["stream"], last["has_user_id"], last["user_id"]) == (
        ASKED["model"],
        False,
        True,
        "u_123",
    )
    assert (last["status"], last["outcome"]) == (200, "answered")
    assert last["headers"]["traceparent"] == "00-1"
    assert not {"x-api-key", "authorization"} & set(last["headers"])
    await http.post("/v1/messages", json=ASKED)
    assert simulated.last()["has_user_id"] is False


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/healthz", 200),
        ("GET", "/v1/messages", 405),
        ("POST", "/healthz", 405),
        ("GET", "/v1/models", 404),
        ("PUT", "/faults", 400),
        ("GET", "/state?open=1", 400),
        ("GET", "/state?cancelled=x", 400),
    ],
)
async def test_console(http: httpx2.AsyncClient, method: str, path: str, status: int):
    """What there is beside the messages is health and a console."""
    assert (await http.request(method, path)).status_code == status
