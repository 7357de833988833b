"""The slow service with little patience for a client that does not read; only tests run it."""

import sys

from service.server import protocol
from tests.service.run import slow_service

if __name__ == "__main__":
    protocol.WRITE_TIMEOUT = 1.0
    sys.exit(slow_service.main())
