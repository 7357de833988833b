"""The job catalogue."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from service.access import bearer
from service.domain import jobs
from service.domain.paging import InvalidCursor
from service.errors import NotFound, UnprocessableContent
from service.openapi import CACHED, problems
from service.routes.etag import tagged
from service.routes.resources import API, LINE, CurrentDatabase, Cursor, Limit, View

router = APIRouter(prefix=f"{API}/jobs", tags=["jobs"])


class JobView(View):
    """A posting; salaries are a year's, in whole units of `currency`."""

    id: str
    title: str
    company: str
    location: str
    employment_type: Literal["full-time", "part-time", "contract", "internship"]
    remote: bool
    salary_min: int
    salary_max: int
    currency: str
    description: str
    posted_at: datetime


class JobList(View):
    """Some jobs, newest first."""

    items: list[JobView]
    next_cursor: str | None


@router.get("", name="list", response_model=JobList, responses=CACHED, **bearer())
async def list_jobs(
    request: Request,
    database: CurrentDatabase,
    q: Annotated[str | None, Query(max_length=200, pattern=LINE, description="In title, company or location.")] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> Response:
    """List jobs, newest first, optionally those that a text occurs in."""
    try:
        page = await jobs.page(database, q, limit, cursor)
    except InvalidCursor as error:
        raise invalid_cursor() from error
    return tagged(request, JobList.model_validate(page).model_dump_json().encode())


@router.get("/{job_id}", name="get-by-id", response_model=JobView, responses=CACHED | problems(404), **bearer())
async def get_job(request: Request, database: CurrentDatabase, job_id: str) -> Response:
    """Get one job."""
    job = await jobs.by_id(database, job_id)
    if job is None:
        raise NotFound
    return tagged(request, JobView.model_validate(job).model_dump_json().encode())


def invalid_cursor() -> UnprocessableContent:
    """The error for a cursor that no list gave out."""
    return UnprocessableContent.at("query", "cursor", kind="cursor_invalid", message="The cursor is not valid.")
