"""What was asked and what was got: the lines of a benchmark's report, on the screen and in a file."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of a report.

    Attributes:
        what: is measured.
        asked: at most, at least, or exactly.
        got: what it was.
        met: whether that is what was asked; None: nothing was.
    """

    what: str
    asked: str
    got: str
    met: bool | None = None

    def __str__(self) -> str:
        return f"{'' if self.met is None else 'met' if self.met else 'MISSED':7}{self.what}: {self.got}"


def report(
    path: Path,
    method: str,
    parts: Mapping[str, Callable[[], list[Figure]]],
    packages: Sequence[str],
    *,
    program: str,
    description: str | None,
) -> int:
    """Read the command line, measure and print; write the report after a complete run. The exit status.

    Args:
        path: of the report.
        method: how it is measured; ends in the head of the table.
        parts: what measures, by name.
        packages: those whose versions matter.
        program: the module that is run.
        description: what it does.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description=description)
    parser.add_argument("--only", default="", help=f"some of {','.join(parts)}")
    only = [word for word in parser.parse_args().only.split(",") if word]
    figures = [figure for name, part in parts.items() if not only or name in only for figure in part()]
    for figure in figures:
        print(figure)
    if not only:
        _write(path, method, figures, packages)
    return 0 if all(figure.met is not False for figure in figures) else 1


def _write(path: Path, method: str, figures: Iterable[Figure], packages: Sequence[str]) -> None:
    marks = {True: "met", False: "**missed**", None: ""}
    lines = [f"| {each.what} | {each.asked} | {each.got} | {marks[each.met]} |" for each in figures]
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    machine = f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores"
    stamp = f"\n{dt.datetime.now(dt.UTC):%Y-%m-%d}, {machine}; {versions}.\n"
    path.write_text(method + "\n".join(lines) + "\n" + stamp)
