"""Briefings: asked for here, written in the background."""

import json
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import StringConstraints, field_validator
from starlette.status import HTTP_202_ACCEPTED

from service.access import bearer
from service.briefings.runner import Full, TooMany
from service.database.models import Briefing
from service.domain import briefings
from service.domain.briefings import BriefingStatus, Draft
from service.errors import NotFound, TooManyUnfinished, Unavailable
from service.openapi import problems
from service.routes.answers import CurrentAsker
from service.routes.resources import API, PROSE, Body, CurrentDatabase, CurrentOwner, CurrentRunner, View
from telemetry import current_request

router = APIRouter(prefix=f"{API}/briefings", tags=["briefings"])

_COME_BACK_SECONDS = 15


class BriefingBody(Body):
    """What the briefing is to be about; without a focus, what the profile suggests."""

    focus: Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=PROSE)] | None = None


_NO_BODY = BriefingBody()


class BriefingItem(View):
    """A job, and why to look at it."""

    job_id: str
    why: str


class BriefingResult(View):
    """A selection of jobs."""

    title: str
    summary: str
    items: list[BriefingItem]


class BriefingView(View):
    """A briefing; `result` is there when it is done, `reason` when it has failed."""

    id: str
    status: BriefingStatus
    focus: str | None
    result: BriefingResult | None
    reason: str | None
    trace_id: str | None
    created_at: datetime
    updated_at: datetime

    @field_validator("result", mode="before")
    @classmethod
    def _read(cls, stored: Any) -> Any:  # noqa: ANN401 - pydantic's protocol
        return json.loads(stored) if isinstance(stored, str) else stored


@router.post(
    "",
    name="start",
    status_code=HTTP_202_ACCEPTED,
    responses={HTTP_202_ACCEPTED: {"headers": {"Location": {"schema": {"type": "string"}}}}},
    **bearer("llm"),
)
async def start(
    request: Request,
    response: Response,
    asker: CurrentAsker,
    runner: CurrentRunner,
    body: BriefingBody = _NO_BODY,
) -> BriefingView:
    """Ask for a briefing; `trace_id` is where the work on it can be followed."""
    draft = Draft(asker.key, asker.pseudonym, body.focus, current_request(request.scope).traceparent)
    try:
        briefing = await runner.submit(draft)
    except TooMany as error:
        raise TooManyUnfinished(_COME_BACK_SECONDS) from error
    except Full as error:
        raise Unavailable(_COME_BACK_SECONDS) from error
    response.headers["Location"] = f"{router.prefix}/{briefing.id}"
    return _view(briefing)


@router.get("/{briefing_id}", name="get-by-id", responses=problems(404), **bearer())
async def get_briefing(database: CurrentDatabase, owner: CurrentOwner, briefing_id: str) -> BriefingView:
    """Get one of the caller's briefings."""
    found = await briefings.by_id(database, owner, briefing_id)
    if found is None:
        raise NotFound
    return _view(found)


def _view(briefing: Briefing) -> BriefingView:
    return BriefingView.model_validate(briefing)
