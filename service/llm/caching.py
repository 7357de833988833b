"""How long a prefix must be for a model to cache it; a shorter one is answered, never cached, and no error says so.

https://platform.claude.com/docs/en/build-with-claude/prompt-caching ("Cache limitations").
"""

_DEFAULT = 1024
# By the beginning of a model's name, a longer one before a shorter one that it begins with.
_MINIMUM = (
    ("claude-opus-4-8", 1024),
    ("claude-opus-4-7", 2048),
    ("claude-opus-4-6", 4096),
    ("claude-opus-4-5", 4096),
    ("claude-haiku-4-5", 4096),
    ("claude-opus-5", 512),
    ("claude-fable-5", 512),
    ("claude-mythos-5", 512),
    ("claude-mythos-preview", 2048),
    ("claude-3-5-haiku", 2048),
    ("claude-3-haiku", 2048),
)


def plain_name(model: str) -> str:
    """Give a model's name in Anthropic's spelling; OpenRouter's is `anthropic/claude-sonnet-5.5`."""
    return model.removeprefix("anthropic/").replace(".", "-")


def minimum_cacheable(model: str) -> int:
    """Give the least tokens of a prefix that a model caches.

    Args:
        model: in either spelling; of an unknown one it is the least of most models.
    """
    name = plain_name(model)
    return next((tokens for beginning, tokens in _MINIMUM if name.startswith(beginning)), _DEFAULT)
