"""A person under keys, in every way in which programs keep things under keys."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import sentry_sdk

from telemetry import Telemetry, get_logger
from tests.leaks.corpus import Person

log = get_logger("foreign")


def keyed(person: Person) -> dict[str, Any]:
    """Give a person under flat keys, in the spellings that programs use."""
    return {
        "first_name": person.first_name,
        "fullName": person.full_name,
        "user.full-name": person.full_name,
        "applicant_address": person.address,
        "dateOfBirth": person.date_of_birth,
        "PHONE": person.phone,
        "contact.phone": [person.phone],
        "cv_content": person.cv_content,
        "candidate.coverLetter": person.cover_letter,
    }


def nested(person: Person) -> dict[str, Any]:
    """Give a person as the tree that a body is."""
    return {
        "applicant": {"name": person.full_name, "address": {"lines": person.address.split("\n")}},
        "people": [{"first_name": {"value": person.first_name}, "email": (person.full_name, "x")}],
        "documents": [{"cv_content": {"text": [person.cv_content]}, "cover_letter": person.cover_letter.encode()}],
    }


def model_call(person: Person) -> dict[str, str]:
    """Give what was said to a model and by it, under the conventions' keys."""
    messages = json.dumps([{"role": "user", "parts": [{"type": "text", "content": person.cv_content}]}])
    return {
        "gen_ai.prompt": f"Write for {person.full_name}: {person.cv_content}",
        "gen_ai.completion": person.cover_letter,
        "gen_ai.input.messages": messages,
        "gen_ai.output.messages": json.dumps([{"role": "assistant", "content": person.cover_letter}]),
        "gen_ai.system_instructions": f"You know {person.full_name}",
        "gen_ai.tool.call.arguments": json.dumps(keyed(person)),
        "gen_ai.tool.call.result": person.address,
        "prompt": person.cv_content,
    }


def texts(person: Person) -> tuple[str, ...]:
    """Give texts that hold a person under keys: JSON, JSON in JSON, a `repr`, a form."""
    flat: Mapping[str, Any] = keyed(person)
    form = {key: value for key, value in flat.items() if isinstance(value, str)}
    escaped = json.dumps({"body": json.dumps(flat)}, ensure_ascii=False)
    return (
        json.dumps(flat),
        json.dumps(flat, ensure_ascii=False),
        escaped,
        repr(flat),
        f"/submit?page=2&{urlencode(form)}",
    )


def say(telemetry: Telemetry, person: Person) -> None:
    """Tell every sink of a person."""
    log.info("test.keyed", **keyed(person))
    log.info("test.nested", **nested(person), **model_call(person))
    for text in texts(person):
        log.info("test.text", body=text)
        logging.getLogger("library").warning("sent %s", text)
    with telemetry.span("test.keyed", **keyed(person)) as span:
        span.add_event("test.event", {**model_call(person), **keyed(person)})
        for number, text in enumerate(texts(person)):
            span.set_attribute(f"text{number}", text)
    with telemetry.span("chat", **model_call(person)):
        pass
    for text in texts(person):
        failure = RuntimeError(f"refused: {text}")
        failure.add_note(text)
        telemetry.capture(failure)
    with sentry_sdk.new_scope() as scope:
        scope.set_user(keyed(person))
        scope.set_context("applicant", nested(person))
        for key, value in (keyed(person) | nested(person)).items():
            scope.set_extra(key, value)
        scope.add_breadcrumb(message="sent", data=keyed(person) | nested(person))
        sentry_sdk.capture_message("test.keyed")
