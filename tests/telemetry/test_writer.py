"""The writer of log lines."""

import io
import os
import select
import threading

import pytest

from telemetry import writer as module
from telemetry.writer import LineWriter
from tests.patience import PATIENCE


class Blocked(io.RawIOBase):
    """A stream whose reader has stopped, until it is let go."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()
        self.written: list[bytes] = []

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.begun.set()
        self.go.wait(PATIENCE)
        self.written.append(bytes(data))
        return len(data)


@pytest.fixture
def lost() -> list[tuple[str, int]]:
    """The losses that the writer told of."""
    return []


def tell(lost: list[tuple[str, int]]):
    """What a writer tells its losses."""
    return lambda reason, count: lost.append((reason, count))


def test_lines_are_whole_and_in_order(lost: list[tuple[str, int]]) -> None:
    """Lines of one thread come out whole and in their order; each is written once."""
    stream = io.BytesIO()
    writer = LineWriter(stream, tell(lost))
    lines = [b'{"n":%d}\n' % number for number in range(15_000)]
    for line in lines:
        writer.write(line)
    writer.close(PATIENCE)
    assert stream.getvalue() == b"".join(lines)
    assert (lost, writer.waiting) == ([], 0)


def test_lines_of_many_threads_are_whole(lost: list[tuple[str, int]]) -> None:
    """Lines of eight threads are never mixed, and each thread's lines keep their order."""
    stream = io.BytesIO()
    writer = LineWriter(stream, tell(lost))

    def write(thread: int) -> None:
        for number in range(500):
            writer.write(b"%d:%d\n" % (thread, number))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close(PATIENCE)
    pairs = [tuple(map(int, line.split(b":"))) for line in stream.getvalue().splitlines()]
    for thread in range(8):
        assert [number for which, number in pairs if which == thread] == list(range(500))


def test_line_is_written_without_a_close(lost: list[tuple[str, int]]) -> None:
    """A line comes out by itself."""
    reader, end = os.pipe()
    with os.fdopen(end, "wb") as stream, os.fdopen(reader, "rb") as lines:
        writer = LineWriter(stream, tell(lost))
        writer.write(b"line\n")
        assert select.select([lines], [], [], PATIENCE)[0]
        assert lines.readline() == b"line\n"
        writer.close(PATIENCE)


def test_blocked_reader_never_blocks_write(lost: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch) -> None:
    """With a reader that stopped, writing goes on at once; what does not fit is dropped and counted, none twice."""
    monkeypatch.setattr(module, "CAPACITY_LINES", 100)
    stream = Blocked()
    writer = LineWriter(stream, tell(lost))  # type: ignore[arg-type]
    writer.write(b"first\n")
    assert stream.begun.wait(PATIENCE)
    for number in range(1000):
        writer.write(b"%d\n" % number)
    assert not stream.written  # the reader has stopped all the while
    assert set(lost) == {("queue_full", 1)}
    assert len(lost) + writer.waiting == 1000
    stream.go.set()
    writer.close(PATIENCE)
    assert b"".join(stream.written).count(b"\n") + len(lost) == 1001


def test_close_keeps_its_deadline(lost: list[tuple[str, int]]) -> None:
    """With a reader that stopped, close returns within its deadline, and the thread keeps nothing from ending."""
    stream = Blocked()
    writer = LineWriter(stream, tell(lost))  # type: ignore[arg-type]
    writer.write(b"line\n")
    assert stream.begun.wait(PATIENCE)
    writer.close(0.2)
    assert not stream.written  # the reader has stopped all the while
    assert [thread.daemon for thread in threading.enumerate() if thread.name == "telemetry-log-writer"] == [True]
    stream.go.set()
    writer.close(PATIENCE)


def test_reader_that_has_gone_is_counted(lost: list[tuple[str, int]]) -> None:
    """Lines for a reader that has gone are counted, and the writer goes on."""
    reader, end = os.pipe()
    os.close(reader)
    stream = os.fdopen(end, "wb", buffering=0)
    writer = LineWriter(stream, tell(lost))  # type: ignore[arg-type]
    writer.write(b"one\n")
    writer.write(b"two\n")
    writer.close(PATIENCE)
    stream.close()
    assert {reason for reason, _ in lost} == {"export_failed"}
    assert sum(count for _, count in lost) == 2


def test_only_what_was_not_written_is_lost(lost: list[tuple[str, int]]) -> None:
    """Of a batch in whose middle the reader goes, the lines that got out whole are no loss."""

    class Leaves(io.RawIOBase):
        """Takes eleven bytes."""

        def __init__(self) -> None:
            self.left = 11

        def write(self, data: bytes) -> int:  # type: ignore[override]
            if not self.left:
                raise BrokenPipeError
            taken, self.left = min(len(data), self.left), 0
            return taken

    writer = LineWriter(Leaves(), tell(lost))  # type: ignore[arg-type]
    for line in (b"one\n", b"two\n", b"a\n  text\nof three\n", b"four\n"):
        writer.write(line)
    writer.close(PATIENCE)
    assert sum(count for _, count in lost) == 2


def test_closed_stream_is_counted(lost: list[tuple[str, int]]) -> None:
    """Lines for a stream that was closed are counted."""
    stream = io.BytesIO()
    stream.close()
    writer = LineWriter(stream, tell(lost))
    writer.write(b"one\n")
    writer.close(PATIENCE)
    assert lost == [("export_failed", 1)]
