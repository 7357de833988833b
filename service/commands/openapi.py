"""`python -m service openapi`: the document that is committed, the same whatever the environment says."""

import sys

from service import development
from service.app import create_app
from service.openapi import document
from service.settings import Settings


def execute() -> int:
    """Print the document."""
    app = create_app(development.ephemeral(Settings.load({})))
    sys.stdout.buffer.write(document(app))
    sys.stdout.flush()
    return 0
