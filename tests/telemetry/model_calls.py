"""Calls of a language model as an application makes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from service.llm.model import Usage
from telemetry import CallFacts, Telemetry, TelemetrySettings
from telemetry.testing import Recorder
from tests.telemetry.receiver import Receiver, receiving

DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
MODEL, OTHER_MODEL = "claude-sonnet-4-5", "anthropic/claude-sonnet-4.5"
USAGE = Usage(input_tokens=100, cache_read_tokens=2000, cache_write_tokens=30, output_tokens=50)
REASONS = ("overloaded", "timeout")


def facts(**given: Any) -> CallFacts:
    """What is known of a call."""
    known: dict[str, Any] = {
        "provider": "anthropic",
        "model": MODEL,
        "max_tokens": 1024,
        "stream": True,
        "server_address": "api.anthropic.com",
        "server_port": 443,
        "prompt_name": "cover_letter",
        "prompt_version": "3",
        "prompt_digest": DIGEST,
        "temperature": 0.2,
    }
    return CallFacts(**known | given)


def answered(**given: Any) -> dict[str, Any]:
    """What is known of an answer."""
    known = {
        "response_id": "msg_01XFDUDYJgAACzvnptvVoYEL",
        "model": "claude-sonnet-4-5-20250929",
        "finish_reason": "end_turn",
        "usage": USAGE,
        "cost_usd": 0.0017,
    }
    return known | given


class Watched(NamedTuple):
    """A telemetry and what it tells."""

    telemetry: Telemetry
    recorder: Recorder


def watched(**options: Any) -> Watched:
    """A telemetry with two providers declared; its spans stay here."""
    telemetry = Telemetry(TelemetrySettings(service_name="shop", **options))
    telemetry.genai.declare(
        {"anthropic": [MODEL], "openrouter": [OTHER_MODEL]},
        prompts=["cover_letter", "question"],
        error_types=["unavailable"],
        reasons=REASONS,
    )
    return Watched(telemetry, Recorder(telemetry))


@contextmanager
def on_the_wire(**options: Any) -> Iterator[tuple[Telemetry, Receiver]]:
    """A telemetry whose spans are all at the receiver when this ends."""
    with receiving() as receiver:
        telemetry, _ = watched(otlp_endpoint=receiver.url, **options)
        telemetry.spans.start()
        try:
            yield telemetry, receiver
        finally:
            telemetry.spans.stop()
