"""The subset of regular expressions: Python, RE2 and Go read alike what it admits, and it refuses the rest."""

import random
import string

import pytest

from telemetry.pii.model import PolicyError
from telemetry.pii.subset import check
from tests.pii.engines import bare_rule, by_go, by_python, by_re2
from tests.pii.patterns import random_pattern, random_text

PATTERNS = 3000
TEXTS = 12

# What was measured to differ between the engines or to be refused by one of them, and the place that is said.
REFUSED = [
    (r"a\sb", "position 2 at '\\\\sb'", "differs between engines"),
    (r"\d+", "position 1", "differs between engines"),
    (r"a\w", "position 2", "differs between engines"),
    (r"\D", "position 1", "differs between engines"),
    (r"\Ba", "position 1", "differs between engines"),
    (r"\Aa", "position 1", "differs between engines"),
    (r"a\Z", "position 2", "differs between engines"),
    (r"a\z", "position 2", "differs between engines"),
    (r"\pLa", "position 1", "differs between engines"),
    (r"\u0041", "position 1", "differs between engines"),
    (r"\Qa\E", "position 1", "differs between engines"),
    (r"\01", "position 1", "differs between engines"),
    (r"\x4", "position 1", "two hex digits"),
    (r"\x{41}", "position 1", "two hex digits"),
    ("(?i)key", "position 1", "only (?:…) groups"),
    ("a(?i:k)", "position 2", "only (?:…) groups"),
    ("a(?=b)", "position 2", "only (?:…) groups"),
    ("a(?!b)", "position 2", "only (?:…) groups"),
    ("(?<=a)b", "position 1", "only (?:…) groups"),
    ("(?<!a)b", "position 1", "only (?:…) groups"),
    ("(?P<n>a)", "position 1", "only (?:…) groups"),
    ("(?>a)", "position 1", "only (?:…) groups"),
    ("(?#a)b", "position 1", "only (?:…) groups"),
    ("(a)", "position 1", "a capturing group"),
    (r"(?:a)\1", "position 6", "differs between engines"),
    ("a$", "position 2", "`$` differs"),
    ("a.*", "position 2", "`.` differs"),
    ("a{,3}", "position 3", "a repeat is"),
    ("a{x}", "position 3", "a repeat is"),
    ("a{3", "position 3", "a repeat is"),
    ("a{3,2}", "position 7", "lower bound"),
    ("a{٣}", "position 3", "a repeat is"),
    ("a{1001}", "position 2", "beyond 1000"),
    ("(?:a{40}){30}", "position 10", "beyond 1000"),
    ("(?:a{40}b){3,30}", "position 11", "beyond 1000"),
    ("(?:(?:a{11}){10}){10}", "position 18", "beyond 1000"),
    ("a*+", "position 3", "second quantifier"),
    ("a+?", "position 3", "second quantifier"),
    ("a??", "position 3", "second quantifier"),
    ("a{2}{3}", "position 5", "second quantifier"),
    ("*a", "position 1", "unexpected"),
    ("(?:+a)", "position 4", "unexpected"),
    ("a)", "position 2", "a ) without"),
    ("(?:a", "position 5", "without its )"),
    ("a|", "position 1", "match nothing"),
    ("a*", "position 1", "match nothing"),
    ("", "position 1", "match nothing"),
    (r"^\b", "position 1", "match nothing"),
    ("b(?:a*)*", "position 8", "repeat of what may be nothing"),
    ("b(?:|a)+", "position 8", "repeat of what may be nothing"),
    (r"b\b*", "position 4", "repeat of what may be nothing"),
    (r"b\b?", "position 4", "repeat of what may be nothing"),
    ("a^{2}", "position 3", "repeat of what may be nothing"),
    ("[", "position 2", "without its ]"),
    ("a[]b]", "position 3", "begins with ]"),
    ("[^]a]", "position 3", "begins with ]"),
    ("[[:alpha:]]", "position 2", "unescaped ["),
    ("[a&&b]", "position 3", "doubled operator"),
    ("[a--b]", "position 3", "doubled operator"),
    ("[a||b]", "position 3", "doubled operator"),
    ("[a~~b]", "position 3", "doubled operator"),
    (r"[\w]", "position 2", "differs between engines"),
    (r"[\b]", "position 3", "inside a class"),
    ("[z-a]", "position 2", "end comes before"),
    (r"[\x41-\n]", "position 2", "end comes before"),
    ("]", "position 1", "unexpected"),
    ("a}", "position 2", "unexpected"),
    ("(?:" * 101 + "a" + ")" * 101, "position 304", "nested deeper"),
    ("\\", "position 1", "differs between engines"),
]


@pytest.mark.parametrize(("pattern", "place", "reason"), REFUSED, ids=[pattern[:20] for pattern, _, _ in REFUSED])
def test_refused(pattern: str, place: str, reason: str) -> None:
    """What the engines read differently is refused, with its position and the reason."""
    with pytest.raises(PolicyError) as refusal:
        check(pattern)
    said = str(refusal.value)
    assert said.startswith(place)
    assert reason in said
    assert "\n" not in said


def admitted(seed: int) -> list[str]:
    """Returns random patterns that the subset admits."""
    dice = random.Random(seed)
    found: list[str] = []
    while len(found) < PATTERNS:
        pattern = random_pattern(dice)
        try:
            check(pattern)
        except PolicyError:
            continue
        found.append(pattern)
    return found


def test_engines_read_the_subset_alike() -> None:
    """Random patterns of the subset replace the same parts of random texts in Python and in RE2."""
    dice = random.Random(1)
    different = []
    for pattern in admitted(1):
        texts = [random_text(dice) for _ in range(TEXTS)]
        rule = bare_rule(pattern)
        python, re2 = by_python(rule, texts), by_re2(rule, texts)
        different += [(pattern, *each) for each in zip(texts, python, re2, strict=True) if each[1] != each[2]]
    assert different == []


def test_go_reads_the_subset_alike() -> None:
    """Random patterns of the subset replace the same parts of random texts in Go and in RE2."""
    dice = random.Random(2)
    rules = [bare_rule(pattern) for pattern in admitted(2)]
    texts = [[random_text(dice) for _ in range(TEXTS)] for _ in rules]
    different = [
        (rule.pattern, *each)
        for rule, of_rule, go in zip(rules, texts, by_go(rules, texts), strict=True)
        for each in zip(of_rule, go, by_re2(rule, of_rule), strict=True)
        if each[1] != each[2]
    ]
    assert different == []


def test_escaped_punctuation_is_itself_everywhere() -> None:
    """A backslash before any punctuation means that sign in each engine, inside a class and outside."""
    signs = string.punctuation
    rules = [bare_rule(form.format("\\" + sign)) for sign in signs for form in ("a{}", "a[{}]", "a[^{}]")]
    for rule in rules:
        check(rule.pattern)
    texts = [[f"a{sign}" for sign in signs]] * len(rules)
    expected = [by_re2(rule, of_rule) for rule, of_rule in zip(rules, texts, strict=True)]
    assert [by_python(rule, of_rule) for rule, of_rule in zip(rules, texts, strict=True)] == expected
    assert by_go(rules, texts) == expected
