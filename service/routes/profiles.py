"""The caller's own profile."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import StringConstraints
from starlette.status import HTTP_200_OK, HTTP_201_CREATED, HTTP_204_NO_CONTENT

from service.access import bearer
from service.domain import profiles
from service.errors import NotFound
from service.openapi import problems
from service.routes.resources import API, LINE, PROSE, Body, CurrentDatabase, CurrentOwner, CurrentRunner, View

router = APIRouter(prefix=f"{API}/profiles", tags=["profiles"])

_EMAIL = r"^[^@\x00-\x20\x7f]+@[^@\x00-\x20\x7f]+$"


class ProfileBody(Body):
    """What the caller says of themselves."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=LINE)]
    email: Annotated[str, StringConstraints(max_length=254, pattern=_EMAIL)]
    phone: Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=LINE)] | None = None
    cv_content: Annotated[str, StringConstraints(max_length=200_000, pattern=PROSE)] | None = None


class ProfileView(View):
    """The profile."""

    id: str
    name: str
    email: str
    phone: str | None
    cv_content: str | None
    created_at: datetime
    updated_at: datetime


@router.get("/me", name="get-mine", responses=problems(404), **bearer())
async def get_mine(database: CurrentDatabase, owner: CurrentOwner) -> ProfileView:
    """Get the caller's profile."""
    profile = await profiles.by_owner(database, owner)
    if profile is None:
        raise NotFound
    return ProfileView.model_validate(profile)


@router.put(
    "/me",
    name="replace-mine",
    responses={HTTP_201_CREATED: {"model": ProfileView, "description": "There was none before."}},
    **bearer(),
)
async def replace_mine(
    database: CurrentDatabase, owner: CurrentOwner, body: ProfileBody, response: Response
) -> ProfileView:
    """Write the caller's profile; what the body leaves out is removed."""
    fields = profiles.Fields(body.name, body.email, body.phone, body.cv_content)
    profile, created = await profiles.replace(database, owner, fields, datetime.now(UTC))
    response.status_code = HTTP_201_CREATED if created else HTTP_200_OK
    return ProfileView.model_validate(profile)


@router.delete("/me", name="erase-mine", status_code=HTTP_204_NO_CONTENT, **bearer())
async def erase_mine(database: CurrentDatabase, owner: CurrentOwner, runner: CurrentRunner) -> None:
    """Erase everything of the caller: profile, applications, briefings and remembered requests."""
    await profiles.erase(database, owner, runner.cancel)
