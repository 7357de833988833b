"""Many requests at once, each with an id of its own: is anything of one told with the id of another?

`python -m benchmarks.interleaving [REQUESTS [CONCURRENCY]]` starts the service with a route that logs before and
after it waits, in a thread and in a child span, exports to a local OTLP receiver, and compares everything that
came out. Each request offers its id, a marker that its route logs, a trace of its own to be linked, and one of a
few subjects.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field, fields
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from service.commands.token import make_token
from service.settings import Settings
from telemetry import names
from tests.otlp_receiver import OtlpReceiver
from tests.service.run.process import running

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.otlp_receiver import ReceivedRecord, ReceivedSpan

SECRET = "interleaving " * 4
SUBJECTS = 8
# Every so many requests one has no route: a layer answers it, not the handler.
UNMATCHED_EVERY = 9
ACCESS = "http.request.completed"


def request_id(number: int) -> str:
    """Give the id that a request offers."""
    return f"request-{number}"


def remote_trace(number: int) -> str:
    """Give the trace id that a request offers."""
    return f"{number + 1:032x}"


@dataclass
class Figures:
    """What was counted; all but the first six are to be 0."""

    requests: int
    concurrency: int
    seconds: float = 0.0
    lines: int = 0
    spans: int = 0
    records: int = 0
    foreign_headers: int = 0
    foreign_lines: int = 0
    foreign_spans: int = 0
    foreign_records: int = 0
    without_one_access_event: int = 0
    without_one_server_span: int = 0
    without_one_access_record: int = 0
    failed: int = 0

    @property
    def faults(self) -> dict[str, int]:
        """The counts that are not 0 and should be."""
        counted = {entry.name: getattr(self, entry.name) for entry in fields(self)[6:]}
        return {name: count for name, count in counted.items() if count}


@dataclass
class _Answers:
    """What the responses said: the trace of each request, and how many named another's id or failed."""

    traces: dict[str, str] = field(default_factory=dict)
    foreign: int = 0
    failed: int = 0


async def _client(port: int, tokens: list[str], numbers: Iterator[int], answers: _Answers) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number in numbers:
        matched = number % UNMATCHED_EVERY != 0
        path = "interleaved" if matched else "nowhere"
        writer.write(
            f"GET /{path}?marker={request_id(number)} HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {tokens[number % SUBJECTS]}\r\nX-Request-ID: {request_id(number)}\r\n"
            f"traceparent: 00-{remote_trace(number)}-{number + 1:016x}-01\r\n\r\n".encode()
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        status, *lines = head.split("\r\n")
        named = dict(line.split(": ", 1) for line in lines if line)
        body = await reader.readexactly(int(named["content-length"]))
        mine = request_id(number)
        answers.failed += status.split(" ")[1] != ("200" if matched else "404")
        told = json.loads(body)["marker" if matched else "request_id"]
        answers.foreign += named["x-request-id"] != mine or told != mine
        answers.traces[mine] = named["traceresponse"].split("-")[1]
    writer.close()


async def measure(requests: int, concurrency: int, directory: Path) -> Figures:
    """Send the requests, end the service, and compare.

    Args:
        requests: how many.
        concurrency: connections, each with one request at a time.
        directory: where the service keeps its data.
    """
    settings = Settings.load({"DATA_DIR": str(directory), "JWT_SECRET": SECRET})
    tokens = [make_token(settings, f"subject-{number}", (), 3600) for number in range(SUBJECTS)]
    answers = _Answers()
    with OtlpReceiver() as receiver:
        given = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "JWT_SECRET": SECRET,
            "DRAIN_SECONDS": "0",
            "ENABLE_PROMPT_CACHING": "false",  # what keeps prompts warm has traces of its own
        }
        async with running(directory, "tests.story_service", **given) as service:
            numbers = iter(range(requests))
            began = monotonic()
            await asyncio.gather(
                *(_client(service.port, tokens, numbers, answers) for _ in range(concurrency)),
            )
            seconds = monotonic() - began
            service.signal()
            await service.ended()
        # The start is nobody's request.
        start = {span.trace_id for span in receiver.spans if span.name == names.SPAN_STARTUP}
        lines = [json.loads(line) for line in service.stdout.splitlines()]
        figures = compare(
            answers.traces,
            [line for line in lines if line.get("trace_id") not in start],
            [span for span in receiver.spans if span.trace_id not in start],
            [record for record in receiver.records if record.trace_id not in start],
        )
    figures.requests, figures.concurrency, figures.seconds = requests, concurrency, round(seconds, 1)
    figures.foreign_headers += answers.foreign
    figures.failed = answers.failed
    return figures


def compare(
    traces: dict[str, str], lines: list[dict[str, Any]], spans: list[ReceivedSpan], records: list[ReceivedRecord]
) -> Figures:
    """Count what is told with an id that is not its own.

    Args:
        traces: trace id of each request id, as the responses said.
        lines: what the service wrote.
        spans: what it exported.
        records: what it exported.
    """
    figures = Figures(len(traces), 0, lines=len(lines), spans=len(spans), records=len(records))
    owners = {trace: mine for mine, trace in traces.items()}
    figures.foreign_headers = len(traces) - len(owners)
    principals = _principals(lines)
    for line in lines:
        foreign = _foreign(line, line.get("trace_id"), traces)
        named = line["event"] != ACCESS or line["principal"] == principals.get(line["request_id"])
        figures.foreign_lines += foreign or not named
    for record in records:
        figures.foreign_records += _foreign(record.attributes, record.trace_id or None, traces)
    figures.foreign_spans = sum(_foreign_span(span, owners) for span in spans)
    access = (line["request_id"] for line in lines if line["event"] == ACCESS)
    figures.without_one_access_event = _not_one(access, traces)
    recorded = (str(record.attributes.get("request_id")) for record in records if record.event == ACCESS)
    figures.without_one_access_record = _not_one(recorded, traces)
    served = (str(span.attributes.get("request_id")) for span in spans if span.server)
    figures.without_one_server_span = _not_one(served, traces)
    return figures


def _principals(lines: list[dict[str, Any]]) -> dict[str, str]:
    """Give the principal each access event has to name: the one that its subject's first event names."""
    first: dict[int, str] = {}
    expected = {}
    for line in lines:
        if line["event"] == ACCESS:
            mine = line["request_id"]
            expected[mine] = first.setdefault(int(mine.rpartition("-")[2]) % SUBJECTS, line["principal"])
    # Two subjects that share a name would hide an exchange.
    return expected if len(set(first.values())) == len(first) else {}


def _foreign(told: dict[str, Any], trace: str | None, traces: dict[str, str]) -> bool:
    """Say whether ids and marker of a line or record are of more than one request, or of none that was sent."""
    mine = told.get("request_id")
    if mine is None:
        return trace is not None or "marker" in told
    return bool(traces.get(mine) != trace or told.get("marker", mine) != mine)


def _foreign_span(span: ReceivedSpan, owners: dict[str, str]) -> bool:
    mine = owners.get(span.trace_id)
    if mine is None:
        return True
    if not span.server:
        return bool(span.attributes.get("marker", mine) != mine)
    number = int(mine.rpartition("-")[2])
    linked = [(remote_trace(number), f"{number + 1:016x}")]
    return span.attributes.get("request_id") != mine or span.links != linked or span.parent_span_id != ""


def _not_one(found: Iterable[str], expected: Iterable[str]) -> int:
    """Count the requests that were told of less or more than once, and what was told of requests never sent."""
    counts = Counter(found)
    wanted = set(expected)
    return sum(counts[mine] != 1 for mine in wanted) + sum(mine not in wanted for mine in counts)


def main(arguments: list[str]) -> int:
    """Print one line a figure; 1 where something is not as it should be."""
    given = [int(argument) for argument in arguments]
    requests, concurrency = itertools.islice(itertools.chain(given, (20_000, 200)[len(given) :]), 2)
    with tempfile.TemporaryDirectory() as directory:
        figures = asyncio.run(measure(requests, concurrency, Path(directory)))
    for entry in fields(figures):
        print(f"{entry.name.replace('_', ' '):28} {getattr(figures, entry.name):>10,}")
    return 1 if figures.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
