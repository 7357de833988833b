"""The tools read the catalogue and do nothing else, whatever the model asks for."""

import json

import pytest

from telemetry import names
from tests.service.briefings.conftest import BRIEFINGS
from tests.service.briefings.scripted import searching

FIXED = {"The arguments are not as described; the tool was not called.", "There is no such tool."}
GOOD = {"query": "Berlin", "limit": 1}


def executed(recorder):
    """The spans of tools that were run."""
    return [span for span in recorder.spans if span.name.startswith("execute_tool")]


def refusals(recorder):
    """Events of refused calls: the tool and why."""
    return [
        (event.attributes["gen_ai.tool.name"], event.attributes[names.ATTR_LLM_REASON])
        for span in recorder.spans
        if span.name == "invoke_agent search"
        for event in span.events
        if event.name == "clearstory.llm.tool_refused"
    ]


@pytest.mark.parametrize(
    ("tool", "arguments", "reason"),
    [
        ("search_jobs", {}, "arguments"),
        ("search_jobs", {"query": "Berlin"}, "arguments"),
        ("search_jobs", GOOD | {"owner": "bob"}, "arguments"),
        ("search_jobs", GOOD | {"limit": "1"}, "arguments"),
        ("search_jobs", GOOD | {"limit": 1.0}, "arguments"),
        ("search_jobs", GOOD | {"limit": True}, "arguments"),
        ("search_jobs", GOOD | {"limit": 0}, "arguments"),
        ("search_jobs", GOOD | {"limit": 10**9}, "arguments"),
        ("search_jobs", GOOD | {"query": ""}, "arguments"),
        ("search_jobs", GOOD | {"query": "x" * 61}, "arguments"),
        ("search_jobs", GOOD | {"query": "a\0b"}, "arguments"),
        ("search_jobs", GOOD | {"query": "\ud800"}, "arguments"),
        ("search_jobs", GOOD | {"query": ["Berlin"]}, "arguments"),
        ("search_jobs", GOOD | {"query": None}, "arguments"),
        ("get_job", {"job_id": "prf_0123456789abcdef"}, "arguments"),
        ("get_job", {"job_id": "job_' OR 1=1 --"}, "arguments"),
        ("delete_profile", {}, "unknown"),
        ("", {}, "unknown"),
    ],
)
async def test_what_does_not_fit_is_never_done(client, model, settled, recorder, tool, arguments, reason):
    """A call outside its schema is answered as failed, is one event and one count; the briefing goes on."""

    async def ask(call):
        return "done" if len(call.messages) > 1 else searching(arguments, tool=tool)

    model.hooks["search"] = ask
    location = (await client.post(BRIEFINGS)).headers["Location"]
    await settled()
    known = tool if tool in {"search_jobs", "get_job"} else "other"
    assert executed(recorder) == []
    assert refusals(recorder) == [(known, reason)]
    assert recorder.metric("briefing_tool_calls_total", gen_ai_tool_name=known, tool_outcome="refused") == 1
    [answered] = [call for call in model.asked if len(call.messages) > 1]
    [result] = answered.messages[2].tool_results
    assert result.failed
    assert result.content in FIXED
    assert (await client.get(location)).json()["status"] == "done"


async def test_an_unknown_job_is_a_failed_result(client, model, settled, recorder):
    """A job that does not exist is said to be so; nothing is found by it."""

    async def ask(call):
        return "done" if len(call.messages) > 1 else searching({"job_id": "job_" + "0" * 16}, tool="get_job")

    model.hooks["search"] = ask
    location = (await client.post(BRIEFINGS)).headers["Location"]
    await settled()
    assert len(executed(recorder)) == 1
    assert model.calls["rank"] == 0
    assert (await client.get(location)).json()["status"] == "done"


@pytest.mark.parametrize(("at_once", "rounds"), [(1, 6), (5, 3), (1000, 1)])
async def test_a_model_that_never_stops_is_stopped(client, model, settled, recorder, at_once, rounds):
    """Twelve calls are done, in six rounds at most, however many are asked for."""
    model.says("search", searching(*[GOOD] * at_once))
    location = (await client.post(BRIEFINGS)).headers["Location"]
    await settled()
    assert model.calls["search"] == rounds
    assert len(executed(recorder)) == min(12, at_once * rounds)
    assert (await client.get(location)).json()["status"] == "done"


async def test_words_are_looked_for_one_by_one(client, model, settled, database):
    """A query that stands nowhere as it is finds what has its words, within the limit."""

    async def ask(call):
        return "done" if len(call.messages) > 1 else searching({"query": "Berlin zebra Engineer", "limit": 5})

    model.hooks["search"] = ask
    await client.post(BRIEFINGS)
    await settled()
    [answered] = [call for call in model.asked if call.prompt.name == "briefing_search" and len(call.messages) > 1]
    listed = json.loads(answered.messages[2].tool_results[0].content.split("\n")[1])
    assert len(listed) == 5
    assert all("Berlin" in job["location"] or "Engineer" in job["title"] for job in listed)
