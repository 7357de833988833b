"""What the model writes: prose about what it was asked, or JSON where it was asked for that."""

import random
import re
from typing import Any

import orjson

from service.llm.simulated.errors import ApiError
from service.llm.simulated.request import Json, Request
from service.llm.simulated.schemas import Filler

# A word that is capitalized for what it is: no part of an address or a placeholder, none that only begins a sentence.
_WORD = re.compile(r"(?<![\w@.\[])[A-Z][A-Za-z+#]{2,24}(?![\w@])")
_COMMON = frozenset(
    ("The", "This", "That", "These", "You", "Your", "Our", "Its", "And", "For", "With", "When", "What", "Which", "From")
)
_ID = re.compile(r"\b(?:[a-z]{2,8}_[0-9a-zA-Z]{8,40}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\b")
# An instruction to answer in it, not a mention of it.
_JSON = re.compile(
    r"\b(?:answer|respond|reply|return|output|write|produce|give)\w*\b[^.\n]{0,80}\bjson\b", re.IGNORECASE
)
_LETTER = re.compile(r"\b(?:write|draft|compose)\b[^.\n]{0,60}\bletter\b", re.IGNORECASE)
_LONGEST_LOOK = 50_000
_FALLBACK = ("Engineering", "Delivery", "Collaboration", "Quality", "Ownership")

_OPENINGS = (
    "I am writing about the position you advertised, because it asks for what I like doing best.",
    "Your advert describes a team that cares how things are built, and that is why I am writing.",
    "The role that you describe is close to the work that I have done in recent years.",
)
_MIDDLES = (
    "In my last position I was responsible for {0} and worked closely with colleagues in {1}.",
    "What I would bring is practical experience with {0}, and the patience to explain it to others.",
    "I have learned to treat {0} as something that is measured before it is changed.",
    "A project that I remember well began with {0} and ended with a simpler way to work on {1}.",
    "When {0} became a bottleneck, I proposed a smaller step, agreed it with the team and saw it through.",
    "Others have told me that I make {0} understandable to people who work on {1}.",
    "I keep notes on what did not work, and my experience with {0} is the better for it.",
    "It taught me to ask early what {0} is for, and who will look after it later.",
)
_CLOSINGS = (
    "I would be glad to talk about how I could help, and I thank you for your time.",
    "I look forward to hearing from you, and to the questions that you may have.",
    "Thank you for considering my application; I would welcome a conversation.",
)
_ANSWERS = (
    "From what the profile says, {0} is the strongest point.",
    "There is clear evidence of {0}, while {1} is mentioned only in passing.",
    "It would help to add a result that can be measured, for example about {0}.",
    "Compared with what is asked for, {0} fits well and {1} is worth a sentence of its own.",
    "I would put {0} first, and keep the part about {1} short.",
    "Nothing in the profile contradicts that, though it says little about {1}.",
)


def words(request: Request) -> tuple[str, ...]:
    """Give what the request is about: a few words of its last message."""
    found = dict.fromkeys(_WORD.findall(request.said()[:_LONGEST_LOOK]))
    about = tuple(word for word in found if word not in _COMMON)[:12]
    return about if len(about) > 1 else (*about, *_FALLBACK)


def write(request: Request, chance: random.Random) -> str:
    """Give the answer's text."""
    if request.schema is not None:
        return orjson.dumps(made(request.schema, request, chance)).decode()
    if _JSON.search(request.system) and (example := _example(request.system)) is not None:
        return orjson.dumps(_like(example, request, chance)).decode()
    if _LETTER.search(f"{request.system}\n{request.said()[:_LONGEST_LOOK]}"):
        return _letter(request, chance)
    return " ".join(_sentences(_ANSWERS, 5, request, chance))


def made(schema: Json, request: Request, chance: random.Random) -> Any:  # noqa: ANN401 - JSON
    """Give a value of a schema, out of what the request is about.

    Raises:
        ApiError: it is no JSON Schema.
    """
    ids = tuple(dict.fromkeys(_ID.findall(request.heard()[-_LONGEST_LOOK:])))
    try:
        return Filler(schema, chance, words(request), ids).fill(schema)
    except (ArithmeticError, AttributeError, TypeError, ValueError) as error:
        raise ApiError(400, "JSON schema is invalid. It must match JSON Schema draft 2020-12") from error


def _letter(request: Request, chance: random.Random) -> str:
    sentences = _sentences(_MIDDLES, 6, request, chance)
    paragraphs = (
        "Dear hiring team,",
        chance.choice(_OPENINGS) + " " + sentences[0],
        " ".join(sentences[1:4]),
        " ".join(sentences[4:]),
        chance.choice(_CLOSINGS),
        "Kind regards",
    )
    return "\n\n".join(paragraphs)


def _sentences(patterns: tuple[str, ...], count: int, request: Request, chance: random.Random) -> list[str]:
    about = words(request)
    return [pattern.format(*chance.sample(about, 2)) for pattern in chance.sample(patterns, count)]


def _example(system: str) -> Any:  # noqa: ANN401 - JSON
    """Give the first JSON object in the system prompt, a schema or an example of what is wanted, or None."""
    at = system.find("{")
    while at >= 0:
        end = system.find("}", at)
        while end >= 0:
            try:
                return orjson.loads(system[at : end + 1])
            except orjson.JSONDecodeError:
                end = system.find("}", end + 1) if end - at < 4000 else -1  # noqa: PLR2004 - no example is longer
        at = system.find("{", at + 1)
    return None


def _like(example: Any, request: Request, chance: random.Random) -> Any:  # noqa: ANN401 - JSON
    if isinstance(example, dict) and isinstance(example.get("properties"), dict):
        return made(example, request, chance)
    return made(_schema_of(example), request, chance)


def _schema_of(example: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    if isinstance(example, dict):
        return {"type": "object", "properties": {key: _schema_of(value) for key, value in example.items()}}
    if isinstance(example, list):
        return {"type": "array", "items": _schema_of(example[0] if example else "")}
    if isinstance(example, bool):
        return {"type": "boolean"}
    if isinstance(example, int):
        return {"type": "integer", "minimum": min(example, 1), "maximum": max(example, 1)}
    if isinstance(example, float):
        return {"type": "number", "minimum": 0, "maximum": 1}
    # One word is one of a few that the program knows.
    return {"const": example} if example.isalpha() and example.islower() else {"type": "string"}
