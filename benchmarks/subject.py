"""What every variant has in common: the same small app, the same request, one process.

A variant is the app with something around it. It is called directly as an ASGI application, without a
server or sockets, because those cost the same for everyone.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import jwt
from fastapi import FastAPI

SECRET = "a-benchmark-secret-of-thirty-two-bytes-or-more"  # noqa: S105 - signs tokens for nobody but this benchmark
AUDIENCE = "clearstory"
ISSUER = "clearstory-development"
PRINCIPALS = 20
PATH = "/api/v1/jobs/job_00042"
ROUTE = "/api/v1/jobs/{job_id}"

AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]


async def nothing_to_drain() -> None:
    """Drains a subject that exports nothing."""


@dataclass(frozen=True, slots=True)
class Subject:
    """An application to be measured.

    Args:
        app: the ASGI application, with everything around it.
        drain: exports what is still queued, so that its cost counts too; called once, after the last request.
        lifespan: whether the app's lifespan must run around the requests.
    """

    app: AsgiApp
    drain: Callable[[], Awaitable[None]] = nothing_to_drain
    lifespan: bool = False


def bare_app(**options: Any) -> FastAPI:
    """Returns the app that is instrumented: five routes, of which the measured one is not the first."""
    app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False}, **options)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/api/v1/jobs")
    async def list_jobs() -> dict[str, Any]:
        return {"items": [], "next_cursor": None}

    @app.get(ROUTE)
    async def get_job(job_id: str) -> dict[str, Any]:
        return {
            "id": job_id,
            "title": "Stonemason",
            "company": "Nave & Sons",
            "remote": False,
            "salary": 42_000,
        }

    @app.get("/api/v1/applications")
    async def list_applications() -> dict[str, Any]:
        return {"items": [], "next_cursor": None}

    @app.get("/api/v1/applications/{application_id}")
    async def get_application(application_id: str) -> dict[str, Any]:
        return {"id": application_id}

    return app


def tokens() -> list[str]:
    """Returns one valid bearer token for each of the principals that take turns."""
    now = int(time.time())
    return [
        jwt.encode(
            {
                "sub": f"user-{number}",
                "aud": AUDIENCE,
                "iss": ISSUER,
                "iat": now,
                "exp": now + 86_400,
                "roles": [],
            },
            SECRET,
            algorithm="HS256",
        )
        for number in range(PRINCIPALS)
    ]


def scope(token: str) -> dict[str, Any]:
    """Returns the scope of one GET as uvicorn makes it, with the headers that a browser's fetch sends."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50_000),
        "scheme": "http",
        "method": "GET",
        "root_path": "",
        "path": PATH,
        "raw_path": PATH.encode(),
        "query_string": b"",
        "headers": [
            (b"host", b"127.0.0.1:8000"),
            (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
            (b"accept", b"application/json"),
            (b"accept-language", b"en-GB,en;q=0.7"),
            (b"accept-encoding", b"gzip, deflate, br"),
            (b"authorization", b"Bearer " + token.encode()),
            (b"connection", b"keep-alive"),
        ],
        "state": {},
    }
