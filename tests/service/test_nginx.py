"""Words through Debian's nginx as it comes: its buffering is on."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from service.domain.catalogue import catalogue
from tests.patience import PATIENCE
from tests.service.llm.simulated.process import provider
from tests.service.run.process import running
from tests.stack.ports import Ports

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
PIECES = 12
# Everything but the paths and ports is nginx's default; one process, of whoever runs the tests.
CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass http://127.0.0.1:{upstream}; }}
    }}
}}
"""


@contextmanager
def nginx(folder: Path, upstream: int) -> Iterator[str]:
    """An nginx before a port; gives its URL."""
    ports = Ports("nginx")
    configuration = folder / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, port=ports["nginx"], upstream=upstream))
    log = folder / "error.log"
    process = subprocess.Popen([NGINX, "-e", str(log), "-p", str(folder), "-c", str(configuration)])
    with process:
        try:
            yield f"http://127.0.0.1:{ports['nginx']}"
        finally:
            process.terminate()
            process.wait()
            ports.release()


async def until_up(client: httpx.AsyncClient) -> None:
    """Wait until nginx takes connections."""
    async with asyncio.timeout(PATIENCE):
        while True:
            with suppress(httpx.ConnectError):
                assert (await client.get("/healthz")).status_code == 200
                return
            await asyncio.sleep(0.02)


@pytest.mark.skipif(NGINX is None, reason="nginx is not on this machine; `apt-get install nginx-light` brings it")
async def test_words_arrive_while_the_provider_is_silent(tmp_path):
    """Of a provider that stops in mid-answer each word it has written is read behind nginx while it is silent.

    The last one may be held back, for it may go on. A client that leaves nginx ends the provider's side.
    """
    with provider("--fault", f"stall_after:{PIECES}") as upstream:
        settings = {"SIMULATED_PROVIDER_URL": upstream.url, "PROMPT_CACHE_WARM_ON_STARTUP": "false"}
        async with running(tmp_path, **settings) as service:
            with nginx(tmp_path, service.port) as url:
                headers = {"Authorization": f"Bearer {service.token.decode()}", "Accept": "text/event-stream"}
                async with httpx.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE) as client:
                    await until_up(client)
                    profile = {"name": "Ada", "email": "ada@example.com", "cv_content": "Ten years of Python."}
                    assert (await client.put("/api/v1/profiles/me", json=profile)).status_code == 201
                    letter = {"job_id": next(catalogue()).id}
                    async with client.stream("POST", "/api/v1/cover-letters", json=letter) as answer:
                        assert (answer.status_code, answer.headers["server"][:5]) == (200, "nginx")
                        # Once nobody holds the lines the client leaves.
                        words, lines = [], answer.aiter_lines()
                        async for line in lines:
                            if line.startswith("data: "):
                                words.append(json.loads(line.removeprefix("data: "))["text"])
                            if len(words) == PIECES - 1:
                                break
                        state = await asyncio.to_thread(upstream.ask, "GET", "/state")
                        assert (state["open"], state["answered"]) == (1, 0)
                    state = await asyncio.to_thread(upstream.reached, cancelled=1)
                    assert state["cancelled"] == 1
