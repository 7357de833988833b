"""A briefing is asked for, written in the background by five agents, and read by its owner."""

import json

import pytest

from service.domain.catalogue import catalogue
from service.llm import errors
from tests.service.briefings.conftest import BRIEFINGS
from tests.service.briefings.scripted import AGENTS

both = pytest.mark.parametrize("backend", ["sqlite", "postgresql"], indirect=True)
ME = "/api/v1/profiles/me"
CV = {"name": "Ada", "email": "ada@example.org", "cv_content": "Six years of pipelines, marker CV-77."}


@both
async def test_it_is_written_in_the_background(client, model, settled):
    """A 202 names the briefing and its trace; when it is done it holds jobs of the catalogue."""
    await client.put(ME, json=CV)
    held = model.holds("plan")
    answer = await client.post(BRIEFINGS, json={"focus": "closer to data"})
    begun = answer.json()
    assert (answer.status_code, answer.headers["Location"]) == (202, f"{BRIEFINGS}/{begun['id']}")
    assert (begun["status"], begun["result"], begun["reason"]) == ("queued", None, None)
    assert begun["trace_id"] == answer.headers["traceresponse"].split("-")[1]
    await held.wait()
    assert (await client.get(answer.headers["Location"])).json()["status"] == "running"


@both
async def test_the_result_is_made_of_the_catalogue(client, model, settled):
    """The result has the title, the summary and jobs that exist; every agent was asked once."""
    await client.put(ME, json=CV)
    location = (await client.post(BRIEFINGS, json={"focus": "closer to data"})).headers["Location"]
    await settled()
    done = (await client.get(location)).json()
    assert (done["status"], done["reason"], done["focus"]) == ("done", None, "closer to data")
    assert (done["result"]["title"], done["result"]["summary"]) == ("Data work", "Three jobs.")
    known = {posting.id for posting in catalogue()}
    assert len(done["result"]["items"]) == 3
    assert {item["job_id"] for item in done["result"]["items"]} <= known
    assert model.calls == {"plan": 1, "search": 2, "rank": 1, "write": 1, "critic": 1}


async def test_texts_of_others_are_marked_as_data(client, model, settled):
    """CV, focus, adverts and tool results stand between the delimiters; the system prompt is the same for everybody."""
    await client.put(ME, json=CV)
    await client.post(BRIEFINGS, json={"focus": "FOCUS-77"})
    await settled()
    by_agent = {call.prompt.name.removeprefix("briefing_"): call for call in model.asked}
    for agent in ("plan", "rank", "write", "critic"):
        text = by_agent[agent].messages[0].text
        assert "<untrusted-curriculum-vitae>\nSix years of pipelines, marker CV-77.\n</untrusted" in text
        assert "<untrusted-focus>\nFOCUS-77\n</untrusted" in text
    assert "CV-77" not in by_agent["search"].messages[0].text
    results = by_agent["search"].messages[2].tool_results
    assert all(result.content.startswith("<untrusted-tool-result>") for result in results)
    assert "<untrusted-advert>" in by_agent["rank"].messages[0].text
    assert all("77" not in call.prompt.text and "ada@example.org" not in str(call.messages) for call in model.asked)
    assert {call.user for call in model.asked} != {"alice"}


async def test_somebody_elses_is_not_found(client, bob, settled):
    """A briefing is seen by its owner alone; what is no id is not found either."""
    location = (await client.post(BRIEFINGS, json={})).headers["Location"]
    await settled()
    assert (await client.get(location)).status_code == 200
    assert (await bob.get(location)).status_code == 404
    assert (await client.get(f"{BRIEFINGS}/brf_x")).status_code == 404


@pytest.mark.parametrize("body", [{"focus": ""}, {"focus": "x" * 1001}, {"focus": "a\0"}, {"focus": 7}, {"other": 1}])
async def test_bad_bodies_are_422(client, model, body):
    """A bad body is a 422 and nothing begins."""
    assert (await client.post(BRIEFINGS, json=body)).status_code == 422
    assert model.calls == {}


async def test_nothing_found_is_a_briefing_too(client, model, settled):
    """Without candidates nobody is asked to rank, and the briefing says so without items."""
    model.says("search", "done")
    location = (await client.post(BRIEFINGS)).headers["Location"]
    await settled()
    assert (await client.get(location)).json()["result"]["items"] == []
    assert model.calls["rank"] == 0


async def test_invented_jobs_are_left_out(client, model, settled):
    """A job that nobody found is in no briefing, nor is one twice."""
    known = [posting.id for posting, _ in zip(catalogue(), range(2), strict=False)]
    model.says("search", "done")

    async def found(call):
        if len(call.messages) == 1:
            from tests.service.briefings.scripted import searching  # noqa: PLC0415

            return searching({"job_id": known[0]}, tool="get_job")
        return "done"

    model.hooks["search"] = found
    item = {"job_id": known[0], "why": "a"}
    invented = {"job_id": known[1], "why": "b"}
    model.says("rank", json.dumps({"ranking": [item, invented, item]}))
    model.says("write", json.dumps({"title": "t", "summary": "s", "items": [invented, item, item]}))
    location = (await client.post(BRIEFINGS)).headers["Location"]
    await settled()
    assert (await client.get(location)).json()["result"]["items"] == [item]


async def test_the_critic_sends_back_twice_at_most(client, model, settled):
    """A critic who is never content gets two revisions; the remarks reach the writer; the last draft is the result."""
    model.says("critic", json.dumps({"verdict": "revise", "remarks": "REMARK-1"}))
    location = (await client.post(BRIEFINGS)).headers["Location"]
    await settled()
    assert (model.calls["write"], model.calls["critic"]) == (3, 3)
    drafts = [call for call in model.asked if call.prompt.name == "briefing_write"]
    assert ["REMARK-1" in call.messages[0].text for call in drafts] == [False, True, True]
    assert (await client.get(location)).json()["status"] == "done"


@pytest.mark.parametrize("agent", ["plan", "rank", "write", "critic"])
@pytest.mark.parametrize(
    "answer",
    ["", "no JSON", '{"queries": []}', "[" * 5000, '{"title": "\\ud800"}'],
)
async def test_invalid_answers_end_it(client, model, settled, agent, answer):
    """An agent that never answers as it must is asked three times; the briefing fails and holds nothing."""
    model.says(agent, answer)
    location = (await client.post(BRIEFINGS)).headers["Location"]
    await settled()
    failed = (await client.get(location)).json()
    assert (failed["status"], failed["reason"], failed["result"]) == ("failed", "invalid_answer", None)
    assert model.calls[agent] == 3


async def test_an_answer_may_be_corrected(client, model, settled):
    """An answer in a code fence is taken, and one that was wrong at first as well."""
    answers = iter(["Here you are!", '```json\n{"queries": ["Berlin"]}\n```'])

    async def say(_):
        return next(answers)

    model.hooks["plan"] = say
    location = (await client.post(BRIEFINGS)).headers["Location"]
    await settled()
    assert (await client.get(location)).json()["status"] == "done"


@pytest.mark.parametrize(
    "error",
    [
        errors.TooLong(),
        errors.Refused(),
        errors.Unavailable(3.0, ["timeout"]),
        errors.Interrupted(),
        errors.Overspent("tokens", 5.0),
        errors.Withheld(),
        errors.LlmError(),
    ],
)
async def test_a_failing_model_ends_it(client, model, settled, recorder, error):
    """What a model fails with is the reason; it is told once and counted; nothing of the work is kept."""

    async def fail(_):
        raise error

    model.hooks["rank"] = fail
    location = (await client.post(BRIEFINGS)).headers["Location"]
    await settled()
    failed = (await client.get(location)).json()
    assert (failed["status"], failed["reason"], failed["result"]) == ("failed", error.kind, None)
    assert [event["reason"] for event in recorder.events("briefing.failed")] == [error.kind]
    assert recorder.metric("briefings_finished_total", briefing_outcome=error.kind) == 1
    assert recorder.metric("briefings_unfinished", briefing_state="running") == 0


async def test_a_defect_ends_one_briefing_only(client, model, settled, recorder):
    """A bug in the middle is `internal`, told with its traceback; the next briefing is done."""

    async def break_(_):
        raise KeyError("SECRET-9")

    model.hooks["write"] = break_
    first = (await client.post(BRIEFINGS)).headers["Location"]
    await settled()
    model.hooks.clear()
    second = (await client.post(BRIEFINGS)).headers["Location"]
    await settled()
    assert (await client.get(first)).json()["reason"] == "internal"
    assert (await client.get(second)).json()["status"] == "done"
    [event] = recorder.events("briefing.failed")
    assert event["exception"]


async def test_a_deadline_ends_it(app, client, model, settled):
    """A briefing that takes too long fails with its own reason."""
    app.state.briefings._deadline = 0.2
    model.holds("rank")
    location = (await client.post(BRIEFINGS)).headers["Location"]
    await settled()
    assert (await client.get(location)).json()["reason"] == "deadline"


def test_every_agent_has_its_prompt():
    """The agents are those that the prompts are named after."""
    from service.briefings.agents import AGENTS as NAMED  # noqa: PLC0415

    assert NAMED == AGENTS
