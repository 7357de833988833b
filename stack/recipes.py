"""What is built, what decides about it, and where it is when it is built."""

import hashlib
import json
import os
import re
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

STACK = Path(__file__).resolve().parent
INPUTS = ("manifest.yaml", "go.mod", "go.sum")
ENVIRONMENT = {
    "CGO_ENABLED": "0",
    "GOFLAGS": "-mod=readonly",  # what the committed go.sum has no hash for is an error
    "GOSUMDB": "off",  # it does not answer for some older modules; the committed go.sum does
    "GOTOOLCHAIN": "local",  # nobody's Go is exchanged behind their back
    "GOWORK": "off",
}
COMPILE = ("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w")
GENERATE = ("--config", "manifest.yaml", "--skip-get-modules", "--skip-compilation")  # the committed go.mod stays


class Refused(Exception):
    """Why nothing can be built or found."""


@dataclass(frozen=True)
class Recipe:
    """The programs that are built at once, the folders that they are made from, and how."""

    programs: tuple[str, ...]
    folders: tuple[str, ...]
    tags: str = ""
    package: str = "tool"  # whatever go.mod names as a tool


RECIPES = {  # in the order in which they are built: the collector is the one that is waited for
    "collector": Recipe(("otelcol",), ("collector", "builder"), package="."),
    # Without remove_all_sd it needs a module that is not to be had; static and file targets remain.
    "prometheus": Recipe(("prometheus", "promtool"), ("prometheus",), tags="netgo,remove_all_sd"),
    "jaeger": Recipe(("jaeger",), ("jaeger",)),
    "loki": Recipe(("loki",), ("loki",)),
}


def where(program: str) -> Path:
    """Returns the path of a program that is built for the present recipe; refuses if it is not."""
    name = next(name for name, recipe in RECIPES.items() if program in recipe.programs)
    path = folder(name) / program
    if not path.exists():
        raise Refused(f"{program} is not built for the present recipe: make stack-binaries ONLY={name}")
    return path


def folder(name: str) -> Path:
    """Returns the cache's folder for a recipe's programs, named by the digest of all that decides about them."""
    recipe = RECIPES[name]
    files = [STACK / part / file for part in recipe.folders for file in INPUTS]
    contents = {str(file.relative_to(STACK)): file.read_text() for file in files if file.exists()}
    decides = [_go_settings(), ENVIRONMENT, COMPILE, GENERATE, asdict(recipe), contents]
    digest = hashlib.sha256(json.dumps(decides).encode()).hexdigest()
    return _cache() / f"{name}-{digest[:16]}"


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("CLEARSTORY_CACHE") or Path(base, "clearstory")).absolute() / "stack"


def _go_settings() -> str:
    """Returns Go's version and what it builds for; refuses a Go that is missing, or too old for any recipe."""
    needed = max(_version(file.read_text(), "^go ") for file in STACK.glob("*/go.mod"))
    advice = f"install Go {'.'.join(map(str, needed))} or newer (the package golang of a distribution may be older)"
    command = ["go", "env", "GOVERSION", "GOOS", "GOARCH", "GOAMD64", "GOEXPERIMENT"]
    try:
        done = subprocess.run(command, env=os.environ | ENVIRONMENT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Refused(f"no Go starts on this machine: {advice}") from error
    if _version(done.stdout, "go") < needed:
        raise Refused(f"{done.stdout.split()[0]} is too old: {advice}")
    return done.stdout


def _version(text: str, before: str) -> tuple[int, ...]:
    """Returns the first version after `before`, to be compared."""
    found = re.search(before + r"(\d+)\.(\d+)(?:\.(\d+))?", text, re.MULTILINE)
    return tuple(int(part or 0) for part in found.groups()) if found else (0,)
