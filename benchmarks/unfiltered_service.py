"""The service without its hold-back filter, so that what the filter costs can be told; only a benchmark runs it."""

from __future__ import annotations

import os
import sys
from unittest.mock import patch

from service import development
from service.app import create_app
from service.commands.run import serve
from service.listeners import bind
from service.llm import guarded
from service.llm.holdback import HoldBack
from service.settings import Settings


class Unfiltered(HoldBack):
    """Lets everything go at once."""

    def feed(self, piece: str) -> str:
        """Give the piece."""
        return piece

    def finish(self) -> str:
        """Give nothing: nothing was held."""
        return ""


def main() -> int:
    """What `run` does, unfiltered."""
    settings = development.complete(Settings.load(os.environ))
    # The product has no switch for it; unlike an assignment, this fails where there is nothing to replace.
    with patch.object(guarded, "HoldBack", Unfiltered):
        return serve(create_app(settings), settings, bind(settings.host, settings.port))


if __name__ == "__main__":
    sys.exit(main())
