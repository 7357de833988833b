"""What a sensitive text stands in: the forms in which programs write down what they were given."""

import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus, urlencode

_TRACEBACK = """Traceback (most recent call last):
  File "jobs.py", line 12, in submit
    check(body)
ValueError: cannot use {}"""
_CHAINED = (
    _TRACEBACK
    + """

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "jobs.py", line 40, in run
RuntimeError: submit failed
while handling {}"""
)
_VALIDATION = """1 validation error for Body
note
  Input should be a valid integer, unable to parse [type=int_parsing, input_value={!r}, input_type=str]"""


def _sql(text: str) -> str:
    literal = text.replace("'", "''")
    return f"UPDATE applications SET note = '{literal}' WHERE id = 7 /* {text} */"  # noqa: S608 - never executed


def _driver_error(text: str) -> str:
    return f"(IntegrityError) duplicate key\nDETAIL:  Key (note)=({text}) already exists.\n[parameters: {(text, 1)!r}]"


CONTAINERS: dict[str, Callable[[str], str]] = {
    "nothing": lambda text: text,
    "a log line": lambda text: f"2026-11-22 10:20:30 INFO jobs worker-3: {text} was handled in 12 ms",
    "logfmt": lambda text: f'level=info n=3 msg="{text}" took=12ms',
    "sql": _sql,
    "a driver's error": _driver_error,
    "a url": lambda text: f"https://jobs.example/search?q={quote(text, safe='')}&limit=20",
    "a query with plus": lambda text: f"/search?limit=20&q={quote_plus(text)}",
    "a path": lambda text: f"/api/v1/people/{quote(text, safe='')}/notes",
    "json": lambda text: json.dumps({"id": 7, "note": text, "list": [text]}),
    "json in json": lambda text: json.dumps({"payload": json.dumps({"note": text})}),
    "repr": lambda text: repr({"id": 7, "note": text}),
    "a traceback": _TRACEBACK.format,
    "chained causes and notes": lambda text: _CHAINED.format(text, text),
    "a prompt": lambda text: f"System: you write letters.\nUser: my details: {text}.\nAssistant: Thank you, {text}!",
    "a header list": lambda text: repr([(b"accept", b"*/*"), (b"x-info", text.encode()), (b"x-n", b"1")]),
    "a form": lambda text: urlencode({"page": 1, "q": text, "go": "yes"}),
    "a file name": lambda text: f'Content-Disposition: form-data; name="file"; filename="{text}.pdf"',
    "a validation error": _VALIDATION.format,
    "markup": lambda text: f"<p title='{text}'>{text}</p>",
    "csv": lambda text: f"7,{text},open\n8,{text},closed",
}
