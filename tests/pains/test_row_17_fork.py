"""Row 17: providers made before a fork stop exporting (opentelemetry-python#3307)."""

import asyncio
import sys
from pathlib import Path

from tests.otlp_receiver import OtlpReceiver
from tests.patience import PATIENCE
from tests.service.run.process import ROOT, environment

CHILDREN = 2
PROGRAM = Path(__file__).with_name("forking.py")


async def test_row_17_what_was_made_before_a_fork_exports_after_it(tmp_path):
    """opentelemetry-python#3307: made in the parent, started in each child, every child's telemetry arrives."""
    (tmp_path / "data").mkdir()
    with OtlpReceiver() as receiver:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-W", "error", str(PROGRAM), str(CHILDREN),
            cwd=ROOT,
            env=environment(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint, JWT_SECRET="s" * 64),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        async with asyncio.timeout(PATIENCE):
            out, err = await process.communicate()
        assert (process.returncode, err) == (0, b"")
        answered = [line.split() for line in out.decode().splitlines() if line.startswith("child ")]
        traces = {trace for _, _, trace in answered}
        assert [status for _, status, _ in answered] == ["200"] * CHILDREN
        assert len(traces) == CHILDREN
        assert {span.trace_id for span in receiver.server_spans} == traces
        completed = [record.trace_id for record in receiver.records if record.event == "http.request.completed"]
        assert sorted(completed) == sorted(traces)
