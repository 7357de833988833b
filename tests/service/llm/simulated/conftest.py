"""One provider a module, and the official client of it."""

from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest
from anthropic import AsyncAnthropic

from tests.patience import PATIENCE
from tests.service.llm.simulated.process import Provider, provider


@pytest.fixture(scope="module")
def simulated() -> Iterator[Provider]:
    """A provider that answers as fast as it can."""
    with provider("--keep-bodies") as running:
        yield running


@pytest.fixture
async def client(simulated: Provider) -> AsyncIterator[AsyncAnthropic]:
    """The official client, which retries nothing by itself, with an empty prompt cache at the other end."""
    simulated.ask("DELETE", "/cache")
    async with (
        httpx2.AsyncClient(timeout=PATIENCE) as http,
        AsyncAnthropic(api_key="sk-simulated", base_url=simulated.url, max_retries=0, http_client=http) as made,
    ):
        yield made
