"""Cover letters, written by a language model."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Request
from pydantic import StringConstraints
from starlette.responses import Response
from starlette.status import HTTP_200_OK, HTTP_201_CREATED

from service.access import bearer
from service.database import Database
from service.domain import cover_letters
from service.domain.cover_letters import MODEL_LENGTH, Length, Material, NoCv, Tone, Written, storable
from service.domain.jobs import UnknownJob
from service.errors import AnswerBroken, NotFound, ServiceError
from service.llm import briefs
from service.llm.assistant import Ask, Assistant
from service.llm.errors import LlmError
from service.llm.model import Completion
from service.openapi import problems
from service.routes.answers import CurrentAsker, CurrentAssistant, no_cv, told, wants_events
from service.routes.attached import answered
from service.routes.event_stream import MEDIA_TYPE, EventStream, event, failure
from service.routes.resources import API, LINE, Body, CurrentDatabase, CurrentOwner, View, no_such_job
from telemetry import get_logger, names

router = APIRouter(prefix=f"{API}/cover-letters", tags=["cover-letters"])
log = get_logger(__name__)

POLICY = "llm"


class CoverLetterBody(Body):
    """A cover letter to be."""

    job_id: Annotated[str, StringConstraints(max_length=64, pattern=LINE)]
    tone: Tone = Tone.PLAIN
    length: Length = Length.MEDIUM


class CoverLetterView(View):
    """A cover letter, and what wrote it."""

    id: str
    job_id: str
    tone: Tone
    length: Length
    content: str
    model: str
    prompt_version: str
    created_at: datetime


_ANSWERS: dict[int | str, dict[str, Any]] = {
    HTTP_200_OK: {
        "description": "With `Accept: text/event-stream`: `token` events, then `done` with the letter, or `error`.",
        "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
    },
    HTTP_201_CREATED: {"headers": {"Location": {"schema": {"type": "string"}}}},
}


@router.post(
    "",
    name="write",
    response_model=CoverLetterView,
    status_code=HTTP_201_CREATED,
    responses=problems(409, 502) | _ANSWERS,
    **bearer(POLICY),
)
async def write(
    request: Request,
    database: CurrentDatabase,
    owner: CurrentOwner,
    assistant: CurrentAssistant,
    asker: CurrentAsker,
    body: CoverLetterBody,
) -> Response:
    """Write a letter for a job, of the caller's CV: at once, or with `Accept: text/event-stream` word by word."""
    async with answered(request):
        try:
            made_of = await cover_letters.material(database, owner, body.job_id)
        except UnknownJob as error:
            raise no_such_job() from error
        except NoCv as error:
            raise no_cv() from error
        ask = briefs.cover_letter(
            asker, POLICY, made_of, tone=body.tone, length=body.length, personal=assistant.personal
        )
        try:
            if wants_events(request):
                events = _events(request, database, made_of, body, assistant, ask)
                # Whatever fails before the first word has a status of its own.
                return EventStream(await anext(events), events, AnswerBroken("interrupted"))
            completion = await assistant.whole(ask)
        except LlmError as error:
            raise told(error, POLICY) from error
        view = await _kept(database, made_of, body, completion, assistant.version(ask.prompt))
    location = {"Location": f"{router.prefix}/{view.id}"}
    return Response(view.model_dump_json().encode(), HTTP_201_CREATED, location, "application/json")


async def _events(
    request: Request,
    database: Database,
    made_of: Material,
    body: CoverLetterBody,
    assistant: Assistant,
    ask: Ask,
) -> AsyncGenerator[bytes, None]:
    """Give the words as they come, then the letter that was kept, or why there is none."""
    begun = False
    try:
        async with aclosing(assistant.pieces(ask)) as pieces:
            async for item in pieces:
                if isinstance(item, str):
                    begun = True
                    yield event("token", orjson.dumps({"text": item}))
                    continue
                view = await _kept(database, made_of, body, item, assistant.version(ask.prompt))
                yield event("done", view.model_dump_json().encode())
    except (LlmError, ServiceError) as error:
        if not begun:
            raise
        problem = told(error, POLICY) if isinstance(error, LlmError) else error
        log.warning(names.LLM_ANSWER_BROKEN, prompt_name=ask.prompt, problem=problem.code)
        yield failure(problem, request.scope)


async def _kept(
    database: Database, made_of: Material, body: CoverLetterBody, completion: Completion, version: str
) -> CoverLetterView:
    written = Written(body.tone, body.length, storable(completion.text), completion.model[:MODEL_LENGTH], version)
    try:
        letter = await cover_letters.keep(database, made_of, written, datetime.now(UTC))
    except NoCv as error:
        raise no_cv() from error
    return CoverLetterView.model_validate(letter)


@router.get("/{cover_letter_id}", name="get-by-id", responses=problems(404), **bearer())
async def get_cover_letter(database: CurrentDatabase, owner: CurrentOwner, cover_letter_id: str) -> CoverLetterView:
    """Get one of the caller's letters."""
    found = await cover_letters.by_id(database, owner, cover_letter_id)
    if found is None:
        raise NotFound
    return CoverLetterView.model_validate(found)
