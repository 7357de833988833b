"""Questions about the caller's profile, answered by a language model."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import StringConstraints

from service.access import bearer
from service.domain import profiles
from service.llm import briefs
from service.llm.errors import LlmError
from service.openapi import problems
from service.routes.answers import CurrentAsker, CurrentAssistant, no_cv, told
from service.routes.attached import answered
from service.routes.resources import API, PROSE, Body, CurrentDatabase, CurrentOwner, View

router = APIRouter(prefix=f"{API}/questions", tags=["questions"])

POLICY = "questions"


class QuestionBody(Body):
    """A question."""

    question: Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=PROSE)]


class AnswerView(View):
    """Its answer, and what gave it; it is not kept."""

    id: str
    answer: str
    model: str
    prompt_version: str


@router.post("", name="ask", responses=problems(409, 502), **bearer(POLICY))
async def ask_question(
    request: Request,
    database: CurrentDatabase,
    owner: CurrentOwner,
    assistant: CurrentAssistant,
    asker: CurrentAsker,
    body: QuestionBody,
) -> AnswerView:
    """Ask something about the caller's own profile."""
    async with answered(request):
        profile = await profiles.by_owner(database, owner)
        if profile is None or not profile.cv_content:
            raise no_cv()
        ask = briefs.question(asker, POLICY, profile, body.question, personal=assistant.personal)
        try:
            completion = await assistant.whole(ask)
        except LlmError as error:
            raise told(error, POLICY) from error
    return AnswerView(
        id=f"qst_{secrets.token_hex(16)}",
        answer=completion.text,
        model=completion.model,
        prompt_version=assistant.version(ask.prompt),
    )
