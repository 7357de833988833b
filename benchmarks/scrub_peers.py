"""What others scrub with, as functions of one value; each is None where the package is not installed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from importlib import import_module
from typing import Any

Scrubbing = Callable[[Any], object]
# Of presidio's recognizers those of the kinds that the policy has too; none of them asks a language model.
_RECOGNIZERS = ("CreditCard", "Email", "Iban", "Ip", "Phone", "UsSsn")


def logfire() -> Scrubbing | None:
    """Gives logfire's scrubber of spans; it walks a value, and replaces whole texts by words in them."""
    with contextlib.suppress(ImportError):
        scrubber = import_module("logfire._internal.scrubbing").Scrubber(None)
        return lambda value: scrubber.scrub_value(("attributes",), value)
    return None


def presidio() -> Scrubbing | None:
    """Gives presidio-analyzer's pattern recognizers, without its language models; they find, and do not replace."""
    with contextlib.suppress(ImportError):
        # The list of top-level domains is the one that is installed: a benchmark asks no network.
        domains: Any = import_module("tldextract")
        domains.tldextract.TLD_EXTRACTOR = domains.TLDExtract(suffix_list_urls=(), cache_dir=None)
        domains.extract = domains.tldextract.TLD_EXTRACTOR
        module = import_module("presidio_analyzer.predefined_recognizers")
        recognizers = [getattr(module, f"{name}Recognizer")() for name in _RECOGNIZERS]
        return lambda text: [found.analyze(text, found.supported_entities, None) for found in recognizers]
    return None


def scrubadub() -> Scrubbing | None:
    """Gives scrubadub with its default detectors."""
    with contextlib.suppress(ImportError):
        scrubber = import_module("scrubadub").Scrubber()
        clean: Scrubbing = scrubber.clean
        return clean
    return None


PEERS: dict[str, Callable[[], Scrubbing | None]] = {
    "logfire": logfire,
    "presidio-analyzer": presidio,
    "scrubadub": scrubadub,
}
