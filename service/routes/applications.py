"""The caller's applications."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Header, Request
from pydantic import StringConstraints
from starlette.responses import Response
from starlette.status import HTTP_201_CREATED

from service.access import bearer
from service.database import Claimed
from service.database.models import Application
from service.domain import applications
from service.domain.applications import AlreadyFinal, Status
from service.domain.idempotency import Answer, Key, OtherRequest
from service.domain.jobs import UnknownJob
from service.domain.paging import InvalidCursor
from service.errors import Conflict, NotFound, UnprocessableContent
from service.openapi import problems
from service.routes.jobs import invalid_cursor
from service.routes.resources import (
    API,
    LINE,
    Body,
    CurrentDatabase,
    CurrentOwner,
    Cursor,
    Limit,
    Note,
    View,
    no_such_job,
)

router = APIRouter(prefix=f"{API}/applications", tags=["applications"])

_HEADER = "Idempotency-Key"
_KEY = r"^[!-~]{1,255}$"


class ApplicationBody(Body):
    """An application to be."""

    job_id: Annotated[str, StringConstraints(max_length=64, pattern=LINE)]
    note: Note | None = None


class ApplicationChange(Body):
    """What is to change: a status that is absent or null stays, a note that is null goes."""

    status: Status | None = None
    note: Note | None = None


class ApplicationView(View):
    """An application."""

    id: str
    job_id: str
    status: Status
    note: str | None
    created_at: datetime
    updated_at: datetime


class ApplicationList(View):
    """Some applications, newest first."""

    items: list[ApplicationView]
    next_cursor: str | None


@router.post(
    "",
    name="submit",
    response_model=ApplicationView,
    status_code=HTTP_201_CREATED,
    responses=problems(409)
    | {
        HTTP_201_CREATED: {
            "headers": {
                "Location": {"schema": {"type": "string"}},
                "Idempotent-Replayed": {"schema": {"type": "string", "enum": ["true"]}},
            }
        }
    },
    **bearer(),
)
async def submit(
    request: Request,
    database: CurrentDatabase,
    owner: CurrentOwner,
    body: ApplicationBody,
    idempotency_key: Annotated[
        str | None,
        Header(alias=_HEADER, pattern=_KEY, description="Sent again, the first answer is given again."),
    ] = None,
) -> Response:
    """Apply for a job."""
    if len(request.headers.getlist(_HEADER)) > 1:
        raise UnprocessableContent.at("header", _HEADER, kind="repeated", message="The header is there twice.")
    key = None
    if idempotency_key is not None:
        route = f"{request.method} {router.prefix}"
        key = Key.of(owner, route, idempotency_key, body.model_dump_json().encode())

    def answer(made: Application) -> Answer:
        view = ApplicationView.model_validate(made)
        return Answer(HTTP_201_CREATED, f"{router.prefix}/{view.id}", view.model_dump_json().encode())

    draft = applications.Draft(owner, body.job_id, body.note)
    try:
        given, replayed = await applications.submit(database, draft, key, answer, datetime.now(UTC))
    except UnknownJob as error:
        raise no_such_job() from error
    except OtherRequest as error:
        raise UnprocessableContent.at(
            "header", _HEADER, kind="key_reused", message="The key was used for another request."
        ) from error
    except Claimed as error:
        raise Conflict("The first request with this key is still running.") from error
    return _response(given, replayed)


@router.get("", name="list", **bearer())
async def list_mine(
    database: CurrentDatabase, owner: CurrentOwner, limit: Limit = 20, cursor: Cursor = None
) -> ApplicationList:
    """List the caller's applications, newest first."""
    try:
        page = await applications.page(database, owner, limit, cursor)
    except InvalidCursor as error:
        raise invalid_cursor() from error
    return ApplicationList.model_validate(page)


@router.get("/{application_id}", name="get-by-id", responses=problems(404), **bearer())
async def get_application(database: CurrentDatabase, owner: CurrentOwner, application_id: str) -> ApplicationView:
    """Get one of the caller's applications."""
    found = await applications.by_id(database, owner, application_id)
    if found is None:
        raise NotFound
    return ApplicationView.model_validate(found)


@router.patch(
    "/{application_id}",
    name="change",
    responses=problems(404, 409),
    **bearer(),
)
async def change(
    database: CurrentDatabase, owner: CurrentOwner, application_id: str, body: ApplicationChange
) -> ApplicationView:
    """Change the status or the note; a rejected or withdrawn application keeps its status."""
    wanted = applications.Change(body.status, "note" in body.model_fields_set, body.note)
    try:
        changed = await applications.change(database, owner, application_id, wanted, datetime.now(UTC))
    except AlreadyFinal as error:
        raise Conflict("The application has been rejected or withdrawn.") from error
    if changed is None:
        raise NotFound
    return ApplicationView.model_validate(changed)


def _response(given: Answer, replayed: bool) -> Response:
    headers = {"Location": given.location} if given.location else {}
    if replayed:
        headers["Idempotent-Replayed"] = "true"
    return Response(given.body, given.status, headers, "application/json")
