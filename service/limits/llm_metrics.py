"""What is judged, reserved and spent, as metrics."""

from collections.abc import Iterable
from dataclasses import dataclass

from service.limits.metrics import Counter, Gauge, Metrics
from telemetry import names

ALLOWED, REFUSED = "allowed", "refused"


@dataclass(frozen=True, slots=True)
class Meter:
    """The metrics of one budget.

    Attributes:
        allowed: reservations that fitted.
        refused: those that did not.
        reserved: tokens that are set aside.
        spent: tokens that were charged.
    """

    allowed: Counter
    refused: Counter
    reserved: Gauge
    spent: Counter


@dataclass(frozen=True, slots=True)
class SlotMeter:
    """The metrics of one policy's slots.

    Attributes:
        allowed: calls that got one.
        refused: calls that got none.
        in_use: taken ones.
    """

    allowed: Counter
    refused: Counter
    in_use: Gauge


def token_meters(metrics: Metrics, policies: Iterable[str]) -> dict[str, Meter]:
    """The metrics of callers' budgets by policy; they exist at 0 from now on."""
    decisions = names.LLM_LIMIT_DECISIONS
    return {
        policy: Meter(
            metrics.counter(decisions, policy, "tokens", ALLOWED),
            metrics.counter(decisions, policy, "tokens", REFUSED),
            metrics.gauge(names.LLM_TOKENS_RESERVED, policy),
            metrics.counter(names.LLM_TOKENS_SPENT, policy),
        )
        for policy in policies
    }


def slot_meters(metrics: Metrics, policies: Iterable[str]) -> dict[str, SlotMeter]:
    """The metrics of callers' slots by policy; they exist at 0 from now on."""
    decisions = names.LLM_LIMIT_DECISIONS
    return {
        policy: SlotMeter(
            metrics.counter(decisions, policy, "concurrency", ALLOWED),
            metrics.counter(decisions, policy, "concurrency", REFUSED),
            metrics.gauge(names.RATE_LIMIT_CONCURRENCY, policy),
        )
        for policy in policies
    }


def provider_meters(metrics: Metrics, providers: Iterable[str]) -> dict[str, Meter]:
    """The metrics of providers' budgets by provider; they exist at 0 from now on."""
    decisions = names.LLM_PROVIDER_BUDGET_DECISIONS
    return {
        provider: Meter(
            metrics.counter(decisions, provider, ALLOWED),
            metrics.counter(decisions, provider, REFUSED),
            metrics.gauge(names.LLM_PROVIDER_TOKENS_RESERVED, provider),
            metrics.counter(names.LLM_PROVIDER_TOKENS_SPENT, provider),
        )
        for provider in providers
    }
