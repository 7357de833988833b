"""A text as a reader sees it: without characters that are there and cannot be seen."""

import re

# A terminal's colours and moves (ECMA-48 section 5.4). Without its ESC alone `[31m` would stay, and its `m` would be a
# part of the word that follows: an address there would be known no more.
_CONTROL_SEQUENCES = re.compile("(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]")
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# Control characters but \t and \n, soft hyphens and joiners, bidi controls, fillers, variation selectors, surrogates,
# tags: what Unicode calls Cc, Cs and Default_Ignorable_Code_Point. Text can be hidden in them, and values by them.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def visible(text: str) -> str:
    r"""Give a text without control characters, their sequences, and invisible characters; lines end with \n.

    Args:
        text: any, with lone surrogates too.
    """
    return _INVISIBLE.sub("", _LINE_ENDS.sub("\n", _CONTROL_SEQUENCES.sub("", text)))
