"""What was asked and answered: in no attribute unless content is on, and then scrubbed before it is cut."""

import json

import pytest
import sentry_sdk
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry import get_logger
from telemetry.pii import load
from telemetry.previews import PREVIEW_CHARS, Previews
from tests.leaks.foreign import foreign
from tests.leaks.wire import listening
from tests.telemetry.model_calls import answered, facts, on_the_wire
from tests.telemetry.receiver import attributes

log = get_logger("test.content")
PREVIEW = "gen_ai.content.preview"
MAIL, CARD, KEY = "bob.smith@example.com", "4111111111111111", "ghp_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
SECRETS = (MAIL, CARD, KEY)
CONVENTIONS = (
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
)


class NoTally:
    """Counts nothing."""

    def redacted(self, rule: str, sink: str) -> None: ...

    def failed(self, sink: str) -> None: ...


PREVIEWS = Previews(load(), NoTally())


def sent_for(question: str, finish_reason: str = "end_turn", *, answer: str = "", **options: object) -> dict:
    """The attributes of a call as they arrive."""
    with on_the_wire(**options) as (telemetry, receiver), telemetry.genai.call(facts(), question) as call:
        call.succeeded(**answered(answer=answer, finish_reason=finish_reason))
    (span,) = receiver.spans
    return attributes(span)


def test_content_is_off() -> None:
    """Unless somebody wants it, no attribute has anything of what was asked or answered, or is meant for it."""
    sent = sent_for("asked-4711", answer="answered-4711")
    assert "4711" not in json.dumps(sent)
    assert not {PREVIEW, *CONVENTIONS} & sent.keys()


def test_content_is_on() -> None:
    """With content on, question and answer are under our own name, without what is sensitive in them."""
    sent = sent_for(f"Write to {MAIL}", answer=f"Dear {MAIL}, pay with {CARD}", genai_content=True)
    assert sent[PREVIEW] == (
        "input: Write to [REDACTED:email]\noutput: Dear [REDACTED:email], pay with [REDACTED:credit_card]"
    )
    assert not {*CONVENTIONS} & sent.keys()


def test_question_of_a_call_without_answer_is_there() -> None:
    """A call that failed shows what was asked."""
    with on_the_wire(genai_content=True) as (telemetry, receiver), telemetry.genai.call(facts(), "why") as call:
        call.failed("unavailable")
    assert attributes(receiver.spans[0])[PREVIEW] == "input: why\noutput: "


@pytest.mark.parametrize("secret", SECRETS)
def test_secret_across_the_cut(secret: str) -> None:
    """Wherever a preview is cut, it holds no piece of a secret, no half placeholder, and no more than its budget."""
    pieces = {secret[:length] for length in range(6, len(secret) + 1)}
    for before in range(PREVIEW_CHARS // 2 - 60, PREVIEW_CHARS // 2 + 10):
        text = "x" * (before - 1) + " " + secret + " and more" * 200
        side = PREVIEWS.side(text)
        told = PREVIEWS.attributes(side, side)[PREVIEW]
        assert len(told) <= PREVIEW_CHARS
        assert [piece for piece in pieces if piece in told] == []
        assert told.count("[REDACTED:") == told.count("]")


@pytest.mark.parametrize("secret", SECRETS)
def test_answer_that_breaks_off_inside_a_secret(secret: str) -> None:
    """Half a secret has no form: the end of an answer that was broken off is not shown, however often it comes."""
    for length in range(6, len(secret)):
        text = f"{'All is well. ' * 30}{secret[:length]}"
        for _ in range(2):
            told = PREVIEWS.side(text, whole=False)
            assert secret[:6] not in told
            assert told.startswith("All is well.")
    short = f"pay {CARD[:10]}"
    assert [PREVIEWS.side(short, whole=False) for _ in range(2)] == ["", ""]


def test_answer_at_its_token_limit_breaks_off() -> None:
    """An answer that ends at `max_tokens` is one that breaks off."""
    sent = sent_for("q", "max_tokens", answer=f"{'All is well. ' * 30}{CARD[:10]}", genai_content=True)
    assert CARD[:6] not in sent[PREVIEW]
    assert "All is well." in sent[PREVIEW]


@given(st.lists(st.sampled_from([*SECRETS, "x" * 97, "word ", "\n", "[REDACTED:", "ж", "\ud800"]), max_size=40))
@settings(max_examples=60, deadline=None)
def test_no_secret_in_any_preview(parts: list[str]) -> None:
    """Whatever surrounds secrets, a preview has none, whole or broken off, and keeps to its budget."""
    text = " ".join(parts)
    for whole in (True, False):
        told = PREVIEWS.side(text, whole=whole)
        assert len(told) <= PREVIEW_CHARS // 2
        assert [secret for secret in SECRETS if secret[:10] in told] == []


def test_text_that_is_too_long_is_not_shown() -> None:
    """A text that the policy gives up on is a placeholder."""
    assert PREVIEWS.side("x" * 300_000) == "[REDACTED:unscrubbable]"


def test_what_cannot_be_scrubbed_is_not_shown() -> None:
    """When scrubbing raises, nothing is shown and the call knows nothing of it."""
    previews = Previews(load(), NoTally())
    previews._sink.scrubber.compiled = None
    assert previews.side(f"to {MAIL}") == ""


@pytest.mark.parametrize("content", [False, True])
async def test_names_of_the_conventions_stay_hidden(content: bool) -> None:
    """Whoever sets the conventions' own content attributes finds them hidden in every sink, with content on too."""
    marker = "plain prose"
    told = dict.fromkeys(CONVENTIONS, marker)
    with listening() as wire:
        async with foreign(wire, (), genai_content=content) as running:
            log.info("test.content", **told)
            with running.telemetry.span("theirs", **told) as span:
                span.add_event("gen_ai.client.inference.operation.details", told)
            with sentry_sdk.new_scope() as scope:
                scope.set_context("model", told)
                sentry_sdk.capture_message("test.content")
        assert wire.found([marker]) == []
        for sink in (wire.lines, [body for _, _, body in wire.otlp.requests()], wire.sentry.bodies()):
            assert b"gen_ai.input.messages" in b"".join(sink)
