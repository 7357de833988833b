"""`python -m service.llm.simulated`: start the provider; a signal ends it, whatever it is doing."""

import os
import signal
import sys
from types import FrameType


def _end(_signal: int, _frame: FrameType | None) -> None:
    # Nothing is kept that would want writing.
    os._exit(0)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)

    from service.llm.simulated.options import read
    from service.llm.simulated.server import run

    sys.exit(run(read(sys.argv[1:])))
