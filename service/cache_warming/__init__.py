"""Keeping prompts warm: their stable beginnings stay in the provider's cache while that costs less than it saves."""

from service.cache_warming.seams import Metrics, Span, Spans
from service.cache_warming.telling import Telling
from service.cache_warming.warmer import CacheWarmer, Warm

__all__ = ["CacheWarmer", "Metrics", "Span", "Spans", "Telling", "Warm"]
