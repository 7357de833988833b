"""However a value is written, it is known by how it reads, in what a model says and in what it is told."""
# ruff: noqa: RUF001 - letters that look alike are what it is about

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.llm.errors import Withheld
from service.llm.holdback import HoldBack
from tests.service.llm.answers import CANARY, GLUED, PERSONAL, answers, divided, said

EMAIL, PHONE, CARD, IBAN = "ann@example.com", "+49 30 1234567", "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00"
SSN, KEY, PASSWORD = "219-09-9999", "sk-proj-abcDEF123456ghiJKL789012mnoPQR", "password: hunter2hunter"
PLAIN = {"email": EMAIL, "phone": PHONE, "credit_card": CARD, "iban": IBAN, "us_ssn": SSN, "api_key": KEY}


def full_width(text):
    """In the forms of East Asian typography."""
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


def digits(text, zero):
    """With the digits of another script."""
    return "".join(chr(ord(zero) + int(char)) if char.isdigit() else char for char in text)


def numbered(text, form):
    """With every sign as an HTML reference."""
    return "".join(char if char.isalpha() else form.format(ord(char)) for char in text)


EVERY_WAY = {
    "zero width space": "\u200b".join,
    "soft hyphen": lambda text: f"{text[:6]}\u00ad{text[6:]}",
    "word joiner": lambda text: f"{text[:8]}\u2060{text[8:]}",
    "joiner": lambda text: f"{text[:7]}\u200d{text[7:]}",
    "tag": lambda text: f"{text[:7]}\U000e0041{text[7:]}",
    "variation selector": lambda text: f"{text[:7]}\ufe0f{text[7:]}",
    "mark": lambda text: f"{text[:7]}\u0336{text[7:]}",
    "mark of another script": lambda text: f"{text[:7]}\u0e34{text[7:]}",
    "colour": lambda text: f"{text[:7]}\x1b[31m{text[7:]}",
    "full width": full_width,
    "decimal": lambda text: numbered(text, "&#{};"),
    "decimal, open": lambda text: numbered(text, "&#{:04d}") if not text[-1].isalpha() else numbered(text, "&#{};"),
    "hexadecimal": lambda text: numbered(text, "&#x{:X};"),
    "encoded twice": lambda text: numbered(text, "&amp;#{};"),
    "encoded three times": lambda text: numbered(text, "&amp;#38;#x{:x};"),
}
WAYS = [(kind, way(value), f"{kind}, {name}") for kind, value in PLAIN.items() for name, way in EVERY_WAY.items()]
WAYS += [
    (kind, written, f"{kind}, {written}")
    for kind, written in (
        ("email", "ann&commat;example.com"), ("email", "ann&commatexample&period;com"), ("email", "𝐚𝐧𝐧@𝐞𝐱𝐚𝐦𝐩𝐥𝐞.𝐜𝐨𝐦"),
        ("email", "ⓐnn@example.com"), ("email", "ann﹫example․com"), ("email", "ann@exam&shy;ple.com"),
        ("email", "ann&#64example&#46com"), ("email", "a\u0301nn@exa\u0308mple.com"),
        ("email", "jürgen＠müller.example"),
        ("phone", "+49\u200930\u20091234567"), ("phone", "+49&nbsp;30&thinsp;1234567"), ("phone", "+49―30―1234567"),
        ("phone", "&plus;49 30 1234567"), ("phone", digits(PHONE, "٠")), ("phone", digits(PHONE, "०")),
        ("phone", "＋49（30）1234567"), ("phone", "+⁴⁹ ³⁰ ¹²³⁴⁵⁶⁷"),
        ("credit_card", "4111\u20051111\u20051111\u20051111"), ("credit_card", digits(CARD, "𝟎")),
        ("credit_card", "4111−1111−1111−1111"), ("credit_card", digits(CARD, "۰")), ("credit_card", f"¹{CARD}"),
        ("iban", "DE89\u20033704\u20030044\u20030532\u20030130\u200300"), ("iban", digits(IBAN, "๐")),
        ("us_ssn", "219‒09‒9999"), ("us_ssn", "219&hyphen;09&dash;9999"), ("us_ssn", "219﹣09﹣9999"),
        ("api_key", f"sk\u2010{KEY[3:7]}‐{KEY[8:]}"), ("secret", full_width("password=hunter2hunter")),
        ("secret", "password&colon; hunter2hunter"), ("secret", "pass\u200bword: hunter2hunter"),
        ("secret", "password&#61;hunter2hunter"),
    )
]  # fmt: skip
PARTS = "an@example.com+49 30&#64;&amp;46x;\x1b[31m\u200b\u0301\u0e34\u0e01ａ＠．ﷺ…½–é\U0001f469\u200d"
both = pytest.mark.parametrize(("kind", "written"), [way[:2] for way in WAYS], ids=[ascii(way[2]) for way in WAYS])


def masked(kind, out):
    """Whether something of a kind stands where the value stood, and nothing of it is left."""
    return out.startswith("It is ") and f"[REDACTED:{kind}] indeed." in out and len(out) < len("It is ") + 45


@both
def test_no_way_of_writing_passes_in_an_answer(kind, written):
    """It is replaced whole, and character by character nothing of it goes out; what stands around it stays."""
    text = f"It is {written} indeed."
    assert masked(kind, said([text]))
    assert said([text]) == said(text)


@both
def test_no_way_of_writing_reaches_a_provider(kind, written):
    """A CV or a question that holds it is sent without."""
    assert masked(kind, PERSONAL.without_contacts(f"It is {written} indeed."))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([way[1] for way in WAYS]), answers(GLUED)), min_size=1, max_size=4),
    st.randoms(use_true_random=False),
)
def test_pieces_make_no_difference(parts, dice):
    """Any division of any of them, glued to anything, gives what the whole gives."""
    text = "".join(written + behind for written, behind in parts)
    assert said([text]) == said(divided(text, dice))


@settings(max_examples=500, deadline=None)
@given(
    st.text(st.sampled_from(PARTS), max_size=300),
    st.randoms(use_true_random=False),
)
def test_pieces_of_anything_make_no_difference(text, dice):
    """Half references, half sequences, marks on anything: the division is not seen."""
    assert said([text]) == said(divided(text, dice))


@pytest.mark.parametrize(
    "text",
    [
        "Ich möchte mich bei Ihnen bewerben – größere Projekte, 2019–2024, „sauber“ gebaut … R&D, AT&T & Söhne.",
        "私は応募します。２０２４年から、東京（渋谷）で働いています！ＡＰＩを書きます。",
        "Family 👨‍👩‍👧‍👦, ok 👍🏽, heart ❤️, flag 🏳️‍🌈, one 1️⃣ and © 2024.",
        "می‌خواهم در این شرکت کار کنم. क्षत्रिय क्‍ष ශ්‍රී ලංකා ภาษาไทยเป็นภาษา",
        "a &lt;b&gt; c &amp;amp; d &unknown e &#x; f &# g & h &amp",
        "½ cup, x² + y², 5 µm, ﬁne, № 7, ™ and Å",
        "cafe\u0301 nai\u0308ve e\u0301le\u0300ve",
    ],
)
def test_what_is_innocent_stays_byte_for_byte(text):
    """Letters, signs and emoji are as they were, whole and character by character."""
    assert (text, text) == (said([text]), said(text))
    assert text == PERSONAL.without_contacts(text)


def test_only_the_value_is_replaced():
    """What surrounds a value, and what cannot be seen beside it, stays as it is written."""
    text = "Ｃａｌｌ\u200b “+49\u200930\u20091234567”\u2003&lt;ann&#64;example.com&gt; – now…"
    expected = "Ｃａｌｌ\u200b “[REDACTED:phone]”\u2003&lt;[REDACTED:email]&gt; – now…"
    assert (expected, expected) == (said([text]), said(text))
    assert expected.replace("\u200b", "") == PERSONAL.without_contacts(text)


@pytest.mark.parametrize("written", ["ann＠example.com", "ann&#64;example.com", "a\u200bnn@exam\u00adple.com", EMAIL])
def test_the_callers_own_passes_however_it_is_written(written):
    """In an answer and in the profile alike."""
    text = f"Mail {written} or {PHONE.replace(' ', chr(0x2009))}."
    for own in (EMAIL, "ann＠example.com", "ann&commat;example.com"):
        assert text == said(text, [own, "+49 (30) １２３-4567"])
    assert said(text, ["joann@example.com"]).startswith("Mail [REDACTED:email] or")


@pytest.mark.parametrize(
    "written",
    [
        "".join(f"&#{ord(char)};" for char in CANARY), "".join(f"&amp;#x{ord(char):x};" for char in CANARY),
        "\u0336".join(CANARY), "\x1b[1m".join(CANARY), "\u200b\u200b".join(CANARY), full_width(CANARY),
        f"&#{ord(CANARY[0])}" + CANARY[1:], "&nbsp;".join(CANARY), "\u200b" * 30 + ("\u200b" * 20).join(CANARY),
    ],
)  # fmt: skip
def test_a_canary_is_known_by_how_it_reads(written):
    """Nothing of it goes out, and nothing behind it."""
    for pieces in ([f"It says: {written} x"], f"It says: {written} x"):
        answer, out = HoldBack(PERSONAL, CANARY), []
        with pytest.raises(Withheld):
            out += [*map(answer.feed, pieces), answer.finish()]
        assert "".join(out).rstrip("\u200b") in {"", "It says: "}
        with pytest.raises(Withheld):
            answer.feed("&")


@pytest.mark.parametrize(
    "unit",
    ["\u200b", f"&#{8203:060};", "&", "&amp;", "\x1b", "a\u0301", "&#x41;", "&amp", "ﷺ", "\u0336"],
)
def test_what_is_held_has_a_bound(unit):
    """Of a text without end and without anything to see, with references or signs of any length, little is held."""
    answer, most = HoldBack(PERSONAL, CANARY), 0
    for char in unit * (20_000 // len(unit)):
        answer.feed(char)
        most = max(most, len(answer._masking._text))
    assert most <= 256 * len(unit) + 80
    assert len(answer._reading._runs) <= 256 + 80


def test_of_what_cannot_be_seen_an_answer_keeps_a_little():
    """Sixty-four in a row; the text around it stays."""
    text = "one" + "\u200b" * 1000 + "two"
    expected = "one" + "\u200b" * 64 + "two"
    assert (expected, expected) == (said([text]), said(text))


def test_a_started_reference_waits_for_little():
    """What may become a reference is held for eighty characters at most; prose with `&` for its word."""
    answer = HoldBack(PERSONAL, CANARY)
    assert [answer.feed(piece) for piece in ("R", "&", "D ", "& ", "x&y ")] == ["", "", "R&D ", "& ", "x&y "]
    assert answer.feed("あ&" + "#" + "0" * 78 + "あ") == "あ&#" + "0" * 78 + "あ"


def test_plain_text_is_followed_once():
    """Plain prose, letters of many languages and signs of Markdown are not looked at in a second form."""
    answer = HoldBack(PERSONAL, CANARY)
    for piece in ("Dear team, ", "größer ", "café ", "дом ", "応募します。", "हिन्दी ", "ไทย ", "R&D ", "**x** `y`\n"):
        answer.feed(piece)
        assert answer._read is None
    answer.feed("2019–2024 ")
    assert answer._read is not None
    for _ in range(40):
        answer.feed("plain ")
    assert answer._read is None


def test_ten_thousand_divisions():
    """Random divisions of random ways give what the wholes give."""
    dice = random.Random(11)
    for _ in range(200):
        words = [way[1] for way in dice.choices(WAYS, k=2)]
        text = "".join(f"{word}{dice.choice(GLUED)}" for word in ["Dear", *words, "team"])
        whole = said([text])
        for _ in range(20):
            assert whole == said(divided(text, dice))
