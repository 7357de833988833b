"""Errors and transactions go to Sentry, scrubbed by the one policy, twice: in the SDK's hooks and before its wire."""

from telemetry.sentry.client import Sentry

__all__ = ["Sentry"]
