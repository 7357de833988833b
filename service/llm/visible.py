"""A text as it is seen: without characters that are there and cannot be."""

import re

# A terminal's colours and moves (ECMA-48 section 5.4). Without its ESC alone `[31m` would stay, and its `m` would be a
# part of the word that follows: an address there would be known no more.
_CONTROL_SEQUENCES = re.compile("(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]")
LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# Control characters but \t and \n, soft hyphens and joiners, bidi controls, fillers, variation selectors, surrogates,
# tags: what Unicode calls Cc, Cs and Default_Ignorable_Code_Point. Text can be hidden in them, and values by them.
INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# Between emoji, and letters of scripts that join them, joiners are seen by what they do; selectors behind a sign.
_EMOJI = "\u00a9\u00ae\u2122\u2139\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
_JOINED = (
    "\u0620-\u065f\u066e-\u06ef\u06fa-\u085f\u08a0-\u08ff\u0900-\u0965\u0971-\u109f\u1780-\u17b3\u17b6-\u17d3"
    "\u1820-\u18af\ufb50-\ufdff\ufe70-\ufefc"
)
_HIDDEN = re.compile(
    rf"{INVISIBLE.pattern}(?!(?:(?<=[{_EMOJI}]\u200d)|(?<=[{_EMOJI}]\ufe0f\u200d))[{_EMOJI}]"
    rf"|(?<=[{_JOINED}][\u200c\u200d])(?:[{_JOINED}]|(?!\w|{INVISIBLE.pattern}))"
    rf"|(?<=[{_EMOJI}][\ufe0e\ufe0f])(?![\ufe00-\ufe0f])|(?<=[0-9#*]\ufe0f)\u20e3)"
)


def visible(text: str) -> str:
    r"""Give a text without control characters, their sequences, and invisible characters; lines end with \n.

    Emoji that are joined or chosen by invisible characters keep them, and so do scripts that are written with joiners.

    Args:
        text: any, with lone surrogates too.
    """
    return _HIDDEN.sub("", LINE_ENDS.sub("\n", _CONTROL_SEQUENCES.sub("", text)))
