"""The service as it is, with time to spare; only tests run it."""

import sys

from service.__main__ import main
from tests.patience import take_time, take_time_to_flush

if __name__ == "__main__":
    take_time()
    take_time_to_flush()
    sys.exit(main(sys.argv[1:]))
