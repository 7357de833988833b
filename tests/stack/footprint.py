"""What a process takes of the machine, as the kernel tells it."""

import os
import resource
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Footprint:
    """A process.

    Attributes:
        pid: its number.
    """

    pid: int

    @property
    def cpu_seconds(self) -> float:
        """How much CPU it has taken, in user space and in the kernel."""
        fields = self._told("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def resident_bytes(self) -> int:
        """How much memory it holds."""
        return self._memory("VmRSS")

    @property
    def peak_mib(self) -> int:
        """The most memory that it held, since its start or `forget_peak`."""
        return self._memory("VmHWM") >> 20

    def forget_peak(self) -> None:
        """Begin anew with `peak_mib`."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def allow_addresses(self, size: int) -> None:
        """Let it have no more memory than so many bytes, what it only reserves included."""
        resource.prlimit(self.pid, resource.RLIMIT_AS, (size, size))

    def _memory(self, name: str) -> int:
        return next(int(line.split()[1]) << 10 for line in self._told("status").splitlines() if line.startswith(name))

    def _told(self, name: str) -> str:
        return Path(f"/proc/{self.pid}/{name}").read_text()
