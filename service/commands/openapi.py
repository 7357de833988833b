"""`python -m service openapi`: the document that is committed, the same whatever the environment says."""

from service import development, streams
from service.app import create_app
from service.openapi import document
from service.settings import Settings


def execute() -> int:
    """Print the document.

    Raises:
        OutputError: Standard output cannot be written.
    """
    app = create_app(development.ephemeral(Settings.load({})))
    streams.put(document(app))
    return 0
