"""Limits: what a key may do in any window of time, and at the same time."""

from service.limits.backend import Backend, BackendUnusable
from service.limits.concurrency import Concurrency, Lease
from service.limits.in_memory import MemoryBackend, in_memory_llm_limits
from service.limits.limiter import (
    Budget,
    Clock,
    Decision,
    Limiter,
    Policy,
    Refusal,
    Reservation,
    SlotPolicy,
    Slots,
    TokenPolicy,
)
from service.limits.llm_limits import Admission, LlmLimits, NeverFits
from service.limits.metrics import DecisionMetrics, Metrics
from service.limits.sliding_window import SlidingWindow
from service.limits.token_budget import TokenBudget

__all__ = [
    "Admission",
    "Backend",
    "BackendUnusable",
    "Budget",
    "Clock",
    "Concurrency",
    "Decision",
    "DecisionMetrics",
    "Lease",
    "Limiter",
    "LlmLimits",
    "MemoryBackend",
    "Metrics",
    "NeverFits",
    "Policy",
    "Refusal",
    "Reservation",
    "SlidingWindow",
    "SlotPolicy",
    "Slots",
    "TokenBudget",
    "TokenPolicy",
    "in_memory_llm_limits",
]
