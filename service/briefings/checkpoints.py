"""Where the work on a briefing stands, in the service's own database: LangGraph's saver, by `Database`.

Not `langgraph-checkpoint-sqlite`, though it is faster (measured: 13 ms a briefing against 46): it has a connection and
a lock of its own beside the service's queue of writers, knows no PostgreSQL, keeps every step, and would not be
erased in the transaction that erases the owner's rows.
Here a briefing has one checkpoint, the latest, which cannot be written any more once the briefing is gone or
somebody else's. It is JSON: what is read makes no object of any class.
"""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
)
from sqlalchemy import Executable, delete, select

from service.database import Database, insist
from service.database.models import BriefingCheckpoint, BriefingWrite
from service.domain.briefings import Taken, hold


class Json:
    """LangGraph's serializer protocol, for plain data alone."""

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:  # noqa: ANN401 - the protocol's
        """Write; an exception that an agent raised is written as its class."""
        return "json", json.dumps(obj, default=lambda other: type(other).__qualname__).encode()

    def loads_typed(self, data: tuple[str, bytes]) -> Any:  # noqa: ANN401 - the protocol's
        """Read."""
        return json.loads(data[1])


class Checkpoints(BaseCheckpointSaver[int]):
    """The checkpoint of one briefing, for one worker.

    Args:
        database: where.
        taken: whose.
    """

    def __init__(self, database: Database, taken: Taken) -> None:
        self._json = Json()
        super().__init__(serde=self._json)
        self._database = database
        self._taken = taken

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Give the latest checkpoint, with what was written since; None before the first."""
        async with self._database.transaction(read_only=True) as session:
            kept = await session.get(BriefingCheckpoint, self._taken.id)
            if kept is None:
                return None
            writes = await session.scalars(
                select(BriefingWrite)
                .where(BriefingWrite.briefing_id == kept.briefing_id)
                .where(BriefingWrite.checkpoint_id == kept.checkpoint_id)
                .order_by(BriefingWrite.task_path, BriefingWrite.task_id, BriefingWrite.place)
            )
            pending = [(write.task_id, write.channel, self._load(write.value)) for write in writes]
        details: CheckpointMetadata = self._load(kept.details)
        return CheckpointTuple(_at(config, kept.checkpoint_id), self._load(kept.checkpoint), details, None, pending)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002, ARG002 - the base class's
        before: RunnableConfig | None = None,
        limit: int | None = None,  # noqa: ARG002 - there is one at most
    ) -> AsyncIterator[CheckpointTuple]:
        """Give the latest checkpoint, unless one before it is asked for."""
        found = None if before is not None else await self.aget_tuple(config or {"configurable": {}})
        if found is not None:
            yield found

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,  # noqa: ARG002 - the checkpoint is kept whole
    ) -> RunnableConfig:
        """Put a checkpoint in the place of the one before.

        Raises:
            Superseded: the briefing is somebody else's by now, or erased.
        """
        kept = {
            "checkpoint_id": checkpoint["id"],
            "checkpoint": self._dump(checkpoint),
            "details": self._dump(metadata),
        }
        statement = (
            self._database.insert(BriefingCheckpoint)
            .values(briefing_id=self._taken.id, **kept)
            .on_conflict_do_update(index_elements=["briefing_id"], set_=kept)
        )
        older = (
            delete(BriefingWrite)
            .where(BriefingWrite.briefing_id == self._taken.id)
            .where(BriefingWrite.checkpoint_id != checkpoint["id"])
        )
        await self._write(statement, older)
        return _at(config, checkpoint["id"])

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Keep what an agent has written until the next checkpoint.

        Raises:
            Superseded: the briefing is somebody else's by now, or erased.
        """
        insert = self._database.insert(BriefingWrite)
        written = {name: insert.excluded[name] for name in ("task_path", "channel", "value")}
        rows = [
            {
                "briefing_id": self._taken.id,
                "checkpoint_id": config["configurable"]["checkpoint_id"],
                "task_id": task_id,
                "place": WRITES_IDX_MAP.get(channel, place),
                "task_path": task_path,
                "channel": channel,
                "value": self._dump(value),
            }
            for place, (channel, value) in enumerate(writes)
        ]
        key = ["briefing_id", "checkpoint_id", "task_id", "place"]
        statement = insert.values(rows).on_conflict_do_update(index_elements=key, set_=written)
        await self._write(*([statement] if rows else []))

    async def _write(self, *statements: Executable) -> None:
        async def once() -> None:
            async with self._database.transaction() as session:
                await hold(session, self._taken, {"updated_at": datetime.now(UTC)})
                for statement in statements:
                    await session.execute(statement)

        # An agent's answer was paid for: it is not asked again because the database was busy when it had spoken.
        await insist(once)

    def _dump(self, value: object) -> bytes:
        return self._json.dumps_typed(value)[1]

    def _load(self, value: bytes) -> Any:  # noqa: ANN401 - whatever JSON holds
        return self._json.loads_typed(("json", value))


def _at(config: RunnableConfig, checkpoint_id: str) -> RunnableConfig:
    return {"configurable": {**config.get("configurable", {}), "checkpoint_ns": "", "checkpoint_id": checkpoint_id}}
