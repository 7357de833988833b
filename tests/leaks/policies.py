"""Policies of the tests' own, in the place of the built-in one; a product has no such option."""

import dataclasses
from typing import Any

import pytest

from telemetry.pii import Policy, Scrubber, read_policy
from tests.leaks.wire import PSEUDONYM_KEY


def scrub_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is instrumented from here on have no rules: what would be told without a policy is seen."""
    _obey(monkeypatch, dataclasses.replace(read_policy(), value_rules=(), key_rules=(), query_keys=None))


def scrub_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same, but users and clients keep their pseudonyms: who somebody is, is not harmless."""
    policy = read_policy()
    who = tuple(rule for rule in policy.key_rules if rule.action == "pseudonym")
    _obey(monkeypatch, dataclasses.replace(policy, value_rules=(), key_rules=who, query_keys=None))


def _obey(monkeypatch: pytest.MonkeyPatch, policy: Policy) -> None:
    def load(*_files: Any, **_options: Any) -> Scrubber:
        return Scrubber(policy, PSEUDONYM_KEY)

    monkeypatch.setattr("telemetry.lifecycle.load", load)
