"""The configuration file: hand-written, but for what stands between marks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_BLOCK: Final = re.compile(
    r"(?P<begin>^(?P<indent> *)# generated (?P<name>[a-z]+) \(.*\n)"
    r"(?P<content>(?:.*\n)*?)(?P<end> *# end of generated (?P=name)$)",
    re.MULTILINE,
)
_MARK: Final = re.compile(r"^ *# (?:generated (?P<begun>[a-z]+) \(.*|end of generated (?P<ended>.*))$", re.MULTILINE)


class DocumentError(Exception):
    """The file cannot take what is generated. One line."""


def with_blocks(text: str, blocks: Mapping[str, str]) -> str:
    """Give a file's text with other generated parts.

    Args:
        text: holds each part once, between `# generated NAME (…` and `# end of generated NAME`.
        blocks: the parts by their names.

    Raises:
        DocumentError: a part is missing, twice there or unknown.
    """
    found = [block["name"] for block in _BLOCK.finditer(text)]
    # A mark alone would make what is written by hand behind it a part of what is generated.
    marks = [mark["begun"] or mark["ended"] for mark in _MARK.finditer(text)]
    for name in sorted({*marks, *blocks}):
        if name not in blocks or found.count(name) != 1 or marks.count(name) != 2:  # noqa: PLR2004 - begin and end
            raise DocumentError(
                f"it wants one part between `# generated {name} (…` and `# end of generated {name}`"
                if name in blocks
                else f"nothing is generated for the part {name!r}"
            )

    def filled(block: re.Match[str]) -> str:
        content = "".join(f"{block['indent']}{line}\n" for line in blocks[block["name"]].splitlines())
        return f"{block['begin']}{content}{block['end']}"

    return _BLOCK.sub(filled, text)
