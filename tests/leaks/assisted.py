"""The routes of the language model, and every place of their requests in which a caller may send a text."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

from service.domain.catalogue import catalogue
from tests.leaks.arrivals import ME, Ask, fields, header_value
from tests.leaks.corpus import Corpus, Person, Planted, examples
from tests.leaks.real import LIMITS, real
from tests.leaks.wire import Instrumented, Wire

JOB = next(catalogue()).id
LETTERS, QUESTIONS, BRIEFINGS = "/api/v1/cover-letters", "/api/v1/questions", "/api/v1/briefings"
EVENTS = {"Accept": "text/event-stream"}
QUESTION: Ask = {"method": "POST", "url": QUESTIONS, "json": {"question": "Why me?"}}
LETTER: Ask = {"method": "POST", "url": LETTERS, "json": {"job_id": JOB}}
STREAMED: Ask = {**LETTER, "headers": EVENTS}
BRIEFING: Ask = {"method": "POST", "url": BRIEFINGS}
_PLENTY = '{"limit": 10000000, "tokens": null, "concurrency": null}'
UNLIMITED = f'{LIMITS[:-1]}, "llm": {_PLENTY}, "questions": {_PLENTY}}}'


def story(person: Person) -> str:
    """All that somebody says of themselves, as a CV has it."""
    head = f"{person.full_name}\n{person.address}\n{person.date_of_birth}"
    return f"{head}\n{person.cv_content}\n{person.cover_letter}"


def people(seed: int, count: int) -> list[Planted]:
    """People, each as one text."""
    return [Planted("person", story(person), person.markers) for person in Corpus(seed).people(count)]


def formed(seed: int, step: int = 1) -> list[Planted]:
    """Texts of known forms: of the policy's examples every so many, and each kind of the corpus bare."""
    return [*examples()[seed % step :: step], *Corpus(seed).bare(28)]


def with_cv(text: str) -> Ask:
    """Somebody's profile."""
    name = text.partition("\n")[0][:200]
    profile = {"name": name if name.isprintable() and name.strip() else "N", "email": "someone@example.com"}
    return {"method": "PUT", "url": ME, "json": {**profile, "phone": "+1 202 555 0100", "cv_content": text}}


def asked(text: str) -> Iterator[Ask]:
    """Requests to the language model's routes that carry any text: as a CV, question, focus, and where none belongs."""
    yield with_cv(text)
    yield {**QUESTION, "json": {"question": text[:2000]}}
    yield LETTER
    yield STREAMED
    yield {**LETTER, "json": {"job_id": text, "tone": text, "length": text, text: text}}
    yield {**QUESTION, "json": {"question": {text: [text]}}}
    yield {**QUESTION, "content": text.encode(), "headers": {"Content-Type": "application/json"}, "json": None}
    yield {**BRIEFING, "json": {"focus": [text], text: text}}


def asked_of(text: str) -> Iterator[Ask]:
    """Requests that carry a text of a known form: in headers and paths too."""
    yield from asked(text)
    in_path = quote(text, safe="")
    yield {"method": "GET", "url": f"{LETTERS}/{in_path}?{in_path}"}
    yield {"method": "GET", "url": f"{BRIEFINGS}/{in_path}?{in_path}"}
    if (value := header_value(text)) is not None:
        yield {**STREAMED, "headers": {**fields(text), "Accept": b"text/event-stream, " + value}}
        yield {**QUESTION, "headers": {"X-Request-ID": value}}


@asynccontextmanager
async def assisted(wire: Wire, directory: Path, url: str, **given: str) -> AsyncIterator[Instrumented]:
    """Run the service with a provider at a URL, and limits that no test meets."""
    settings = {"SIMULATED_PROVIDER_URL": url, "RATE_LIMITS": UNLIMITED, **given}
    async with real(wire, directory, **settings) as running:
        yield running
