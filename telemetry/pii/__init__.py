"""What is sensitive: said once as data, validated, compiled, and applied to everything that leaves the process."""

from telemetry.pii.item import Item, cut, without_end
from telemetry.pii.loading import load
from telemetry.pii.model import Policy, PolicyError
from telemetry.pii.pseudonym import Pseudonyms
from telemetry.pii.reading import read_policy
from telemetry.pii.scrubber import UNSCRUBBABLE, Scrubber
from telemetry.pii.sink import Sink, Tally

__all__ = [
    "UNSCRUBBABLE",
    "Item",
    "Policy",
    "PolicyError",
    "Pseudonyms",
    "Scrubber",
    "Sink",
    "Tally",
    "cut",
    "load",
    "read_policy",
    "without_end",
]
