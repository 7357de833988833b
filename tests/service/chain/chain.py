"""A small service behind the real chain, and a client that speaks ASGI to it."""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import jwt
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel

from service import problems
from service.access import AccessMap, CurrentPrincipal, audit, bearer, public
from service.auth import SecretKey, Verifier
from service.limits import SlidingWindow
from service.middleware.cors import Cors
from service.middleware.gateway import Gateway
from service.middleware.hosts import Hosts
from service.middleware.owasp import Owasp
from service.middleware.rate_limit import RateLimit
from service.middleware.response_headers import ResponseHeaders
from service.settings import RateLimitPolicy
from telemetry.request import SCOPE_KEY, RequestRecord
from telemetry.routes import RouteTable

SECRET = b"a secret of the tests, long enough"
AUDIENCE, ISSUER = "clearstory", "https://issuer.test"
NOW = 1_800_000_000.0


class Clock:
    """A clock that tests move."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def claims(**changes: Any) -> dict[str, Any]:
    """Good claims, with changes; None takes a claim away."""
    whole = {"sub": "ada", "aud": AUDIENCE, "iss": ISSUER, "iat": NOW, "exp": NOW + 600, **changes}
    return {name: value for name, value in whole.items() if value is not None}


def token(key: Any = SECRET, algorithm: str = "HS256", headers: Mapping[str, Any] | None = None, **changes: Any) -> str:
    """A signed token."""
    return jwt.encode(claims(**changes), key, algorithm, headers=dict(headers) if headers else None)


class Observed:
    """A metrics registry that remembers."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, ...], list[float]] = {}

    def counter(self, spec: Any, *labels: str) -> Any:
        seen = self.values.setdefault((spec.name, *labels), [])
        return SimpleNamespace(inc=lambda: seen.append(1.0))

    def gauge(self, spec: Any, *labels: str) -> Any:
        seen = self.values.setdefault((spec.name, *labels), [])
        return SimpleNamespace(set=seen.append)

    def histogram(self, spec: Any, *labels: str) -> Any:
        seen = self.values.setdefault((spec.name, *labels), [])
        return SimpleNamespace(observe=seen.append)


@dataclass
class Answer:
    """What came back."""

    status: int
    raw_headers: list[tuple[bytes, bytes]]
    body: bytes
    record: RequestRecord

    def header(self, name: str) -> str | None:
        found = [value.decode() for key, value in self.raw_headers if key == name.encode()]
        return ", ".join(found) if found else None

    def json(self) -> Any:
        return json.loads(self.body)


class Item(BaseModel):
    """A body."""

    name: str


def routes() -> FastAPI:  # noqa: C901 - a list of routes
    """Prefixed, nested and mounted routes, as people write them."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    inner, outer = APIRouter(prefix="/inner"), APIRouter(prefix="/api")

    @inner.get("/me/{part}", **bearer())
    async def me(part: str, principal: CurrentPrincipal) -> dict[str, Any]:
        return {"part": part, "subject": principal.subject, "roles": sorted(principal.roles)}

    @outer.post("/items", **bearer())
    async def items(item: Item, _: CurrentPrincipal) -> Item:
        return item

    @outer.post("/raw", **bearer())
    async def raw(request: Request) -> dict[str, int]:
        return {"bytes": sum([len(chunk) async for chunk in request.stream()])}

    @outer.post("/unread", **bearer())
    async def unread() -> dict[str, bool]:
        return {"read": False}

    @outer.post("/form", **public())
    async def form(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    @outer.get("/llm", **bearer("llm"))
    async def llm() -> StreamingResponse:
        async def words() -> AsyncIterator[bytes]:
            yield b"one "
            yield b"two"

        return StreamingResponse(words())

    @app.get("/healthz", **public(None))
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/open", **public())
    async def open_() -> JSONResponse:
        return JSONResponse({}, headers={"Cache-Control": "public", "Vary": "Accept"})

    outer.include_router(inner)
    app.include_router(outer)
    mounted = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @mounted.get("/deep/{thing}", **bearer("llm"))
    async def deep(thing: str) -> dict[str, str]:
        return {"thing": thing}

    app.mount("/sub", mounted)
    problems.install(app)
    return app


POLICIES = {
    "default": RateLimitPolicy(limit=5, window=60.0),
    "llm": RateLimitPolicy(limit=2, window=10.0),
    "auth": RateLimitPolicy(limit=3, window=60.0),
}


@dataclass
class Chain:
    """The layers in their order around an application, with the edge's work done by a stand-in."""

    app: FastAPI = field(default_factory=routes)
    clock: Clock = field(default_factory=Clock)
    policies: Mapping[str, RateLimitPolicy] = field(default_factory=lambda: dict(POLICIES))
    origins: Sequence[str] = ()
    hosts: Sequence[str] = ()
    max_body_bytes: int = 1000
    idle: float = 15.0
    total: float = 60.0
    production: bool = False
    verifier: Verifier | None = None

    def __post_init__(self) -> None:
        self.metrics = Observed()
        self.limiter = SlidingWindow(self.policies, clock=self.clock)
        self.verifier = self.verifier or Verifier(
            algorithm="HS256", keys=SecretKey(SECRET), audience=AUDIENCE, issuer=ISSUER, now=self.clock
        )
        cors = Cors(self.origins)
        access = AccessMap(audit(self.app, self.policies))
        self.table = RouteTable(self.app.routes)
        self.headers = ResponseHeaders(cors, production=self.production)
        owasp = Owasp(
            self.app,
            hosts=Hosts(self.hosts),
            cors=cors,
            max_body_bytes=self.max_body_bytes,
            idle_seconds=self.idle,
            total_seconds=self.total,
        )
        counting: dict[str, Any] = {
            "limiter": self.limiter, "policies": ("default", "llm"), "metrics": lambda: self.metrics
        }  # fmt: skip
        limit = RateLimit(owasp, **counting)
        self.chain = Gateway(limit, access=access, verifier=self.verifier, **counting)

    async def __call__(
        self,
        method: str,
        path: str,
        *headers: tuple[str, str | bytes],
        body: bytes | Sequence[bytes] = b"",
        client: str = "192.0.2.1",
        host: str | None = "api.test",
        receive: Callable[[], Any] | None = None,
        bearer: str | None = None,
    ) -> Answer:
        """One request; `body` in several chunks is sent without a length."""
        raw = [(name.lower().encode(), v if isinstance(v, bytes) else v.encode()) for name, v in headers]
        if host is not None:
            raw.append((b"host", host.encode()))
        if bearer is not None:
            raw.append((b"authorization", f"Bearer {bearer}".encode()))
        chunks = [body] if isinstance(body, bytes) else list(body)
        if body and isinstance(body, bytes) and not any(n == b"content-length" for n, _ in raw):
            raw.append((b"content-length", b"%d" % len(body)))
        record = RequestRecord(method, client, path, dict(raw))
        record.request_id, record.trace_id = "req_test", "0" * 31 + "1"
        record.route = self.table.resolve(method, path)
        scope: dict[str, Any] = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"",
            "root_path": "", "headers": raw, "client": (client, 1), "server": ("test", 80), SCOPE_KEY: record,
        }  # fmt: skip
        sent: list[Any] = []

        async def next_chunk() -> dict[str, Any]:
            if not chunks:
                return {"type": "http.disconnect"}
            chunk = chunks.pop(0)
            return {"type": "http.request", "body": chunk, "more_body": bool(chunks)}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                own = list(message["headers"])
                added = self.headers(scope, record, message["status"], own)
                message = {**message, "headers": [*own, *record.response_headers, *added]}
            sent.append(message)

        await self.chain(scope, receive or next_chunk, send)
        content = b"".join(message.get("body", b"") for message in sent[1:])
        return Answer(sent[0]["status"], sent[0]["headers"], content, record)


__all__ = ["AUDIENCE", "ISSUER", "NOW", "SECRET", "Answer", "Chain", "Clock", "claims", "routes", "token"]
