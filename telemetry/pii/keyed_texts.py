"""Value rules that find inside texts what key rules know by its name: members, lists and pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry.pii.keys import MEMBER, PAIR, escaped, spellings
from telemetry.pii.model import ValueRule

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from telemetry.pii.model import KeyRule

MEMBER_RULE = "json_field"
"""The name of the rule that finds members."""
_BLANK = "[ \\t]*"
# A document may have been laid out, and then written as a string.
_ANY_BLANK = r"(?:[ \t\r\n]|\\[nrt])*"
# Of JSON in a URL, once or twice encoded; and what is not one.
_QUOTE = "%(?:25)?22"
_NO_QUOTE = "%(?:[013-9A-Fa-f]|2[013-46-9A-Fa-f]|25(?:[013-9A-Fa-f]|2[013-9A-Fa-f]))"


def text_rules(rules: Iterable[KeyRule], origin: str) -> tuple[ValueRule, ...]:
    """Give the value rules that find the keys inside texts, which are never decoded for it.

    Args:
        rules: those whose values must not stand in a text; also those whose values become pseudonyms elsewhere.
        origin: said to be where they were read.

    Returns:
        One for a member of a JSON object (quoted as JSON or Python's `repr` does, escaped once or twice, or
        percent-encoded; a number, a flat container). For each rule with many words, and for all others together, since
        long patterns cost the collector much: one for an assignment and a pair in a list of headers, one for a pair of
        a query or a form. A value that is a placeholder stays.
    """
    hitting = tuple(rules)
    many = [rule for rule in hitting if rule.place == "last_words"]
    groups = {f"_{rule.name}": [rule] for rule in many} | {"_field": [rule for rule in hitting if rule not in many]}
    told = [(suffix, group) for suffix, group in groups.items() if group]
    return (
        _member(hitting, origin),
        *(form(suffix, group, origin) for form in (_listed, _pair) for suffix, group in told),
    )


def _member(rules: Sequence[KeyRule], origin: str) -> ValueRule:
    keys = "|".join(spellings(rule, MEMBER) for rule in rules)
    number = r"-?[0-9]+(?:\.[0-9]+)?(?:[Ee][+-]?[0-9]+)?\b"
    # The brackets of a list are those of a placeholder too.
    in_list = _unlike("REDACTED:", r"\[\]", r"\[[^\[\]]*\]")
    container = rf"\[(?:{in_list})\]?|\{{(?:[^{{}}]|\{{[^{{}}]*\}})+\}}?"
    once = _unlike("[REDACTED:", r'"\\', r"\\\\(?:\\[^\r\n]|[^\\\r\n])")
    twice = _unlike("[REDACTED:", r'"\\', r'\\{1,6}[^"\\]|\\{7,}"')
    encoded = _unlike("[REDACTED:", r'%&"\r\n', rf"%(?:25)?5[Cc]{_QUOTE}|{_NO_QUOTE}")
    # How a quote is written: as it is, escaped once or twice, percent-encoded. That of the value decides how it ends.
    quote = rf"""(?:b?["']|\\(?:\\{{2}})?"|{_QUOTE})"""
    colon = rf"(?:{_ANY_BLANK}:{_ANY_BLANK}|%(?:25)?3[Aa](?:[ +]|%(?:25)?20)*)"
    key = _example(rules)
    return ValueRule(
        name=MEMBER_RULE,
        kind="field",
        reason="is a member that a key rule hits",
        pattern=rf"""({quote}(?:{keys}){quote}{colon})"""
        rf"""(?:{_quoted()}|(\\")(?:{once})|(\\{{3}}")(?:{twice})|({_QUOTE})(?:{encoded})|{number}|{container})""",
        kept_before=(1, 2, 3, 4, 5, 6),
        literals=(":", "%3A", "%3a", "%253A", "%253a"),
        # `22` is how a quote ends that is percent-encoded.
        necessary=tuple(f"{end}(?:{_ANY_BLANK}:|%(?:25)?3[Aa])" for end in ('"', "'", "22")),
        origin=origin,
        examples=(
            f'{{"{key}": "a b"}}',
            f"{{'{key}': \"it's\"}}",
            rf"{{\"{key}\":\"Ann\"}}",
            f'"{key}": 123',
            f'"{key}": ["Ann", "Lee"]',
            f'"{key}":\n  "a b"',
            f"%22{key}%22%3A%22Ada%22",
            rf"{{\\\"{key}\\\": \\\"Lee\\\"}}",
        ),
        innocent=('{"service_name": "jobs"}', f'"{key}": ""', f'"{key}": null', f'"{key}": "[REDACTED:field]"'),
    )


def _listed(suffix: str, rules: Sequence[KeyRule], origin: str) -> ValueRule:
    keys = "|".join(spellings(rule, MEMBER) for rule in rules)
    # A list of columns has no bytes, and none within another list.
    before = rf"""(?:[(\[]b|[(\[,]{_ANY_BLANK}[(\[])["'](?:{keys})["'],{_ANY_BLANK}"""
    key = _example(rules)
    folded: tuple[str, ...] = ()
    necessary = tuple(rf"{end},{_ANY_BLANK}b?[\"']" for end in ('"', "'"))
    examples: tuple[str, ...] = (f"[(b'{key}', b'swordfish')]", f"[['a', 'b'], ['{key}', 'swordfish']]")
    # Of a last word such as `email` an assignment in a text is as good as a member; `name='worker-1'` is anybody's.
    if rules[0].place == "last_words":
        before = f"(?:{keys}){_BLANK}={_BLANK}|{before}"
        assigned = rf"{MEMBER.number}{_BLANK}={_BLANK}b?[\"']"
        folded = tuple(f"{escaped(end)}{assigned}" for end in sorted({word.split()[-1] for word in rules[0].words}))
        examples = (*examples, f"Person({key}='Ann')")
    return ValueRule(
        name=f"listed{suffix}",
        kind="field",
        reason="is assigned to, or listed with, a key that a key rule hits",
        pattern=f"({before})(?:{_quoted()})",
        kept_before=(1, 2, 3),
        literals=("=", ","),
        necessary=necessary,
        necessary_folded=folded,
        origin=origin,
        examples=examples,
        innocent=("<Task name='Task-1'>", f'("{key}", "phone")'),
    )


def _pair(suffix: str, rules: Sequence[KeyRule], origin: str) -> ValueRule:
    keys = "|".join(spellings(rule, PAIR) for rule in rules)
    unlike_a_value = r"&;# \t\r\n\"'<>\\"
    value = _unlike("[REDACTED:", unlike_a_value)
    key = _example(rules)
    return ValueRule(
        name=f"query{suffix}",
        kind="field",
        reason="is a pair that a key rule hits",
        pattern=rf"((?:^|[?&;]|%3[Ff]|%26)(?:{keys})(?:=|%3[Dd]))(?:{value})",
        kept_before=(1,),
        literals=("=", "%3D", "%3d"),
        necessary=tuple(f"{equals}[^{unlike_a_value}]" for equals in ("=", "%3[Dd]")),
        origin=origin,
        examples=(f"/?q=1&{key}=Ann+Lee", f"{key}=x;y"),
        innocent=("/?limit=20&cursor=abc", f"{key}=", f"{key}=[REDACTED:field]"),
    )


def _example(rules: Sequence[KeyRule]) -> str:
    return rules[0].examples[0]


def _quoted() -> str:
    double = _unlike("[REDACTED:", r'"\\', r"\\[^\r\n]")
    single = _unlike("[REDACTED:", r"'\\", r"\\[^\r\n]")
    return rf"""(b?")(?:{double})|(b?')(?:{single})"""


def _unlike(beginning: str, ends: str, other: str = "") -> str:
    """Give the pattern of a value that is not a placeholder as a whole, of one character at least.

    Args:
        beginning: that of a placeholder, here.
        ends: the characters, as in a class, that are not in a value as they are.
        other: what stands for one of them, or is as good as a character.
    """
    # There is no lookahead: a placeholder's beginning up to some character and then another one, or more than one.
    other = f"|{other}" if other else ""
    rest = f"(?:[^{ends}]{other})"
    behind = "" if "]" in ends else rf"|\]{rest}"
    different = rf"[a-z0-9_:]*(?:[^a-z0-9_:\]{ends}]{other}{behind})"
    for char in map(escaped, reversed(beginning)):
        different = f"(?:[^{char}{ends}]{other}|{char}{different})"
    return f"{different}{rest}*"
