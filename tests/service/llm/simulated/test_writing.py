"""What is written suits what was asked."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.llm.simulated.answer import Answer, compose
from service.llm.simulated.errors import ApiError
from service.llm.simulated.validation import validate
from tests.service.llm.simulated.asking import ASKED


def _answer(seed: int = 0, **changes: object) -> Answer:
    return compose(validate(json.dumps(ASKED | changes).encode(), "2026-10-21"), seed, {})


def _said(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def test_letter():
    """A system prompt that asks for a letter gets one, about what the user's side said."""
    text = _answer(system="Write a cover letter. The advert is JSON.").parts[0].text
    assert text.startswith("Dear hiring team,\n\n")
    assert text.endswith("\n\nKind regards")
    assert any(word in text for word in ("Python", "Siemens", "Berlin"))


def test_mention_of_letters():
    """A prompt that only mentions letters is answered with none."""
    assert not _answer(system="The service drafts cover letters. Answer a question.").parts[0].text.startswith("Dear")


def test_addresses():
    """An address is no word to write about, nor is what stands for one."""
    text = _answer(messages=_said("Mail Someone@Example.org or [REDACTED:email] about Rust and Kafka.")).parts[0].text
    assert not {"Someone", "Example", "REDACTED"} & set(text.replace(",", " ").replace(".", " ").split())


def test_example():
    """The first JSON in the system prompt is the example, or the schema; without one there is no JSON."""
    schema = json.dumps({"type": "object", "properties": {"n": {"type": "integer", "minimum": 5, "maximum": 5}}})
    assert json.loads(_answer(system=f"Respond in JSON by this schema: {schema}").parts[0].text) == {"n": 5}
    assert not _answer(system="Return JSON.").parts[0].text.startswith("{")


def test_example_of_one_word():
    """A word that stands alone in an example is one of a few, and is given as it is."""
    assert json.loads(_answer(system='Answer with JSON: {"verdict": "accept"}').parts[0].text) == {"verdict": "accept"}


@pytest.mark.parametrize("schema", [{"properties": ["n"]}, {"properties": {"n": {"type": "integer", "minimum": "x"}}}])
def test_no_schema(schema: dict[str, Any]):
    """What is no schema is the request's fault."""
    with pytest.raises(ApiError, match="JSON schema is invalid"):
        _answer(tools=[{"name": "find", "input_schema": schema}])


def test_what_does_not_matter():
    """Streaming, metadata and cache breakpoints change nothing in the answer; the seed and the text do."""
    block = {"type": "text", "text": "Be brief."}
    plain = _answer(system="Be brief.")
    marked = _answer(
        system=[block | {"cache_control": {"type": "ephemeral"}}],
        stream=True,
        metadata={"user_id": "u"},
        max_tokens=900,
    )
    assert plain == marked
    assert plain != _answer(seed=1, system="Be brief.")
    assert plain != _answer(system="Be long.")


@given(st.integers(1, 300), st.integers(0, 50), st.booleans())
def test_limits(max_tokens: int, seed: int, tools: bool):
    """However few the tokens, none is over the limit, and the pieces are the whole."""
    offered = [{"name": "find", "input_schema": {"type": "object", "properties": {"q": {"type": "string"}}}}]
    answer = _answer(seed, max_tokens=max_tokens, **({"tools": offered} if tools else {}))
    assert 0 < answer.output_tokens <= max_tokens
    for part in answer.parts:
        assert "".join(part.pieces()) == part.text
        assert part.block()["type"] == ("tool_use" if part.tool else "text")


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=400).filter(str.strip))
def test_any_text(text: str):
    """Any text is answered."""
    assert _answer(messages=_said(text)).parts[0].text
