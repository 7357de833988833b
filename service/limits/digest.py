"""What stands for a key in memory."""

from hashlib import blake2b

# Digests have one size, whatever a subject's length, and keep subjects out of memory dumps. With 15
# bytes an entry fits a 48-byte block of CPython's allocator; 120 bits leave collisions out of reach.
DIGEST_BYTES = 15
OVERFLOW = b"overflow"
"""Where keys count together that are more than are kept apart; no digest has its length."""


def digest(key: str) -> bytes:
    """The digest of a key."""
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).digest()
