"""The tables. Everything that belongs to somebody has an `owner`, and erasure goes by it."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, Dialect, ForeignKey, Index, LargeBinary, String, Text, desc
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class UtcMicroseconds(TypeDecorator[datetime]):
    """An instant as whole microseconds since 1970: the same order and value in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Python to database."""
        del dialect
        return None if value is None else (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Database to Python."""
        del dialect
        return None if value is None else EPOCH + value * MICROSECOND


class Base(DeclarativeBase):
    """The metadata that the migrations are compared with."""

    type_annotation_map = {datetime: UtcMicroseconds}  # noqa: RUF012 - SQLAlchemy's own protocol


class Job(Base):
    """A posting of the catalogue. `search` is what a query is looked for in, folded."""

    __tablename__ = "jobs"
    __table_args__ = (Index("ix_jobs_page", desc("posted_at"), "id"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    company: Mapped[str] = mapped_column(String(200))
    location: Mapped[str] = mapped_column(String(200))
    employment_type: Mapped[str] = mapped_column(String(32))
    remote: Mapped[bool]
    salary_min: Mapped[int]
    salary_max: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    description: Mapped[str] = mapped_column(Text)
    posted_at: Mapped[datetime]
    search: Mapped[str] = mapped_column(Text)


class Profile(Base):
    """Who somebody is, in their own words; one for each owner."""

    __tablename__ = "profiles"

    owner: Mapped[str] = mapped_column(String(64), primary_key=True)
    id: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str] = mapped_column(String(254))
    phone: Mapped[str | None] = mapped_column(String(40))
    cv_content: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Application(Base):
    """Somebody's application for a job."""

    __tablename__ = "applications"
    __table_args__ = (Index("ix_applications_page", "owner", desc("created_at"), "id"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    owner: Mapped[str] = mapped_column(String(64))
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"))
    status: Mapped[str] = mapped_column(String(32))
    note: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class IdempotencyRecord(Base):
    """The first answer to a keyed request, kept to be given again."""

    __tablename__ = "idempotency_records"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    owner: Mapped[str] = mapped_column(String(64), index=True)
    request: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    location: Mapped[str | None] = mapped_column(String(200))
    body: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class CoverLetter(Base):
    """A finished cover letter, and what wrote it."""

    __tablename__ = "cover_letters"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    owner: Mapped[str] = mapped_column(String(64), index=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"))
    tone: Mapped[str] = mapped_column(String(16))
    length: Mapped[str] = mapped_column(String(16))
    content: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(String(100))
    prompt_version: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime]


class Briefing(Base):
    """A briefing that somebody asked for. `attempt` counts the times it was taken up; whoever counted last has it."""

    __tablename__ = "briefings"
    __table_args__ = (Index("ix_briefings_status", "status", "created_at"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    owner: Mapped[str] = mapped_column(String(64), index=True)
    user: Mapped[str] = mapped_column(String(128))
    status: Mapped[str] = mapped_column(String(16))
    focus: Mapped[str | None] = mapped_column(Text)
    traceparent: Mapped[str | None] = mapped_column(String(55))
    attempt: Mapped[int]
    result: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    @property
    def trace_id(self) -> str | None:
        """The trace of the request, and of the work."""
        return None if self.traceparent is None else self.traceparent.split("-")[1]


class BriefingCheckpoint(Base):
    """Where the work on a briefing stands: the latest checkpoint, which goes with its briefing."""

    __tablename__ = "briefing_checkpoints"

    briefing_id: Mapped[str] = mapped_column(ForeignKey("briefings.id", ondelete="CASCADE"), primary_key=True)
    checkpoint_id: Mapped[str] = mapped_column(String(64))
    checkpoint: Mapped[bytes] = mapped_column(LargeBinary)
    details: Mapped[bytes] = mapped_column(LargeBinary)


class BriefingWrite(Base):
    """What an agent has written since the latest checkpoint; it goes with its briefing too."""

    __tablename__ = "briefing_writes"

    briefing_id: Mapped[str] = mapped_column(ForeignKey("briefings.id", ondelete="CASCADE"), primary_key=True)
    checkpoint_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    task_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    task_path: Mapped[str] = mapped_column(String(200))
    channel: Mapped[str] = mapped_column(String(64))
    value: Mapped[bytes] = mapped_column(LargeBinary)
