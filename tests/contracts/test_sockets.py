"""What the service listens on: its port on loopback, and nothing else."""

import os
import re
import socket
import sys
from pathlib import Path

import pytest

from tests.otlp_receiver import OtlpReceiver
from tests.service.run.process import Process, running

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="sockets are listed from /proc, which only Linux has"
)
LISTEN, ACCEPTS = "0A", 0x10000


def family_of(pid: int) -> list[int]:
    """A process and everything that it has started."""
    found = [pid]
    for thread in Path(f"/proc/{pid}/task").iterdir():
        for child in (thread / "children").read_text().split():
            found += family_of(int(child))
    return found


def sockets_of(pid: int) -> set[str]:
    """The inodes of a process' sockets."""
    links = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()]
    return {link[len("socket:[") : -1] for link in links if link.startswith("socket:[")}


def listening(pid: int) -> list[tuple[str, str, int]]:
    """Every socket of a process and its children that takes what comes: (kind, hexadecimal address, port)."""
    mine = set().union(*(sockets_of(member) for member in family_of(pid)))
    found = []
    for kind in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6"):
        table = Path(f"/proc/{pid}/net/{kind}")
        for line in table.read_text().splitlines()[1:] if table.exists() else ():
            fields = line.split()
            address, _, port = fields[1].partition(":")
            if fields[9] in mine and (fields[3] == LISTEN or not kind.startswith("tcp")):
                found.append((kind, address, int(port, 16)))
    for line in Path(f"/proc/{pid}/net/unix").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[6] in mine and int(fields[3], 16) & ACCEPTS:
            found.append(("unix", " ".join(fields[7:]), 0))
    return found


def loopback() -> str:
    """127.0.0.1 as the kernel shows it."""
    return bytes([127, 0, 0, 1])[:: -1 if sys.byteorder == "little" else 1].hex().upper()


def ports(service: Process) -> list[tuple[str, str, int]]:
    """The service's and the simulated provider's, by what the banner says."""
    told = re.findall(rb"http://127\.0\.0\.1:([0-9]+)$", service.stderr, re.MULTILINE)
    assert len(told) == 2
    return sorted(("tcp", loopback(), int(port)) for port in told)


async def test_run_listens_on_two_ports_only(tmp_path):
    """`python -m service run` listens on its port on 127.0.0.1, the simulated provider on its own, and nothing else."""
    async with running(tmp_path) as service:
        assert (await service.exchange(service.request("/api/v1/jobs?limit=1"))).startswith(b"HTTP/1.1 200 ")
        assert sorted(listening(service.process.pid)) == ports(service)


async def test_a_real_provider_takes_no_port(tmp_path):
    """With a provider elsewhere there is one port."""
    async with running(tmp_path, SIMULATED_PROVIDER_URL="http://127.0.0.1:9") as service:
        assert listening(service.process.pid) == [("tcp", loopback(), service.port)]


async def test_exporters_open_no_port(tmp_path):
    """Nor do traces, logs and metrics that leave the process bring one."""
    with OtlpReceiver() as receiver:
        async with running(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint) as service:
            await service.exchange(service.request("/api/v1/jobs?limit=1"))
            await service.exchange(service.request("/metrics"))
            assert sorted(listening(service.process.pid)) == ports(service)


async def test_the_list_would_show_another(tmp_path):
    """The list finds sockets of every kind: this process' own, when it opens some."""
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.create_server(("::1", 0), family=socket.AF_INET6) as tcp6,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_UNIX) as unix,
    ):
        udp.bind(("127.0.0.1", 0))
        unix.bind(str(tmp_path / "s"))
        unix.listen()
        found = listening(os.getpid())
        ports = {(kind, port) for kind, _, port in found}
        assert {("tcp", tcp.getsockname()[1]), ("tcp6", tcp6.getsockname()[1]), ("udp", udp.getsockname()[1])} <= ports
        assert ("unix", str(tmp_path / "s"), 0) in found
