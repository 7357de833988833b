"""openapi.json, through a real TypeScript generator, the strict compiler and Node, against the running service."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.clients.conftest import ROOT, Service

HERE = Path(__file__).parent / "typescript"
MODULES = HERE / "node_modules"


def run(*command: str | Path, cwd: Path, **environ: str) -> str:
    """Runs a program to its end; returns its output, fails with it when the program fails."""
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **environ}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the generated client and the program that calls the service, compiled."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are missing: apt-get install nodejs npm")
    if not (MODULES / ".bin" / "openapi-ts").exists():
        pytest.skip("the generator is missing: npm ci --prefix tests/clients/typescript")
    place = tmp_path_factory.mktemp("typescript")
    for name in ("call.ts", "tsconfig.json"):
        shutil.copy(HERE / name, place)
    (place / "package.json").write_text('{"type": "commonjs"}')
    (place / "node_modules").symlink_to(MODULES)
    plugins = ("@hey-api/client-fetch", "@hey-api/typescript", "@hey-api/sdk")
    generate = (MODULES / ".bin" / "openapi-ts", "-i", ROOT / "openapi.json", "-o", place / "client", "--no-log-file")
    run(*generate, "-p", *plugins, cwd=place)
    run(MODULES / ".bin" / "tsc", "--project", place, cwd=place)
    return place


def test_generated_typescript_client_calls_the_service(client: Path, service: Service) -> None:
    """A client made from openapi.json compiles strictly, and does what its types say on every kind of route."""
    said = json.loads(run("node", "compiled/call.js", cwd=client, SERVICE_URL=service.url, SERVICE_TOKEN=service.token))
    assert said["written"] in {200, 201}
    assert said["name"] == "Ada Example"
    assert [len(page) for page in said["pages"]] == [3, 3]
    assert set(said["pages"][0]).isdisjoint(said["pages"][1])
    assert said["job"] == said["application"] == said["pages"][0][0]
    assert said["note"] == "changed"
    assert said["applications"] >= 1
    assert said["missing"]["status"] == 404
    assert said["missing"]["problem"]["status"] == 404
    assert said["missing"]["problem"]["request_id"].startswith("req_")
