"""Where profiles, jobs and applications are kept: SQLite by default, PostgreSQL by URL."""

from service.database.claims import Claimed
from service.database.engine import Database, StartFailed
from service.database.faults import QueryFailed
from service.database.patience import insist

__all__ = ["Claimed", "Database", "QueryFailed", "StartFailed", "insist"]
