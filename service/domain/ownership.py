"""Whose a row is."""

import hashlib


def owner_of(subject: str) -> str:
    """The owner column's value for a token's subject.

    A digest, so that any subject, however long and in whatever characters, fits every database. It is
    no secret: whoever can guess a subject can compute it.
    """
    return hashlib.sha256(subject.encode("utf-8", "surrogatepass")).hexdigest()
