"""Limits that hold for all processes together, over Redis or Valkey."""

from service.limits.redis.backend import RedisBackend

__all__ = ["RedisBackend"]
