"""What is measured, by name; each function builds one subject inside the measured process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.subject import AsgiApp, Subject, bare_app

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Variant:
    """A row of the result.

    Args:
        title: what the row says.
        build: makes the subject; gets the sampling ratio and the address of the discarding endpoint.
        sampling: the share of traces that is sampled, or None where there are none.
        over: the row that the "over contrib alone" column compares with, if any.
    """

    title: str
    build: Callable[[float, str], Subject]
    sampling: float | None = None
    over: str | None = None


class NoOp:
    """A middleware that does nothing: the price of a layer as such."""

    def __init__(self, app: AsgiApp) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Passes everything through, with a `send` of its own as every real layer has one."""

        async def forward(message: Any) -> None:
            await send(message)

        await self.app(scope, receive, forward)


def bare(_sampling: float, _endpoint: str) -> Subject:
    """Builds the app alone."""
    return Subject(bare_app())


def noop(_sampling: float, _endpoint: str) -> Subject:
    """Builds the app within four layers that do nothing."""
    app = bare_app()
    for _ in range(4):
        app.add_middleware(NoOp)
    return Subject(app)


def contrib(sampling: float, endpoint: str) -> Subject:
    """Builds the app with the contrib instrumentation, spans built and batched but not serialised."""
    from benchmarks import contrib as module  # noqa: PLC0415 - a variant's imports are its own

    return module.build(sampling, endpoint, export=False)


def contrib_otlp(sampling: float, endpoint: str) -> Subject:
    """Builds the same with the SDK's own OTLP exporter in front of the discarding endpoint."""
    from benchmarks import contrib as module  # noqa: PLC0415 - a variant's imports are its own

    return module.build(sampling, endpoint, export=True)


def peers(sampling: float, endpoint: str) -> Subject:
    """Builds the app with the packages that people usually combine for the same features."""
    from benchmarks import peers as module  # noqa: PLC0415 - a variant's imports are its own

    return module.build(sampling, endpoint)


def chain(sampling: float, _endpoint: str) -> Subject:
    """Builds the app within our chain, nothing exported."""
    from benchmarks import chain as module  # noqa: PLC0415 - a variant's imports are its own

    return module.build(sampling)


def chain_otlp(sampling: float, endpoint: str) -> Subject:
    """Builds the app within our chain, spans and log records exported."""
    from benchmarks import chain as module  # noqa: PLC0415 - a variant's imports are its own

    return module.build(sampling, otlp=endpoint)


def chain_sentry(sampling: float, endpoint: str) -> Subject:
    """Builds the app within our chain, with a Sentry DSN."""
    from benchmarks import chain as module  # noqa: PLC0415 - a variant's imports are its own

    return module.build(sampling, sentry=endpoint)


def chain_everything(sampling: float, endpoint: str) -> Subject:
    """Builds the app within our chain, with everything on."""
    from benchmarks import chain as module  # noqa: PLC0415 - a variant's imports are its own

    return module.build(sampling, otlp=endpoint, sentry=endpoint)


VARIANTS: dict[str, Variant] = {
    "bare": Variant("bare FastAPI GET", bare),
    "noop": Variant("4 no-op pure-ASGI layers", noop),
    "contrib@0.1": Variant("contrib OTel alone", contrib, 0.1),
    "contrib@1": Variant("contrib OTel alone", contrib, 1.0),
    "contrib-otlp@0.1": Variant("contrib OTel, spans sent over OTLP", contrib_otlp, 0.1),
    "contrib-otlp@1": Variant("contrib OTel, spans sent over OTLP", contrib_otlp, 1.0),
    "chain@0.1": Variant("Clearstory, the whole chain", chain, 0.1, "contrib@0.1"),
    "chain@1": Variant("Clearstory, the whole chain", chain, 1.0, "contrib@1"),
    "chain-otlp@0.1": Variant("Clearstory, spans and log records sent over OTLP", chain_otlp, 0.1, "contrib-otlp@0.1"),
    "chain-otlp@1": Variant("Clearstory, spans and log records sent over OTLP", chain_otlp, 1.0, "contrib-otlp@1"),
    "chain-sentry@0.1": Variant("Clearstory with a Sentry DSN", chain_sentry, 0.1, "contrib@0.1"),
    "chain-sentry@1": Variant("Clearstory with a Sentry DSN", chain_sentry, 1.0, "contrib@1"),
    "chain-everything@0.1": Variant("Clearstory with OTLP and a Sentry DSN", chain_everything, 0.1, "contrib-otlp@0.1"),
    "chain-everything@1": Variant("Clearstory with OTLP and a Sentry DSN", chain_everything, 1.0, "contrib-otlp@1"),
    "peers@0.1": Variant("the usual combination of peers", peers, 0.1, "contrib@0.1"),
    "peers@1": Variant("the usual combination of peers", peers, 1.0, "contrib@1"),
}
