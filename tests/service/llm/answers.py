"""Answers of a model, made of what the privacy policy knows and of prose, and what the filter lets out of them."""

from hypothesis import strategies as st

from service.llm.holdback import HoldBack
from service.llm.personal import Personal
from telemetry.pii import read_policy

CANARY = "7hqz4vkt9wmxbgr2cnfd83"
POLICY = read_policy()
REPLACED: list[str] = []
PERSONAL = Personal(POLICY, REPLACED.append)
EXAMPLES = [text for rule in POLICY.value_rules for text in (*rule.examples, *rule.innocent)]
_SENTENCE = (
    'Dear hiring team, I am writing about the role of engineer in 2024 with 3 years of Python; don\'t "quote" me: '
    "it's 5 / 7 ok. Tel. call phone and password: card 私は応募します。 Grüße [1] (see below) e.g. 10 %"
)
PROSE = _SENTENCE.split()
APART = (" ", " ", " ", " ", ", ", "\n", "\n\n", ". ", "\t", "  ")
GLUED = (*APART, "", "-", "=", "'", '"', ":", "/", "@", "+", "7h", "1", "\u00a0", "\u202f")


def answers(between, examples=EXAMPLES):
    """Texts of examples and prose with something between."""
    words = st.one_of(st.sampled_from(examples), st.sampled_from(PROSE))
    pairs = st.lists(st.tuples(words, st.sampled_from(between)), min_size=1, max_size=12)
    return pairs.map(lambda pairs: "".join(word + separator for word, separator in pairs))


def divided(text, dice):
    """A text in pieces of random lengths."""
    pieces, longest = [], dice.choice((1, 3, 8, 40))
    while text:
        size = dice.randint(1, longest)
        pieces.append(text[:size])
        text = text[size:]
    return pieces


def said(pieces, allowed=()):
    """What comes out of some pieces."""
    answer = HoldBack(PERSONAL, CANARY, allowed)
    return "".join([*map(answer.feed, pieces), answer.finish()])
