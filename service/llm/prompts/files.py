"""Prompt files: `<name>.v<version>.toml`, with a `text` and, where it has one, the `common` text put before it."""

import re
import tomllib
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from service.llm.model import Prompt

FOLDER = Path(__file__).parent
_STEM = re.compile(r"([a-z_]+)\.v([1-9][0-9]{0,5})")


class PromptError(ValueError):
    """A prompt file that cannot be used: one line with its name and the reason."""


def load(versions: Mapping[str, str] | None = None, folder: Path = FOLDER) -> Mapping[str, Prompt]:
    """Read the prompts.

    Args:
        versions: by name, which version is current; of what is not named it is the highest.
        folder: where the files are.

    Returns:
        The current prompt of each name.

    Raises:
        PromptError: a file is not as it should be, or a version is not there.
    """
    current: dict[str, Prompt] = {}
    chosen = versions or {}
    for prompt in read(folder).values():  # the higher version comes later
        if chosen.get(prompt.name, prompt.version) == prompt.version:
            current[prompt.name] = prompt
    if missing := sorted(name for name in chosen if name not in current):
        raise PromptError(f"no such version of the prompt {missing[0]}")
    return current


def read(folder: Path = FOLDER) -> dict[str, Prompt]:
    """Read every version of every prompt.

    Args:
        folder: where the files are.

    Returns:
        By the file's name without its suffix, in the order of names and versions.

    Raises:
        PromptError: a file is not as it should be.
    """
    files = {path.name.removesuffix(".toml"): _fields(path) for path in folder.glob("*.v*.toml")}
    return {stem: _prompt(stem, files) for stem in sorted(files, key=_order) if not stem.startswith("_")}


def _fields(path: Path) -> dict[str, str]:
    try:
        fields = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PromptError(f"{path.name}: it is not TOML in UTF-8") from error
    if not _STEM.fullmatch(path.name.removesuffix(".toml")):
        raise PromptError(f"{path.name}: the name is not of the form <name>.v<version>.toml")
    wrong = fields.keys() - {"common", "text"} or not all(isinstance(value, str) for value in fields.values())
    if wrong or not fields.get("text", "").strip():
        raise PromptError(f"{path.name}: what it may hold is a text and the name of a common one before it")
    return fields


def _prompt(stem: str, files: Mapping[str, dict[str, str]]) -> Prompt:
    fields = files[stem]
    text = fields["text"]
    if (common := fields.get("common")) is not None:
        if common not in files:
            raise PromptError(f"{stem}.toml: the common text it names is not there")
        text = files[common]["text"] + text
    name, version = stem.rsplit(".v", 1)
    return Prompt(name, version, text, sha256(text.encode()).hexdigest())


def _order(stem: str) -> tuple[str, int]:
    name, version = stem.rsplit(".v", 1)
    return name, int(version)
