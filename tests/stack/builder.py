"""A copy of the recipes with a cache of its own, and a stand-in for Go that only writes the programs."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
# GO_WAITS: a file without which no build ends. GO_CHANGES: a file that changes meanwhile. GO_STATUS: how builds end.
_GO = """#!/bin/sh
if [ "$1" = env ]; then
    printf '%s\\nlinux\\namd64\\n' "${GO_VERSION:-go1.99.0}"
    exit 0
fi
echo "${PWD##*/} $$" >>"$GO_BUILDS"
echo "go: downloading example.com/module v1.0.0"
echo "a word of the compiler's" >&2
while [ -n "$GO_WAITS" ] && [ ! -e "$GO_WAITS" ]; do sleep 0.02; done
[ -z "$GO_CHANGES" ] || echo >>"$GO_CHANGES"
while [ "$1" != -o ]; do shift; done
mkdir -p "$2"
for program in builder otelcol prometheus promtool jaeger loki; do
    echo '#!/bin/sh' >"$2/$program"
    chmod +x "$2/$program"
done
exit "${GO_STATUS:-0}"
"""


class Builder:
    """Runs the command on the copy; `environment` is all that it knows of this machine's."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "tree"
        self.stack = self.root / "stack"
        shutil.copytree(ROOT / "stack", self.stack, ignore=shutil.ignore_patterns("__pycache__"))
        self.cache = folder / "cache" / "stack"
        self._builds = folder / "builds"
        go = folder / "bin" / "go"
        go.parent.mkdir()
        go.write_text(_GO)
        go.chmod(0o755)
        self.environment = {
            "PATH": f"{go.parent}:/usr/bin:/bin",
            "CLEARSTORY_CACHE": str(self.cache.parent),
            "GO_BUILDS": str(self._builds),
        }

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Starts the command."""
        return subprocess.Popen(
            [sys.executable, "-m", "stack", *arguments],
            cwd=self.root,
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **environment: str) -> tuple[int, str, str]:
        """Runs the command; returns its status and what it wrote."""
        with self.start(*arguments, **environment) as process:
            out, err = process.communicate(timeout=PATIENCE)
        return process.returncode, out, err

    def builds(self) -> list[str]:
        """Returns the folders in which Go has built, in order."""
        return [line.split()[0] for line in self._lines()]

    def running(self) -> bool:
        """Says whether the last of Go's processes still runs."""
        return Path(f"/proc/{self.last()}").exists()

    def last(self) -> int:
        """Returns the last of Go's processes."""
        return int(self._lines()[-1].split()[1])

    def finished(self) -> list[str]:
        """Returns the recipes whose programs somebody who looks into the cache takes for complete."""
        return sorted(path.name.partition("-")[0] for path in self.cache.glob("[!.]*"))

    def begun(self) -> list[Path]:
        """Returns the temporary folders."""
        return [path for path in self.cache.glob(".*") if path.is_dir()]

    def _lines(self) -> list[str]:
        return self._builds.read_text().splitlines() if self._builds.exists() else []
