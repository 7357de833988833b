"""Builds one recipe's programs: alone, in a temporary folder, into the cache at one stroke."""

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from stack.recipes import COMPILE, ENVIRONMENT, GENERATE, INPUTS, RECIPES, STACK, Refused, folder

PROGRESS_SECONDS = 15
LINES_OF_A_FAILURE = 20
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def build(name: str) -> None:
    """Builds what is not there yet. Whoever finds the folder finds it complete."""
    target = folder(name)
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / f".{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say(f"{name}: waits for another build")
            fcntl.flock(lock, fcntl.LOCK_EX)
        if target.exists():
            return
        for abandoned in target.parent.glob(f".{name}-*"):  # the lock is ours, so nobody builds there
            shutil.rmtree(abandoned, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=target.parent) as scratch:
            _Workshop(name, Path(scratch)).make()
            if folder(name) != target:
                raise Refused(f"the recipe of {name} changed while it was built: build it again")
            Path(scratch, "programs").rename(target)


@dataclass(frozen=True)
class _Workshop:
    """One build in its temporary folder."""

    name: str
    scratch: Path
    began: float = field(default_factory=time.monotonic)

    def make(self) -> None:
        """Builds the programs into the folder `programs`."""
        recipe = RECIPES[self.name]
        programs = self.scratch / "programs"
        _say(f"{self.name}: begun")
        for part in recipe.folders:
            shutil.copytree(STACK / part, self.scratch / "stack" / part, ignore=_all_but_inputs)
        if "builder" in recipe.folders:
            self.run("builder", *COMPILE, "-o", f"{self.scratch}/", "tool")
            self.run(self.name, f"{self.scratch}/builder", *GENERATE)
        self.run(self.name, *COMPILE, "-tags", recipe.tags, "-o", f"{programs}/", recipe.package)
        sizes = [f"{program} {(programs / program).stat().st_size / 1e6:.0f} MB" for program in recipe.programs]
        _say(f"{self.name}: done in {self.seconds()} s, {', '.join(sizes)}")

    def run(self, part: str, *command: str) -> None:
        """Runs a command in a folder of the recipe, says that it goes on, and quotes its last lines if it fails."""
        log = self.scratch / "log"
        # Somebody may end us at any moment: not in the one in which the command runs and is not known yet.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=self.scratch / "stack" / part,
                env=os.environ | ENVIRONMENT | {"GOTMPDIR": str(self.scratch)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,  # so that the compilers can be ended with it
            )
        try:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            self.wait(process)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if process.returncode != 0:
            lines = log.read_text(errors="replace").splitlines()
            told = [line for line in lines if not line.startswith("go: downloading ")]
            raise Refused("\n  ".join([f"{self.name} cannot be built:", *told[-LINES_OF_A_FAILURE:]]))

    def wait(self, process: subprocess.Popen[bytes]) -> None:
        """Waits for the command's end."""
        while process.poll() is None:
            try:
                process.wait(PROGRESS_SECONDS)
            except subprocess.TimeoutExpired:
                _say(f"{self.name}: {self.seconds()} s")

    def seconds(self) -> int:
        """Returns how long it has taken."""
        return round(time.monotonic() - self.began)


def _all_but_inputs(_: str, names: list[str]) -> list[str]:
    """What the digest does not know takes no part."""
    return [name for name in names if name not in INPUTS]


def _say(line: str) -> None:
    print(line, flush=True)
