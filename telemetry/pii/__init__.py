"""What is sensitive, and what takes its place."""

from telemetry.pii.pseudonym import Pseudonyms

__all__ = ["Pseudonyms"]
