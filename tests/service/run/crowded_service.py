"""The slow service with room for three connections; only tests run it."""

import sys

from service.server import protocol
from tests.service.run import slow_service

if __name__ == "__main__":
    protocol.MAX_CONNECTIONS = 3
    sys.exit(slow_service.main())
