"""What the language model side is told: whom to ask, for how long, and what it may cost."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from service.llm.prices import Price
from service.settings import parsing, urls
from service.settings.errors import SettingsError
from service.settings.parsing import choice, items
from service.settings.reader import Reader
from service.settings.secret import Secret
from service.settings.spending import NO_BUDGET, Budget, budgets, prices

SIMULATED, ANTHROPIC, OPENROUTER = PROVIDERS = ("simulated", "anthropic", "openrouter")
GENAI_CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_BASE_URLS = {
    # Where `python -m service.llm.simulated --port 8200` is; `run` starts one of its own.
    SIMULATED: "http://127.0.0.1:8200",
    ANTHROPIC: "https://api.anthropic.com",
    OPENROUTER: "https://openrouter.ai/api",
}
_MODELS = {
    SIMULATED: "claude-sonnet-5-5",
    ANTHROPIC: "claude-sonnet-5-5",
    OPENROUTER: "anthropic/claude-sonnet-5.5",
}
_KEY = re.compile(rb"[!-~]+")
_LONGEST_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """One provider.

    Args:
        name: which one.
        base_url: where it is.
        model: its name of the model.
        key: its credential; None for the simulated one.
        budget: what may be spent there by everybody together.
    """

    name: str
    base_url: str
    model: str
    key: Secret | None
    budget: Budget


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmSettings:
    """The language model side; durations are seconds.

    Args:
        providers: in the order in which they are asked.
        connect_seconds: for a connection.
        first_token_seconds: until an answer begins.
        total_seconds: for a whole call, all attempts together.
        caching: whether prompts end in a cache breakpoint.
        warm_on_startup: whether they are written into the cache at the start.
        cache_ttl_seconds: how long the provider keeps them.
        prices: of models, in US dollars for a million tokens.
        content: whether spans show a scrubbed beginning of what was said.
        starts_simulated: whether `run` starts the simulated provider, since nobody has said where one is.
    """

    providers: tuple[ProviderSettings, ...]
    connect_seconds: float
    first_token_seconds: float
    total_seconds: float
    caching: bool
    warm_on_startup: bool
    cache_ttl_seconds: float
    prices: Mapping[str, Price]
    content: bool
    starts_simulated: bool


def read_llm(read: Reader) -> LlmSettings:
    """Read the language model's part of the settings.

    Raises:
        SettingsError: The first name whose value cannot be used.
    """
    by_default: tuple[str, ...] = (SIMULATED,)
    order = read.parsed("LLM_PROVIDER", _order, by_default)
    spendable = budgets(read.given("LLM_BUDGETS"), order)
    given = {name: read.optional(f"{name.upper()}_BASE_URL", urls.keyed_provider) for name in (ANTHROPIC, OPENROUTER)}
    given[SIMULATED] = read.optional("SIMULATED_PROVIDER_URL", urls.provider)
    keys = {name: read.secret(f"{name.upper()}_API_KEY") for name in (ANTHROPIC, OPENROUTER)}
    model = read.optional("LLM_MODEL", parsing.model_name)
    providers = tuple(
        ProviderSettings(
            name,
            given[name] or _BASE_URLS[name],
            model or _MODELS[name],
            keys.get(name),
            spendable.get(name, NO_BUDGET),
        )
        for name in order
    )
    for provider in providers:
        if provider.name in keys and provider.key is None:
            raise SettingsError(f"{provider.name.upper()}_API_KEY", f"expected a key: LLM_PROVIDER has {provider.name}")
        if provider.key is not None and not _KEY.fullmatch(provider.key.reveal()):
            raise SettingsError(f"{provider.name.upper()}_API_KEY", "expected a key as it was issued, of ASCII alone")
    return LlmSettings(
        providers=providers,
        connect_seconds=read.number("LLM_CONNECT_SECONDS", 3.0, low=0.05, high=_LONGEST_SECONDS),
        first_token_seconds=read.number("LLM_FIRST_TOKEN_SECONDS", 15.0, low=0.05, high=_LONGEST_SECONDS),
        total_seconds=read.number("LLM_TOTAL_SECONDS", 90.0, low=0.05, high=_LONGEST_SECONDS),
        caching=read.parsed("ENABLE_PROMPT_CACHING", parsing.boolean, True),
        warm_on_startup=read.parsed("PROMPT_CACHE_WARM_ON_STARTUP", parsing.boolean, True),
        cache_ttl_seconds=read.number("PROMPT_CACHE_TTL_SECONDS", 300.0, low=1.0, high=_LONGEST_SECONDS),
        prices=prices(read.given("LLM_PRICES")),
        content=read.parsed(GENAI_CONTENT, parsing.boolean, False),
        starts_simulated=given[SIMULATED] is None and any(each.name == SIMULATED for each in providers),
    )


def _order(name: str, raw: str) -> tuple[str, ...]:
    order = tuple(choice(name, item, PROVIDERS) for item in items(raw))
    if not order or len(set(order)) < len(order):
        raise SettingsError(name, f"expected some of {', '.join(PROVIDERS)}, each once", raw)
    return order


def at(settings: LlmSettings, simulated: str) -> LlmSettings:
    """Give settings whose simulated provider is somewhere else.

    Args:
        settings: the others stay as they are.
        simulated: its URL.
    """
    moved = (replace(each, base_url=simulated) if each.name == SIMULATED else each for each in settings.providers)
    return replace(settings, providers=tuple(moved))
