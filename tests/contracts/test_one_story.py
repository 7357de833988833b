"""One request, one story: whatever the status, response, line, span, record and exemplar carry the same ids."""

import asyncio
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.domain.catalogue import catalogue
from service.middleware.response_headers import SECURITY
from tests.otlp_receiver import OtlpReceiver, ReceivedRecord, ReceivedSpan
from tests.patience import PATIENCE
from tests.service.run.process import Process, completed, environment, running

LIMIT = 40
SETTINGS = {
    "RATE_LIMITS": f'{{"default": {{"limit": {LIMIT}, "window": 3600}}}}',
    "MAX_BODY_BYTES": "1000",
    "DRAIN_SECONDS": "0",
}
JOBS, APPLICATIONS, ME = "/api/v1/jobs", "/api/v1/applications", "/api/v1/profiles/me"
JOB = next(catalogue()).id
STATUSES = (200, 201, 304, 401, 404, 405, 409, 413, 422, 429, 500, 503)
OPEN_METRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}


@dataclass
class Story:
    """One exchange: its response, and what /metrics said right after it."""

    response: httpx.Response
    offered: str | None
    metrics: str

    @property
    def trace_id(self) -> str:
        """The trace that the response names."""
        return self.response.headers["traceresponse"].split("-")[1]

    @property
    def request_id(self) -> str:
        """The id that the response names."""
        return self.response.headers["x-request-id"]


@dataclass
class Told:
    """Every story of a process, and everything that it said by its end."""

    stories: dict[tuple[int, bool], Story] = field(default_factory=dict)
    lines: list[dict[str, Any]] = field(default_factory=list)
    spans: list[ReceivedSpan] = field(default_factory=list)
    records: list[ReceivedRecord] = field(default_factory=list)


class Teller:
    """Brings each status about, on a real route."""

    def __init__(self, service: Process, directory: Path) -> None:
        # A connection each: no story is about the one before it.
        limits = httpx.Limits(max_keepalive_connections=0)
        self.client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.port}", limits=limits, timeout=PATIENCE)
        self.database = directory / "data" / "clearstory.db"
        self.directory = directory

    async def as_(self, subject: str) -> dict[str, str]:
        """The credentials of a subject."""
        _, out, _ = await completed("token", "--sub", subject, env=environment(self.directory))
        return {"Authorization": f"Bearer {out.strip()}"}

    async def prepare(self) -> None:
        """What has to be there first."""
        self.alice, self.greedy = await self.as_("alice"), await self.as_("greedy")
        self.tag = (await self.client.get(f"{JOBS}/{JOB}", headers=self.alice)).headers["etag"]
        made = await self.client.post(APPLICATIONS, json={"job_id": JOB}, headers=self.alice)
        self.mine = made.headers["location"]
        await self.client.patch(self.mine, json={"status": "withdrawn"}, headers=self.alice)
        for _ in range(LIMIT):
            await self.client.get(JOBS, params={"limit": 1}, headers=self.greedy)

    def ask(self, status: int) -> dict[str, Any]:
        """The request that is answered with a status."""
        asks: dict[int, dict[str, Any]] = {
            200: {"method": "GET", "url": f"{JOBS}?limit=2"},
            201: {"method": "POST", "url": APPLICATIONS, "json": {"job_id": JOB}},
            304: {"method": "GET", "url": f"{JOBS}/{JOB}", "headers": {"If-None-Match": self.tag}},
            401: {"method": "GET", "url": JOBS, "headers": {"Authorization": "Bearer forged"}},
            404: {"method": "GET", "url": f"{APPLICATIONS}/app_unknown"},
            405: {"method": "DELETE", "url": JOBS},
            409: {"method": "PATCH", "url": self.mine, "json": {"status": "submitted"}},
            413: {"method": "PUT", "url": ME, "json": {"name": "x" * 2000}},
            422: {"method": "PUT", "url": ME, "json": {"name": 7}},
            429: {"method": "GET", "url": JOBS, "headers": self.greedy},
            500: {"method": "GET", "url": "/boom"},
            503: {"method": "GET", "url": ME},
        }
        ask = asks[status]
        return ask | {"headers": self.alice | ask.get("headers", {})}

    async def tell(self, status: int, offered: str | None) -> Story:
        """One exchange."""
        ask = self.ask(status)
        if status == 503:
            moved = self.database.with_name("moved")
            self.database.rename(moved)
        if offered is not None:
            ask["headers"]["X-Request-ID"] = offered
        response = await self.client.request(**ask)
        if status == 503:
            moved.rename(self.database)
        metrics = await self.client.get("/metrics", headers=OPEN_METRICS)
        return Story(response, offered, metrics.text)


async def tell_all(directory: Path, **settings: str) -> Told:
    """Every status, with an id of the client's and without, in one process from start to end."""
    told = Told()
    with OtlpReceiver() as receiver:
        settings |= {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
        async with running(directory, "tests.story_service", **settings) as service:
            teller = Teller(service, directory)
            async with teller.client:
                await teller.prepare()
                for status in STATUSES:
                    told.stories[status, True] = await teller.tell(status, f"story-{status}")
                    told.stories[status, False] = await teller.tell(status, None)
            service.signal()
            assert await service.ended() == 0
        told.lines = [json.loads(line) for line in service.stdout.splitlines()]
        told.spans, told.records = receiver.spans, receiver.records
    return told


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """The stories of a process that samples every trace."""
    return asyncio.run(tell_all(tmp_path_factory.mktemp("story"), **SETTINGS))


@pytest.fixture(scope="module")
def unsampled(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """The stories of a process that samples none."""
    settings = SETTINGS | {"OTEL_TRACES_SAMPLER": "always_off"}
    return asyncio.run(tell_all(tmp_path_factory.mktemp("unsampled"), **settings))


@pytest.fixture(params=[True, False], ids=["offered", "made"])
def story(told: Told, status: int, request: pytest.FixtureRequest) -> Story:
    """The story of a status, with an id that the client offered or one that was made."""
    return told.stories[status, request.param]


every_status = pytest.mark.parametrize("status", STATUSES)


def exemplars(story: Story) -> list[dict[str, str]]:
    """The exemplars of a story's duration series that name its trace."""
    found = []
    for line in story.metrics.splitlines():
        series = re.match(r"http_server_request_duration_seconds_bucket{(.*?)} \S+ # {(.*?)}", line)
        if series and story.trace_id in series[2]:
            found.append(dict(re.findall(r'(\w+)="([^"]*)"', series[1] + "," + series[2])))
    return found


@every_status
def test_the_ids_of_a_response(story: Story, status: int):
    """The response has the status, one request id (the client's, if it offered one) and one sampled trace."""
    fields = [name for name, _ in story.response.headers.multi_items()]
    assert story.response.status_code == status
    assert (fields.count("x-request-id"), fields.count("traceresponse")) == (1, 1)
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", story.response.headers["traceresponse"])
    if story.offered is None:
        assert re.fullmatch(r"req_[0-9a-f]{32}", story.request_id)
    else:
        assert story.request_id == story.offered


@every_status
def test_one_access_event(told: Told, story: Story, status: int):
    """There is one access event of the request on standard output, with both ids and the status."""
    of_it = [line for line in told.lines if line.get("request_id") == story.request_id]
    (access,) = [line for line in of_it if line["event"] == "http.request.completed"]
    assert (access["trace_id"], access["status"]) == (story.trace_id, status)
    assert access["span_id"] == story.response.headers["traceresponse"].split("-")[2]
    assert {line["trace_id"] for line in of_it} == {story.trace_id}
    assert [line for line in told.lines if line.get("trace_id") == story.trace_id] == of_it


@every_status
def test_one_server_span(told: Told, story: Story, status: int):
    """One server span is exported, the response's own, with the request id; the trace's others hang below it."""
    of_it = [span for span in told.spans if span.trace_id == story.trace_id]
    (server,) = [span for span in of_it if span.server]
    assert server.span_id == story.response.headers["traceresponse"].split("-")[2]
    assert server.attributes["request_id"] == story.request_id
    assert server.attributes["http.response.status_code"] == status
    assert (server.status == 2) is (status >= 500)
    assert [span for span in told.spans if span.attributes.get("request_id") == story.request_id] == [server]
    known = {span.span_id for span in of_it}
    assert all(span.parent_span_id in known for span in of_it if span is not server)


@every_status
def test_one_log_record_of_it(told: Told, story: Story, status: int):
    """The access event is exported once as a log record, with the same ids; so is every other line of the request."""
    of_it = [record for record in told.records if record.trace_id == story.trace_id]
    (access,) = [record for record in of_it if record.event == "http.request.completed"]
    assert (access.attributes["request_id"], access.attributes["status"]) == (story.request_id, status)
    assert {record.attributes["request_id"] for record in of_it} == {story.request_id}
    lines = [line["event"] for line in told.lines if line.get("trace_id") == story.trace_id]
    assert sorted(record.event for record in of_it) == sorted(lines)


@every_status
def test_the_exemplar(story: Story, status: int):
    """OpenMetrics leads from the duration's bucket to the trace."""
    (exemplar,) = exemplars(story)
    assert exemplar["http_response_status_code"] == str(status)
    assert exemplar["http_request_method"] == story.response.request.method
    assert exemplar["span_id"] == story.response.headers["traceresponse"].split("-")[2]


@every_status
def test_the_security_headers(story: Story, status: int):
    """Every security header is there, once, and so is a word on caching."""
    fields = story.response.headers.multi_items()
    for name, value in SECURITY:
        assert [found for key, found in fields if key == name.decode()] == [value.decode()]
    cached = "private, no-cache" if story.response.headers.get("etag") else "no-store"
    assert story.response.headers["cache-control"] == cached


@every_status
def test_the_problem_names_both_ids(story: Story, status: int):
    """An error is a problem document that leads to its log and its trace."""
    if status < 400:
        assert story.response.headers.get("content-type", "application/json") == "application/json"
        return
    problem = story.response.json()
    assert story.response.headers["content-type"] == "application/problem+json"
    assert (problem["status"], problem["request_id"], problem["trace_id"]) == (status, story.request_id, story.trace_id)
    assert {"type", "title", "detail"} <= set(problem)


def test_the_account_is_complete(told: Told):
    """No request of the process, the preparing ones included, lacks its event or span, or has two."""
    events = [line["trace_id"] for line in told.lines if line["event"] == "http.request.completed"]
    spans = [span.trace_id for span in told.spans if span.server]
    assert len(events) == len(set(events)) == 2 * len(STATUSES) + 3 + LIMIT
    assert sorted(spans) == sorted(events)


@every_status
def test_unsampled_requests_keep_their_trace_id(unsampled: Told, status: int):
    """Not sampled, the trace id is still one in response, line and record; no span or exemplar leads nowhere."""
    assert unsampled.spans == []
    for offered in (True, False):
        story = unsampled.stories[status, offered]
        assert story.response.headers["traceresponse"].endswith("-00")
        (access,) = [
            line
            for line in unsampled.lines
            if line.get("request_id") == story.request_id and line["event"] == "http.request.completed"
        ]
        assert (access["trace_id"], access["status"]) == (story.trace_id, status)
        (record,) = [
            record
            for record in unsampled.records
            if record.trace_id == story.trace_id and record.event == "http.request.completed"
        ]
        assert record.attributes["request_id"] == story.request_id
        assert exemplars(story) == []
