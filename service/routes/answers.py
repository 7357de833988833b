"""What the routes of the language model share: who asks, in which form the answer is wanted, and what went wrong."""

from typing import Annotated

from fastapi import Depends, Request

from service.access import CurrentPrincipal
from service.errors import (
    GONE_SECONDS,
    AnswerBroken,
    AnswerRefused,
    AnswerUnavailable,
    Conflict,
    LlmLimited,
    OverTokenBudget,
    ServiceError,
)
from service.limits import NeverFits
from service.limits.llm_limits import PROVIDER_BUDGET
from service.llm import errors
from service.llm.assistant import Asker, Assistant
from service.routes.event_stream import MEDIA_TYPE
from service.routes.resources import CurrentOwner


async def current_assistant(request: Request) -> Assistant:
    """The application's language model."""
    assistant: Assistant = request.app.state.assistance.assistant
    return assistant


async def current_asker(request: Request, owner: CurrentOwner, principal: CurrentPrincipal) -> Asker:
    """Who asks: a key for the limits, the same as that of their work in the background, and a pseudonym."""
    pseudonym: str = request.app.state.telemetry.scrubber.pseudonym("user", principal.subject)
    return Asker(owner, pseudonym)


CurrentAssistant = Annotated[Assistant, Depends(current_assistant)]
CurrentAsker = Annotated[Asker, Depends(current_asker)]


def wants_events(request: Request) -> bool:
    """Say whether the client accepts Server-Sent Events by name (RFC 9110 section 12.5.1)."""
    for accepted in ",".join(request.headers.getlist("accept")).split(","):
        kind, *parameters = (part.strip().lower() for part in accepted.split(";"))
        weight = next((each[2:] for each in parameters if each.startswith("q=")), "1")
        if kind == MEDIA_TYPE and weight.strip("0.") != "":
            return True
    return False


def no_cv() -> Conflict:
    """Give what the client is told without a CV, which is what the answer would be made of."""
    return Conflict("There is no CV in the caller's profile.")


def told(error: errors.LlmError, policy: str) -> ServiceError:
    """Give what the client is told of a call that gave no answer.

    Args:
        error: what went wrong.
        policy: the route's.
    """
    match error:
        case NeverFits():
            return OverTokenBudget(policy)
        case errors.InvalidCall() | errors.Refused():
            return AnswerRefused(error.kind)
        case errors.Overspent(limit=limit, retry_after=seconds) if limit != PROVIDER_BUDGET:
            return LlmLimited(policy, limit, seconds)
        case errors.Overspent(limit=limit, retry_after=seconds):
            return AnswerUnavailable(seconds, refused_by=(policy, limit))
        case errors.Unavailable(retry_after=seconds):
            return AnswerUnavailable(GONE_SECONDS if seconds is None else seconds)
        case _:
            return AnswerBroken(error.kind)
