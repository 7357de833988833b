"""One rule under each of the engines that read the policy: Python's `re`, RE2 as the scrubber uses it, Go's regexp."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from telemetry.pii.compiled import CompiledRule, _compile
from telemetry.pii.model import ValueRule

PROGRAM = Path(__file__).with_name("replacements.go")


def bare_rule(pattern: str) -> ValueRule:
    """Returns a rule of a pattern alone."""
    return ValueRule(name="bare", kind="bare", reason="-", pattern=pattern)


def by_python(rule: ValueRule, texts: list[str]) -> list[str]:
    """Returns the texts with every match replaced by Python."""
    pattern = re.compile(rule.pattern, re.ASCII)

    def kept(match: re.Match[str]) -> str:
        before, after = (
            "".join(match[group] or "" for group in groups) for groups in (rule.kept_before, rule.kept_after)
        )
        return before + rule.placeholder + after

    return [pattern.sub(kept, text) for text in texts]


def by_re2(rule: ValueRule, texts: list[str]) -> list[str]:
    """Returns the texts with every match replaced by RE2."""
    compiled = CompiledRule(rule, 0, _compile("-", rule.pattern), rule.placeholder.encode())

    def replaced(text: bytes) -> bytes:
        return compiled.replace(text, compiled.spans(text), lambda rule, _: rule.placeholder)

    return [replaced(text.encode()).decode() for text in texts]


def by_go(rules: list[ValueRule], texts: list[list[str]]) -> list[list[str]]:
    """Returns the texts with every match replaced by Go, for many rules at once."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("Go is not installed (apt-get install golang-go)")
    asked = [
        {
            "pattern": rule.pattern,
            "before": rule.kept_before,
            "after": rule.kept_after,
            "placeholder": rule.placeholder,
            "texts": of_rule,
        }
        for rule, of_rule in zip(rules, texts, strict=True)
    ]
    done = subprocess.run(
        [go, "run", PROGRAM.name],
        cwd=PROGRAM.parent,
        env=os.environ | {"GO111MODULE": "off", "GOFLAGS": "", "GOWORK": "off", "GOTOOLCHAIN": "local"},
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert [answer["error"] for answer in answers if answer["error"]] == []
    return [answer["texts"] for answer in answers]
