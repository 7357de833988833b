"""The documentation page: from this package alone, and rendering under its policy."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

import service
from service.routes.docs import ASSETS, IMMUTABLE, POLICY, docs_router
from tests.patience import PATIENCE
from tests.service.chain.chain import Chain, routes

FOLDER = Path(service.__file__).parent / "static" / "swagger-ui"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def chain() -> Chain:
    """The tests' service, with the documentation."""
    app = routes()
    app.include_router(docs_router("A <title>"))
    return Chain(app=app)


async def test_the_page_names_no_other_host_and_has_no_inline_script():
    """All of the page comes from the service itself, by relative addresses, and its title is text."""
    answer = await chain()("GET", "/docs")
    page = answer.body.decode()
    assert answer.status == 200
    assert "//" not in page
    assert "<script>" not in page
    assert "<title>A &lt;title&gt;</title>" in page
    assert answer.header("content-security-policy") == POLICY
    assert answer.header("cache-control") == "no-store"


@pytest.mark.parametrize("name", ASSETS)
async def test_assets_are_public_and_kept_for_good(name):
    """The version is in the address, so that a browser never asks twice."""
    answer = await chain()("GET", f"/docs/assets/{name}")
    assert (answer.status, answer.header("content-type")) == (200, ASSETS[name])
    assert answer.header("cache-control") == IMMUTABLE
    assert answer.body == (FOLDER / name).read_bytes()


@pytest.mark.parametrize("name", ["LICENSE", "SHA256SUMS", "..", "../docs.py", "%2e%2e", "swagger-ui.css/"])
async def test_only_listed_files_exist(name):
    """A file beside the listed ones is not served, and no path leads elsewhere."""
    answer = await chain()("GET", f"/docs/assets/{name}")
    assert answer.status in {401, 404}


def test_vendored_files_are_what_was_published():
    """The copies match the recorded sums, and every file but ours is recorded."""
    sums = dict(reversed(line.split()) for line in (FOLDER / "SHA256SUMS").read_text().splitlines())
    ours = {"SHA256SUMS", "VERSION", "initializer.js"}
    assert set(sums) == {path.name for path in FOLDER.iterdir()} - ours
    for name, expected in sums.items():
        assert sha256((FOLDER / name).read_bytes()).hexdigest() == expected


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The real service, in a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = {"PATH": os.environ["PATH"], "PORT": str(port), "DATA_DIR": str(tmp_path / "data")}
    with subprocess.Popen(
        [sys.executable, "-m", "service", "run"],
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            _wait(url + "/healthz")
            yield url
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _wait(url: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with urlopen(url, timeout=PATIENCE):  # noqa: S310 - our own address
                return
        except (URLError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium; apt-get install chromium")
@pytest.mark.parametrize("place", ["/docs", "/docs#/jobs/jobs%3Alist"])
def test_the_page_renders_in_a_browser_without_network(address: str, place: str, tmp_path: Path):
    """Chromium, unable to resolve any name, shows the operations and reports no violation (pains 12)."""
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage",
        "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--enable-logging=stderr",
        f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=10000", "--dump-dom", address + place,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=5 * PATIENCE, check=True)
    assert 'class="opblock-summary-path" data-path="/api/v1/jobs"' in done.stdout
    assert ('class="opblock-body"' in done.stdout) is ("#" in place)  # the linked operation is unfolded
    assert [line for line in done.stderr.splitlines() if "CONSOLE" in line] == []
