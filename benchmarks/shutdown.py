"""SIGTERM under load: what clients see, and how long it takes. `python -m benchmarks.shutdown [RUNS]`.

Fifty keep-alive clients ask a fast route, or one that takes half a second, when the signal comes. A
request counts as sent when its last byte is in the socket before the signal; such a request must be
answered whole, and not with 5xx. Requests sent later may find the listener gone. Every access event that was
written has its server span and its log record at a local OTLP receiver. A collector that accepts and never
answers must not make a stop longer than `LONGEST`; on a machine that does other work a test could not say that.
"""

import asyncio
import socket
import sys
import tempfile
from collections import Counter
from pathlib import Path
from time import monotonic

from tests.otlp_receiver import OtlpReceiver
from tests.service.run.load import Outcome, under_load

ROUTES = ("/fast", "/slow")
# From the signal to the end, with the default times. Seconds.
LONGEST = 5.0


async def measure(runs: int) -> int:
    """Print one line a run; the number of requests, spans and log records that were lost."""
    lost = 0
    for route in ROUTES:
        for run in range(runs):
            with tempfile.TemporaryDirectory() as directory, OtlpReceiver() as receiver:
                began = monotonic()
                result = await under_load(Path(directory), route, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)
                counts = Counter(str(answer) for answer in result.before_signal)
                later = Counter(str(answer) for answer in result.after_signal + result.late)
                bad = [answer for answer in result.before_signal if answer is not Outcome.ANSWERED]
                spans = len(receiver.server_spans)
                records = sum(record.event == "http.request.completed" for record in receiver.records)
                lost += len(bad) + 2 * result.access_events - spans - records
                sys.stdout.write(
                    f"{route} run {run + 1}: {dict(counts)} before the signal, "
                    f"{dict(later)} after it, {result.access_events} access events, "
                    f"{spans} spans and {records} records received, exit {result.status} "
                    f"in {result.seconds:.2f} s ({monotonic() - began:.1f} s in all)\n"
                )
                sys.stdout.flush()
    return lost


async def longest(runs: int) -> float:
    """Give the seconds of the longest stop with a collector that never answers."""
    seconds = 0.0
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as directory, socket.create_server(("127.0.0.1", 0)) as silent:
            endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
            result = await under_load(Path(directory), "/slow", OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)
            seconds = max(seconds, result.seconds)
    return seconds


async def main(runs: int) -> int:
    """Measure; the status."""
    lost, slowest = await measure(runs), await longest(runs)
    sys.stdout.write(f"lost: {lost}\nwith a silent collector the longest stop took {slowest:.2f} s\n")
    return int(lost > 0 or slowest > LONGEST)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)))
