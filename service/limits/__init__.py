"""Rate limits: how many requests a key may make in any window of time."""

from service.limits.in_memory import in_memory_limiter
from service.limits.limiter import Clock, Decision, Limiter, Policy
from service.limits.metrics import DecisionMetrics, Metrics
from service.limits.sliding_window import SlidingWindow

__all__ = ["Clock", "Decision", "DecisionMetrics", "Limiter", "Metrics", "Policy", "SlidingWindow", "in_memory_limiter"]
