"""One estimate of what text is in tokens: four bytes of UTF-8 are one, a rest is one more."""

BYTES_PER_TOKEN = 4


def tokens(size: int) -> int:
    """Give how many tokens so many bytes are."""
    return -(-size // BYTES_PER_TOKEN)
