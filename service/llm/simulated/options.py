"""What the command line says."""

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass

from service.llm.simulated.faults import COUNTED, LEAK, PLAIN, TIMED, Fault, UnknownFault, parse

_HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Options:
    """How the provider behaves.

    Attributes:
        host: to listen on.
        port: 0 is any free one.
        fd: descriptor of a socket that listens already, in the place of host and port; None: there is none.
        seed: of everything that is made up.
        first_delay: seconds to the first piece.
        token_delay: seconds between two pieces; 0: as fast as the client reads.
        cache_ttl: seconds that `5m` stands for in the prompt cache.
        faults: what goes wrong unless a request or `PUT /faults` says otherwise.
        retry_after: seconds that 429 and 529 say.
        keep_bodies: whether `GET /requests` shows bodies.
        with_parent: whether the end of standard input ends the process.
    """

    host: str = "127.0.0.1"
    port: int = 0
    fd: int | None = None
    seed: int = 0
    first_delay: float = 0.04
    token_delay: float = 0.005
    cache_ttl: float = 300.0
    faults: tuple[Fault, ...] = ()
    retry_after: int = 1
    keep_bodies: bool = False
    with_parent: bool = False


def read(arguments: Sequence[str]) -> Options:
    """Read the arguments.

    Raises:
        SystemExit: they are wrong (status 2), or only help was asked for (0).
    """
    known = ", ".join([*PLAIN, *(f"{name}:N" for name in COUNTED), *(f"{name}:MS" for name in TIMED), f"{LEAK}:TEXT"])
    usual = Options()
    parser = argparse.ArgumentParser(
        prog="python -m service.llm.simulated",
        description="A simulated provider that speaks Anthropic's Messages API.",
        epilog=f"faults: {known} (TEXT in base64url)",
    )
    parser.add_argument("--host", default=usual.host, help="address to listen on")
    parser.add_argument("--port", type=_port, default=usual.port, help="0 is any free one")
    parser.add_argument("--fd", type=int, metavar="N", help="a socket that listens already, from the parent")
    parser.add_argument("--seed", type=int, default=usual.seed, help="another one writes other answers")
    parser.add_argument("--first-token-delay", type=_milliseconds, default="40", metavar="MS")
    parser.add_argument("--token-delay", type=_milliseconds, default="5", metavar="MS", help="0: as fast as it can")
    parser.add_argument("--cache-ttl", type=float, default=usual.cache_ttl, metavar="SECONDS", help="what 5m is")
    parser.add_argument("--fault", type=_faults, action="extend", default=[], metavar="WORD[:SHARE]")
    parser.add_argument("--retry-after", type=int, default=usual.retry_after, metavar="SECONDS")
    parser.add_argument("--keep-bodies", action="store_true", help="GET /requests shows what was sent")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input ends")
    given = parser.parse_args(arguments)
    return Options(
        host=given.host,
        port=given.port,
        fd=given.fd,
        seed=given.seed,
        first_delay=given.first_token_delay,
        token_delay=given.token_delay,
        cache_ttl=given.cache_ttl,
        faults=tuple(given.fault),
        retry_after=given.retry_after,
        keep_bodies=given.keep_bodies,
        with_parent=given.with_parent,
    )


def _port(text: str) -> int:
    value = int(text)
    if not 0 <= value <= _HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"expected a port up to {_HIGHEST_PORT}")
    return value


def _milliseconds(text: str) -> float:
    value = float(text)
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError("expected milliseconds")
    return value / 1000


def _faults(text: str) -> tuple[Fault, ...]:
    try:
        return parse(text)
    except UnknownFault as error:
        raise argparse.ArgumentTypeError(str(error)) from error
