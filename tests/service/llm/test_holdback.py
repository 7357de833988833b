"""Who may be named in an answer, and who may not."""

import pytest

from service.llm.allowed import Allowed
from service.llm.holdback import HoldBack
from service.llm.personal import KINDS, Personal
from telemetry.pii import read_policy
from tests.service.llm.answers import CANARY, PERSONAL, REPLACED, said

PROFILE = ("Ann Lee", "Ann@Example.com", "+49 (30) 123-4567")
ADVERT = "Write to jobs@example.org, or call 020 7946 0958. IBAN for fees: DE89 3704 0044 0532 0130 00."


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Mail ann@example.com.", "Mail ann@example.com."),
        ("Mail ANN@EXAMPLE.COM!", "Mail ANN@EXAMPLE.COM!"),
        ("Mail **ann@example.com** now", "Mail **ann@example.com** now"),
        ("Mail _ann@example.com_ now", "Mail _ann@example.com_ now"),
        ("Mail joann@example.com.", "Mail [REDACTED:email]."),
        ("Mail ann@example.com.au.", "Mail [REDACTED:email]."),
        ("Mail ann@example.co.", "Mail [REDACTED:email]."),
        ("Mail jobs@example.org,bob@example.org", "Mail jobs@example.org,[REDACTED:email]"),
        ("Call +49 30 1234567 or", "Call +49 30 1234567 or"),
        ("Call +49301234567 or", "Call +49301234567 or"),
        ("Call +49 30 12345678 or", "Call [REDACTED:phone] or"),
        ("Call +49 30 1234568 or", "Call [REDACTED:phone] or"),
        ("Call 020-7946-0958 or", "Call 020-7946-0958 or"),
        ("Call 030 7946 0958 or", "Call [REDACTED:phone] or"),
        ("Pay DE89370400440532013000 now", "Pay DE89370400440532013000 now"),
        ("Pay DE02120300000000202051 now", "Pay [REDACTED:iban] now"),
        ("Pay with 4111 1111 1111 1111 now", "Pay with [REDACTED:credit_card] now"),
        ("My SSN is 078-05-1120, and", "My SSN is [REDACTED:us_ssn], and"),
        ("key sk-proj-abcDEF123456ghiJKL789012mnoPQR!", "key [REDACTED:api_key]!"),
    ],
)
def test_only_the_callers_own_and_the_adverts(answer, expected):
    """The same value passes however it is written; another, one that is longer or shorter too, does not."""
    allowed = (*PROFILE, ADVERT)
    assert expected == said([answer], allowed)
    assert expected == said(answer, allowed)


def test_nothing_is_allowed_unless_it_is_said():
    """Without texts of the caller's every value is somebody else's."""
    assert said(["ann@example.com"]) == "[REDACTED:email]"


def test_a_number_in_a_field_needs_no_word_before_it():
    """A telephone that is known for one only by the word before it passes if the profile has it without the word."""
    assert said(["Tel.: 0246-28 19 48."], ["0246-28 19 48"]) == "Tel.: 0246-28 19 48."
    assert said(["Tel.: 0246-28 19 48."], ["10246-28 19 48"]) == "Tel.: [REDACTED:phone]."


def test_part_of_an_allowed_number_is_not_allowed():
    """A number that ends as an allowed one does is another number."""
    found = PERSONAL.find("call +49 30 1234567")
    assert [value in Allowed(PERSONAL, ["+49 30 1234567"]) for value in found] == [True]
    assert [value in Allowed(PERSONAL, ["+49 30 21234567"]) for value in found] == [False]


@pytest.mark.parametrize(
    "value",
    [
        "+49 30 1234567", "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00", "GB29 NWBK 6016 1331 9268 19",
        "(415) 555-2671", "+44 (0)20 7946 0958", "219 09 9999", "ann@example.com", "+1-267-486-8433x53265",
    ],
)  # fmt: skip
def test_no_part_of_a_value_goes_out_before_it_is_known(value):
    """Whatever has gone out after each character, none of it is of the value."""
    answer = HoldBack(PERSONAL, CANARY)
    out = answer.feed("It is ")
    for char in value:
        out += answer.feed(char)
        assert out == "It is "
    out += answer.feed(" indeed.") + answer.finish()
    assert out.startswith("It is [REDACTED:")
    assert out.endswith("] indeed.")


def test_a_word_goes_out_with_the_blank_behind_it():
    """Plain text waits for the end of its word and for nothing else."""
    answer = HoldBack(PERSONAL, CANARY)
    given = [answer.feed(piece) for piece in ("Dear", " hir", "ing", " team,", "\n\nI am ", "in", " ")]
    assert given == ["", "Dear ", "", "hiring ", "team,\n\nI am ", "", "in "]


def test_a_script_without_blanks_does_not_wait():
    """Where no blanks are written, each character may go."""
    answer = HoldBack(PERSONAL, CANARY)
    assert [answer.feed(char) for char in "応募します。"] == list("応募します。")


def test_lone_surrogates_do_not_stop_an_answer():
    """What no encoding can carry is a question mark."""
    assert said(["a\ud83d", "\ude00b ann@example.com"]) == "a??b [REDACTED:email]"


def test_every_kind_has_a_rule():
    """What is said to be replaced is what the policy can find."""
    assert {rule.rule.kind for rule in PERSONAL.rules} == KINDS


def test_rules_of_the_users_own_are_obeyed(tmp_path):
    """A policy file that adds a rule of one of the kinds adds it here."""
    more = tmp_path / "more.toml"
    more.write_text(
        '[[value_rules]]\nname = "badge"\nkind = "secret"\nreason = "a badge"\n'
        'match = [\'[A-Z]{3}#[a-z]{4}\']\nexamples = ["ABC#qwer"]\ninnocent = ["ABC"]\n'
    )
    answer = HoldBack(Personal(read_policy(more), REPLACED.append), CANARY)
    assert answer.feed("badge ABC#qw") + answer.feed("er, yes") + answer.finish() == "badge [REDACTED:secret], yes"
