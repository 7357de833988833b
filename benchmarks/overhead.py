"""What one request costs in user-space instructions, as a ratio to the same request on a bare FastAPI app.

`make bench`, or `python -m benchmarks.overhead --only bare,contrib,chain`. Every variant runs in a process of
its own under valgrind's callgrind, which counts the instructions of all its threads and does not care what
else the machine is doing. Nothing is counted before the warm-up is over.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.discard import discarding_endpoint
from benchmarks.results import Row, table, write_section
from benchmarks.variants import VARIANTS, Variant

ROOT = Path(__file__).resolve().parent.parent
BASE = "bare"
NO_VALGRIND = (
    "make bench counts instructions with valgrind, which is not installed: "
    "apt-get install valgrind (Debian, Ubuntu) or dnf install valgrind (Fedora)"
)
METHOD = """\
User-space instructions of one authenticated GET with a path parameter and a small JSON answer, called as ASGI
under uvloop, counted by callgrind over {requests} requests after a warm-up, background threads and the last
export included. 1.00 is the bare FastAPI app: {base:,} instructions. Python objects hash alike in every run
(`PYTHONHASHSEED=0`). "contrib OTel alone" builds and batches spans without sending them; what is sent goes to
a receiver in another process that discards it. Logs are written to /dev/null. "over contrib alone" is the
difference to the row of contrib's instrumentation with the same sampling and the same export.
"""


def count(name: str, requests: int, endpoint: str, profiles: Path) -> int:
    """Counts one variant.

    Args:
        name: the variant.
        requests: how many requests are counted.
        endpoint: base URL of the discarding endpoint.
        profiles: directory for callgrind's own output.

    Returns:
        Instructions a request.

    Raises:
        RuntimeError: if the measured process failed, with its last words.
    """
    output = profiles / f"callgrind.{name}"
    done = subprocess.run(  # noqa: S603 - valgrind, on our own module
        [
            *(shutil.which("valgrind") or "valgrind", "--tool=callgrind", "--instr-atstart=no"),
            f"--callgrind-out-file={output}",
            *(sys.executable, "-m", "benchmarks.measured", name),
            *("--requests", str(requests), "--endpoint", endpoint),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0", "BENCH_UNDER_CALLGRIND": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{name} failed:\n{done.stderr[-2000:]}")
    found = re.search(r"^totals: (\d+)", output.read_text(), re.MULTILINE)
    if found is None:
        raise RuntimeError(f"{name}: callgrind wrote no total")
    return round(int(found[1]) / requests)


def selected(only: str) -> dict[str, Variant]:
    """Returns the variants whose names begin with one of the comma-separated words, and the base always."""
    words = [word for word in only.split(",") if word]
    return {
        name: variant
        for name, variant in VARIANTS.items()
        if not words or name == BASE or any(name == word or name.split("@")[0] == word for word in words)
    }


def main() -> int:
    """Measures and prints the table; writes it to RESULTS.md after a complete run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overhead", description=__doc__)
    parser.add_argument("--only", default="", help="variants, comma-separated: contrib or contrib@0.1; default all")
    parser.add_argument("--requests", type=int, default=500, help="requests counted per variant (default 500)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at a time")
    parser.add_argument("--profiles", type=Path, help="keep callgrind's files here, for callgrind_annotate")
    options = parser.parse_args()
    if shutil.which("valgrind") is None:
        print(NO_VALGRIND, file=sys.stderr)
        return 1
    chosen = selected(options.only)
    with (
        discarding_endpoint() as endpoint,
        tempfile.TemporaryDirectory() as scratch,
        ThreadPoolExecutor(options.jobs) as pool,
    ):
        profiles = options.profiles or Path(scratch)
        profiles.mkdir(parents=True, exist_ok=True)
        running = {name: pool.submit(count, name, options.requests, endpoint, profiles) for name in chosen}
        counted: dict[str, int] = {}
        for name, future in running.items():
            counted[name] = future.result()
            print(f"{name}: {counted[name]:,} instructions a request", file=sys.stderr, flush=True)
    rows = [
        Row(
            title=variant.title,
            sampling=variant.sampling,
            ratio=counted[name] / counted[BASE],
            over=(counted[name] - counted[variant.over]) / counted[BASE] if variant.over in counted else None,
        )
        for name, variant in chosen.items()
    ]
    text = METHOD.format(requests=options.requests, base=counted[BASE]) + "\n" + table(rows)
    print(text)
    if not options.only:
        write_section(ROOT / "benchmarks" / "RESULTS.md", "overhead", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
