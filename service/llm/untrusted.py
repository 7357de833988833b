"""Text that others wrote, kept apart from instructions: CVs and job adverts in a message to a model.

What the tags mean, the prompts' common part says.
"""

import re

from service.llm.visible import visible

MAX_LENGTH = 50_000
"""What a model is given of one text (characters); the rest is cut off, and that is said."""
_KIND = re.compile("[a-z]+(?:-[a-z]+)*")
# `<`, and what looks like it to a model: without one the text can neither end its element nor begin another.
_OPENING = re.compile("[<\ufe64\uff1c\u2039\u27e8\u3008]")


def untrusted(kind: str, text: str, max_length: int = MAX_LENGTH) -> str:
    """Wrap a text so that it cannot pass for anything else.

    Args:
        kind: what it is: `curriculum-vitae`, `advert`; lower-case letters and hyphens.
        text: any; what cannot be seen is taken out, and each `<` is written `&lt;`.
        max_length: how much of it is kept (characters).

    Raises:
        ValueError: no such kind can be.
    """
    if not _KIND.fullmatch(kind):
        raise ValueError("a kind is of lower-case letters and hyphens")
    seen = visible(text)
    if len(seen) > max_length:
        seen = f"{seen[:max_length]}\n[cut off here]"
    return f"<untrusted {kind}>\n{_OPENING.sub('&lt;', seen)}\n</untrusted {kind}>"
