"""What the searching agent may do: read the catalogue, and nothing else.

Arguments are the model's, and so perhaps an advert's. What does not fit its schema exactly is answered as a failed
tool, counted and never done.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from service.briefings.spans import Spans
from service.database import Database
from service.database.models import Job
from service.domain import jobs
from service.llm.model import Tool, ToolResult, ToolUse
from telemetry import names

MAX_CALLS = 12
"""Tool calls of one search: what the prompt promises."""

_MAX_WORDS = 4

SEARCH_JOBS, GET_JOB = "search_jobs", "get_job"
_REFUSED = "The arguments are not as described; the tool was not called."
_UNKNOWN = "There is no such tool."
_SPENT = "There are no tool calls left."
_NO_JOB = "There is no job of that id."


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class SearchJobs(_Arguments):
    """Arguments of `search_jobs`."""

    query: Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]*$")]
    limit: Annotated[int, Field(ge=1, le=20)]


class GetJob(_Arguments):
    """Arguments of `get_job`."""

    job_id: Annotated[str, Field(max_length=64, pattern=r"^job_[0-9a-f]{16}$")]


TOOLS = (
    Tool(SEARCH_JOBS, "Adverts whose title, company or place contains the query.", SearchJobs.model_json_schema()),
    Tool(GET_JOB, "One advert in full.", GetJob.model_json_schema()),
)
CALLS = [(tool, outcome) for tool in (SEARCH_JOBS, GET_JOB, names.OTHER) for outcome in ("answered", "refused")]


class _Counter(Protocol):
    def inc(self) -> None: ...


class ToolMetrics(Protocol):
    """The part of the telemetry's metrics that tools need."""

    def counter(self, spec: names.Metric, *values: str) -> _Counter:
        """The counter of these label values."""


class Toolbox:
    """The tools of one search.

    Args:
        database: the catalogue's.
        spans: told of each call.
        metrics: counts them.
        wrap: marks a text of a kind as data.

    Attributes:
        found: ids of the jobs that the search came upon, in order.
    """

    def __init__(self, database: Database, spans: Spans, metrics: ToolMetrics, wrap: Callable[[str, str], str]) -> None:
        self._database = database
        self._spans = spans
        self._metrics = metrics
        self._wrap = wrap
        self._calls = 0
        self.found: dict[str, None] = {}
        self._tools: dict[str, tuple[type[_Arguments], Callable[[Any], Awaitable[str | None]]]] = {
            SEARCH_JOBS: (SearchJobs, self._search_jobs),
            GET_JOB: (GetJob, self._get_job),
        }

    @property
    def spent(self) -> bool:
        """Whether no call is left."""
        return self._calls >= MAX_CALLS

    async def call(self, use: ToolUse) -> ToolResult:
        """Do what the model asks for, or say why not.

        Raises:
            Unavailable: the database is gone or busy.
        """
        if self.spent:
            return self._refuse(use, "spent", _SPENT)
        self._calls += 1
        known = self._tools.get(use.name)
        if known is None:
            return self._refuse(use, "unknown", _UNKNOWN)
        schema, run = known
        try:
            arguments = schema.model_validate(dict(use.arguments))
        except ValidationError:
            return self._refuse(use, "arguments", _REFUSED)
        with self._spans.tool(use.name, use.id):
            content = await run(arguments)
        self._metrics.counter(names.BRIEFING_TOOL_CALLS, use.name, "answered").inc()
        if content is None:
            return ToolResult(use.id, _NO_JOB, failed=True)
        return ToolResult(use.id, self._wrap("tool-result", content))

    def _refuse(self, use: ToolUse, reason: str, text: str) -> ToolResult:
        tool = use.name if use.name in self._tools else names.OTHER  # the model's own word goes nowhere
        self._spans.event(names.LLM_TOOL_REFUSED, {names.ATTR_GENAI_TOOL: tool, names.ATTR_LLM_REASON: reason})
        self._metrics.counter(names.BRIEFING_TOOL_CALLS, tool, "refused").inc()
        return ToolResult(use.id, text, failed=True)

    async def _search_jobs(self, arguments: SearchJobs) -> str:
        items = await self._page(arguments.query, arguments.limit)
        if not items:  # a model writes more words than an advert has side by side
            for word in arguments.query.split()[:_MAX_WORDS]:
                items += await self._page(word, arguments.limit - len(items)) if len(items) < arguments.limit else []
        listed = {j.id: {"id": j.id, "title": j.title, "company": j.company, "location": j.location} for j in items}
        self.found.update(dict.fromkeys(listed))
        return json.dumps(list(listed.values()), ensure_ascii=False)

    async def _page(self, query: str, limit: int) -> list[Job]:
        return list((await jobs.page(self._database, query, limit, None)).items)

    async def _get_job(self, arguments: GetJob) -> str | None:
        job = await jobs.by_id(self._database, arguments.job_id)
        if job is None:
            return None
        self.found[job.id] = None
        return advert(job)


def advert(job: Job) -> str:
    """A posting as agents read it."""
    told = ("id", "title", "company", "location", "employment_type", "remote")
    paid = ("salary_min", "salary_max", "currency", "description")
    return json.dumps({name: getattr(job, name) for name in (*told, *paid)}, ensure_ascii=False)
