"""JSON's escapes, written as the characters that they stand for.

What reads a text for what must not be in it would look for other characters than those that the JSON in it means.
"""

import json
import re

_ESCAPE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.", re.DOTALL)
_BLANKS = {"\t": " ", "\b": "", "\f": " ", "\r": " "}


def in_characters(text: str) -> str:
    """Give JSON that means the same, in which only quotes, backslashes and ends of lines are escaped.

    But for other control characters, which JSON has no other way to write: they become a blank, or go.

    Args:
        text: JSON, perhaps with something around it; whatever else it is, what looks like an escape is taken for one.
    """
    return _ESCAPE.sub(_character, text)


def _character(escape: re.Match[str]) -> str:
    try:
        char: str = json.loads(f'"{escape[0]}"')
        char.encode()
    except ValueError:  # no escape of JSON, or half a surrogate pair
        return escape[0]
    if char in {'"', "\\", "\n"}:
        return json.dumps(char)[1:-1]
    return _BLANKS.get(char, "") if char < " " else char
