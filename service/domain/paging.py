"""Keyset pagination: a cursor is the place of the last item seen, so rows that come or go move nothing."""

import base64
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy.orm import InstrumentedAttribute

MAX_CURSOR_LENGTH = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BASE64URL = re.compile(r"[A-Za-z0-9_-]{1,200}")
_PLACE = re.compile(r"([0-9]{1,16}):([a-z]{1,8}_[0-9a-f]{1,64})")


class InvalidCursor(ValueError):
    """Not a cursor that this service gave out."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a list that goes from newest to oldest, then by id."""

    at: datetime
    id: str

    def encode(self) -> str:
        """The cursor; opaque to clients."""
        microseconds = (self.at - _EPOCH) // timedelta(microseconds=1)
        return base64.urlsafe_b64encode(f"{microseconds}:{self.id}".encode()).rstrip(b"=").decode()

    @classmethod
    def decode(cls, cursor: str) -> "Place":
        """The place that `cursor` names.

        Raises:
            InvalidCursor: it names none.
        """
        if not _BASE64URL.fullmatch(cursor):
            raise InvalidCursor
        try:
            text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        except ValueError as error:
            raise InvalidCursor from error
        found = _PLACE.fullmatch(text)
        if found is None:
            raise InvalidCursor
        return cls(_EPOCH + timedelta(microseconds=int(found[1])), found[2])


def after(place: Place, at: InstrumentedAttribute[datetime], id_: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """What comes after `place`, written so that an index on (at DESC, id) is entered at the right row."""
    return and_(at <= place.at, or_(at < place.at, id_ > place.id))
