"""The file that what is generated is put into: nothing outside the marks changes, and wrong marks are refused."""

import pytest

from telemetry.collector.document import DocumentError, with_blocks

TEXT = """\
a: 1
  # generated one (how)
  old
  older
  # end of generated one
b:
# generated two (how)
# end of generated two
c: 3
"""
BLOCKS = {"one": "x:\n  y", "two": "z"}


def test_parts_are_replaced_and_the_rest_stays() -> None:
    """Each part is replaced, indented as its mark is; every other line stays."""
    assert with_blocks(TEXT, BLOCKS) == (
        "a: 1\n  # generated one (how)\n  x:\n    y\n  # end of generated one\nb:\n"
        "# generated two (how)\nz\n# end of generated two\nc: 3\n"
    )


def test_again_is_the_same() -> None:
    """What has the parts already stays as it is."""
    once = with_blocks(TEXT, BLOCKS)
    assert with_blocks(once, BLOCKS) == once


def test_backslashes_and_groups_are_taken_as_they_are() -> None:
    """Nothing in a part is a reference to what was replaced."""
    assert "\\1 \\g<name> $1\n" in with_blocks(TEXT, BLOCKS | {"two": "\\1 \\g<name> $1"})


def test_last_line_needs_no_end() -> None:
    """A file may end with a mark."""
    assert with_blocks("# generated one (\n# end of generated one", {"one": "x"}) == (
        "# generated one (\nx\n# end of generated one"
    )


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("", "one"),
        (TEXT.replace("  # end of generated one\n", ""), "one"),
        (TEXT.replace("  # generated one (how)\n", ""), "one"),
        (TEXT.replace("# end of generated two\n", ""), "two"),
        (TEXT.replace("end of generated one", "end of generated two"), "one"),
        (TEXT + "# generated two (how)\n", "two"),
        ("# generated one (how)\nby hand\n" + TEXT, "one"),
        (TEXT + "# end of generated one\n", "one"),
        (TEXT + TEXT, "one"),
        (TEXT.replace("  old\n", "# generated two (how)\n"), "two"),
    ],
)
def test_marks_that_are_missing_or_doubled_are_refused(text: str, name: str) -> None:
    """A mark alone or a part twice is refused by its name: what is written by hand would be overwritten."""
    with pytest.raises(DocumentError) as refusal:
        with_blocks(text, BLOCKS)
    assert str(refusal.value) == f"it wants one part between `# generated {name} (…` and `# end of generated {name}`"


@pytest.mark.parametrize("lines", ["# generated three (how)\n# end of generated three\n", "# end of generated three\n"])
def test_unknown_part_is_refused(lines: str) -> None:
    """A part that nothing is generated for is named."""
    with pytest.raises(DocumentError, match=r"^nothing is generated for the part 'three'$"):
        with_blocks(TEXT + lines, BLOCKS)
