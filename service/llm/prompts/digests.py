"""What each version's text was when it was written down: a text that changes gets a new version.

A version is what a trace tells of a call; two texts under one of them would make every comparison wrong.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from service.llm.prompts.files import FOLDER, PromptError, read

_HEAD = """\
# SHA-256 of each prompt's text, its common part included; `python -m service.llm.prompts` adds the new versions.
# A text in use is not changed: copy its file to the next version.

"""


def recorded(folder: Path = FOLDER) -> Mapping[str, str]:
    """Give the digests that are written down, by file name without suffix.

    Args:
        folder: where the prompts are.
    """
    listed: dict[str, str] = tomllib.loads((folder / "digests.toml").read_text(encoding="utf-8"))
    return listed


def current(folder: Path = FOLDER) -> Mapping[str, str]:
    """Give the digests of the files as they are.

    Args:
        folder: where the prompts are.

    Raises:
        PromptError: a file is not as it should be.
    """
    return {stem: prompt.digest for stem, prompt in read(folder).items()}


def record(folder: Path = FOLDER) -> None:
    """Write down the digests of new versions.

    Args:
        folder: where the prompts are.

    Raises:
        PromptError: the text of a version that was written down before is another one now.
    """
    before, now = recorded(folder), current(folder)
    if changed := [stem for stem in now if before.get(stem, now[stem]) != now[stem]]:
        raise PromptError(f"{changed[0]}: its text has changed; give it a new version")
    listed = "".join(f'"{stem}" = "{digest}"\n' for stem, digest in now.items())
    (folder / "digests.toml").write_text(_HEAD + listed, encoding="utf-8")
