"""What is judged, held and spent of a limit, as metrics that exist at 0 from the moment they are made."""

from dataclasses import dataclass

from service.limits.metrics import Counter, Gauge, Metrics
from telemetry import names

TOKENS, CONCURRENCY = names.LLM_LIMITS


@dataclass(frozen=True, slots=True)
class Meter:
    """The metrics of one limit.

    Attributes:
        allowed: calls that it let pass.
        refused: those that it did not.
        held: what is taken of it: slots, or tokens that are set aside.
    """

    allowed: Counter
    refused: Counter
    held: Gauge


@dataclass(frozen=True, slots=True)
class TokenMeter(Meter):
    """The metrics of one budget.

    Attributes:
        spent: tokens that were charged.
    """

    spent: Counter


def slot_meter(metrics: Metrics, policy: str) -> Meter:
    """The metrics of a policy's slots."""
    return Meter(
        *_decisions(metrics, names.LLM_LIMIT_DECISIONS, policy, CONCURRENCY),
        metrics.gauge(names.RATE_LIMIT_CONCURRENCY, policy),
    )


def token_meter(metrics: Metrics, policy: str) -> TokenMeter:
    """The metrics of a policy's tokens."""
    return TokenMeter(
        *_decisions(metrics, names.LLM_LIMIT_DECISIONS, policy, TOKENS),
        metrics.gauge(names.LLM_TOKENS_RESERVED, policy),
        metrics.counter(names.LLM_TOKENS_SPENT, policy),
    )


def provider_meter(metrics: Metrics, provider: str) -> TokenMeter:
    """The metrics of a provider's budget."""
    return TokenMeter(
        *_decisions(metrics, names.LLM_PROVIDER_BUDGET_DECISIONS, provider),
        metrics.gauge(names.LLM_PROVIDER_TOKENS_RESERVED, provider),
        metrics.counter(names.LLM_PROVIDER_TOKENS_SPENT, provider),
    )


def _decisions(metrics: Metrics, spec: names.Metric, *judge: str) -> tuple[Counter, Counter]:
    return metrics.counter(spec, *judge, "allowed"), metrics.counter(spec, *judge, "refused")
