"""openapi.json, through a real Python generator, against the running service."""

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from types import ModuleType

import pytest

from tests.clients.conftest import ROOT, Service

PACKAGE = "clearstory_client"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The directory that holds the generated package; it can be imported from."""
    place = tmp_path_factory.mktemp("python")
    binaries = Path(sys.executable).parent  # the generator formats what it wrote with ruff
    done = subprocess.run(
        [
            *(binaries / "openapi-python-client", "generate", "--path", ROOT / "openapi.json"),
            *("--meta", "none", "--output-path", place / PACKAGE, "--fail-on-warning"),
        ],
        env={**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(place))
    yield place
    sys.path.remove(str(place))


def api(name: str) -> ModuleType:
    """Imports the module of one operation."""
    return importlib.import_module(f"{PACKAGE}.api.{name}")


def test_generated_python_client_calls_the_service(generated: Path, service: Service) -> None:
    """A client made from openapi.json imports, and does what its types say on every kind of route."""
    models = importlib.import_module(f"{PACKAGE}.models")
    package = importlib.import_module(PACKAGE)
    body = models.ProfileBody(name="Grace Example", email="grace@example.test")
    with package.AuthenticatedClient(service.url, service.token) as client:
        written = api("profiles.profilesreplace_mine").sync(client=client, body=body)
        assert api("profiles.profilesget_mine").sync(client=client) == written
        assert written.name == "Grace Example"

        jobs = api("jobs.jobslist")
        first = jobs.sync(client=client, limit=3)
        second = jobs.sync(client=client, limit=3, cursor=first.next_cursor)
        assert [len(page.items) for page in (first, second)] == [3, 3]
        assert {job.id for job in first.items}.isdisjoint(job.id for job in second.items)
        assert api("jobs.jobsget_by_id").sync(first.items[0].id, client=client) == first.items[0]

        submitted = api("applications.applicationssubmit").sync(
            client=client, body=models.ApplicationBody(job_id=first.items[0].id), idempotency_key="python-1"
        )
        found = api("applications.applicationsget_by_id").sync(submitted.id, client=client)
        assert found == submitted

        missing = api("jobs.jobsget_by_id").sync_detailed("job_that_is_not_there", client=client)
        assert missing.status_code is HTTPStatus.NOT_FOUND
        assert isinstance(missing.parsed, models.Problem)
        assert missing.parsed.status == HTTPStatus.NOT_FOUND
