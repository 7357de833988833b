"""A model's stream and a model's whole answer, as the caller sees them."""

import pytest

from service.llm.answering import held_back, held_back_whole
from service.llm.errors import Withheld
from service.llm.holdback import HoldBack
from service.llm.model import Completion, Usage
from tests.service.llm.answers import CANARY, PERSONAL, REPLACED


def completion(text):
    """A finished answer with that text."""
    return Completion(text, "end_turn", Usage(output_tokens=9), "simulated", "model-1", "msg_1")


async def streamed(*pieces):
    """A model's stream."""
    for piece in pieces:
        yield piece
    yield completion("".join(pieces))


async def collected(stream, given):
    """Note what comes."""
    async for item in stream:
        given.append(item)


@pytest.fixture(autouse=True)
def _nothing_replaced():
    """What other tests have replaced is not counted."""
    REPLACED.clear()


async def test_a_stream_and_its_completion_say_the_same():
    """What is stored is what was sent; only the text differs from what the model gave."""
    answer = HoldBack(PERSONAL, CANARY)
    items = [item async for item in held_back(streamed("Mail b", "ob@example", ".com or", " call."), answer)]
    text = "Mail [REDACTED:email] or call."
    assert items[-1] == completion(text)
    assert "".join(items[:-1]) == text
    assert all(items[:-1])
    assert REPLACED == ["email"]


async def test_a_whole_answer_is_what_its_pieces_are():
    """Without streaming the same is said."""
    answer = HoldBack(PERSONAL, CANARY, ["ann@example.com"])
    given = completion("Mail bob@example.com or ann@example.com, card 4111 1111 1111 1111")
    assert (
        held_back_whole(given, answer).text == "Mail [REDACTED:email] or ann@example.com, card [REDACTED:credit_card]"
    )
    assert REPLACED == ["email", "credit_card"]


async def test_a_canary_ends_a_stream():
    """Nothing of it and nothing behind it is given, and no completion."""
    given = []
    stream = held_back(streamed("It is ", CANARY[:9], CANARY[9:], " indeed"), HoldBack(PERSONAL, CANARY))
    with pytest.raises(Withheld):
        await collected(stream, given)
    assert given == ["It is "]


def test_a_canary_withholds_a_whole_answer():
    """There is no answer then, not a part of one."""
    with pytest.raises(Withheld):
        held_back_whole(completion(f"It is {CANARY}."), HoldBack(PERSONAL, CANARY))
