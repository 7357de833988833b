"""One application a module, and the real simulated provider behind it."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import pytest_asyncio

from tests.service.answers.running import Service, started
from tests.service.llm.simulated.process import Provider, provider


@pytest.fixture(scope="session")
def simulated_process() -> Iterator[Provider]:
    """A provider that answers as fast as it can."""
    with provider("--keep-bodies", "--retry-after", "0") as running:
        yield running


@pytest.fixture
def simulated(simulated_process: Provider) -> Provider:
    """It, with nothing cached, and no faults."""
    simulated_process.ask("PUT", "/faults", {"fault": None})
    simulated_process.ask("DELETE", "/cache")
    return simulated_process


@pytest.fixture(scope="module")
def environ() -> dict[str, str]:
    """Settings of a module's application."""
    return {}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running_service(
    tmp_path_factory: pytest.TempPathFactory, simulated_process: Provider, environ: dict[str, str]
) -> AsyncIterator[Service]:
    """One for the module."""
    urls = {"SIMULATED_PROVIDER_URL": simulated_process.url}
    async with started(tmp_path_factory.mktemp("service"), **urls, **environ) as service:
        yield service


@pytest.fixture
def service(running_service: Service) -> Service:
    """It, with closed breakers, and nothing told yet."""
    running_service.close_breakers()
    running_service.recorder.clear()
    return running_service


@pytest_asyncio.fixture(loop_scope="module")
async def client(service: Service, simulated: Provider) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody with a profile."""
    async with service.client() as client:
        yield client
