"""What a provider calls things is shown where it looks like a name of theirs."""

import pytest

from service.llm.named import FINISH_REASONS, UNNAMED, finish_reason, identifier, model_name

IDS = ("msg_01XFDUDYJgAACzvnptvVoYEL", "gen-1755553333-aBcDeFgHiJ", "toolu_vrtx_01A09q90qw90lq917835lq9", "msg_1")
MODELS = (
    "claude-sonnet-5-5", "anthropic/claude-sonnet-5.5:beta", "claude-sonnet-4-5-20250929", "gpt-4o-2024-08-06",
    "us.anthropic.claude-v1:0",
)  # fmt: skip
TEXTS = (
    "Anna Maria Example", "Anna-Maria-Example", "bob@example.com", "03 May 1980", "msg_1 of Anna", "msg_1\n", "",
    "msg_", "claude for Anna", "claude\n", "+49 151 12345678", "claude-4111111111111111", "msg_" + "a1" * 60,
    "m" * 101, None, 7, ["msg_1"], {"msg_1": 1}, "msg_\ud800", "ключ_1",
    "tel:1-415-555-2671", "tel-1-415-555-2671",
)  # fmt: skip


@pytest.mark.parametrize("said", IDS)
def test_ids_of_providers_are_shown(said):
    """Ids of Anthropic's, OpenRouter's and the cloud vendors' forms stay as they are."""
    assert identifier(said) == said


@pytest.mark.parametrize("said", MODELS)
def test_models_are_shown(said):
    """Names of models in each vendor's spelling stay as they are."""
    assert model_name(said) == said


@pytest.mark.parametrize("said", TEXTS)
def test_anything_else_is_not_shown(said):
    """Names, addresses, sentences, long texts and what is no text are shown as `other`."""
    assert identifier(said) == model_name(said) == UNNAMED


def test_finish_reasons_are_a_closed_set():
    """The API's reasons stay, and any other word is `other`."""
    assert [finish_reason(said) for said in sorted(FINISH_REASONS)] == sorted(FINISH_REASONS)
    assert {finish_reason(said) for said in ("anna_example", "End_turn", "", "x" * 10_000)} == {UNNAMED}
