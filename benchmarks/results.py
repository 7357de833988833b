"""Writes RESULTS.md: one section a benchmark, each with the date and the versions it was measured with."""

from __future__ import annotations

import datetime as dt
import platform
import re
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

HEADING = "# Results\n\nWritten by `make bench`; do not edit.\n"
VERSIONS = (
    "fastapi",
    "starlette",
    "uvloop",
    "opentelemetry-sdk",
    "opentelemetry-instrumentation-fastapi",
    "structlog",
    "prometheus-client",
    "sentry-sdk",
    "pyjwt",
    "asgi-correlation-id",
    "prometheus-fastapi-instrumentator",
    "slowapi",
    "secure",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table of ratios.

    Args:
        title: what was measured.
        sampling: the share of traces sampled, or None.
        ratio: instructions relative to the bare app.
        over: the difference to contrib alone, in requests of the bare app, or None.
    """

    title: str
    sampling: float | None
    ratio: float
    over: float | None


def table(rows: Iterable[Row]) -> str:
    """Renders rows as a Markdown table."""
    lines = ["| variant | sampling | ratio | over contrib alone |", "|---|---|---:|---:|"]
    for row in rows:
        sampling = "" if row.sampling is None else ("always on" if row.sampling == 1 else f"{row.sampling:g}")
        over = "" if row.over is None else f"{row.over:+.2f}"
        lines.append(f"| {row.title} | {sampling} | {row.ratio:.2f} | {over} |")
    return "\n".join(lines) + "\n"


def write_section(path: Path, name: str, text: str) -> None:
    """Puts a benchmark's section in place of its former one.

    Args:
        path: the Markdown file; made if it is missing.
        name: the section's heading.
        text: what was measured, as Markdown.
    """
    before = path.read_text() if path.exists() else HEADING
    versions = ", ".join(f"{package} {version(package)}" for package in VERSIONS)
    stamp = f"{dt.datetime.now(dt.UTC):%Y-%m-%d}, Python {platform.python_version()}, {platform.machine()}"
    section = f"## {name}\n\n{text}\n{stamp}; {versions}.\n"
    pattern = re.compile(rf"^## {re.escape(name)}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    if pattern.search(before):
        path.write_text(pattern.sub(lambda _: section, before))
    else:
        path.write_text(f"{before}\n{section}")
