"""Without any key: briefings by the simulated provider, through the official SDK, with the prompts as they are."""

import pytest
from fastapi import FastAPI

from service.app import create_app
from tests.service.briefings.conftest import BRIEFINGS
from tests.service.llm.simulated.process import Provider

ME = "/api/v1/profiles/me"
CV = {"name": "Ada", "email": "ada@example.org", "cv_content": "Data Engineer in Berlin. Platform Engineer before."}


@pytest.fixture
def built(settings, simulated: Provider) -> FastAPI:
    """The application as it is."""
    return create_app(settings(SIMULATED_PROVIDER_URL=simulated.url))


async def test_a_briefing_of_the_simulated_provider(client, settled):
    """All five prompts get answers that fit, and the result names jobs of the catalogue."""
    await client.put(ME, json=CV)
    location = (await client.post(BRIEFINGS, json={"focus": "Berlin Data Engineer"})).headers["Location"]
    await settled()
    done = (await client.get(location)).json()
    assert (done["status"], done["reason"]) == ("done", None)
    for item in done["result"]["items"]:
        assert (await client.get(f"/api/v1/jobs/{item['job_id']}")).status_code == 200
    assert done["result"]["items"]
