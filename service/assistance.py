"""The language model side put together: providers, router, limits, the assistant, and what keeps prompts warm."""

import hmac
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from service.briefings.tools import TOOLS
from service.cache_warming import CacheWarmer, Telling
from service.domain.briefings import Draft
from service.limits import LlmLimits
from service.llm import briefs
from service.llm.anthropic import AnthropicProvider
from service.llm.assistant import Assistant
from service.llm.background import Aside, Background
from service.llm.canary import Canaries
from service.llm.guarded import Guarded
from service.llm.model import Call, Completion, Message, Prompt, Tool
from service.llm.personal import KINDS, Personal
from service.llm.prices import USUAL, price_of
from service.llm.prompts import load
from service.llm.recording import Recording
from service.llm.router import Deadlines, Router
from service.llm.tokens import reserve
from service.settings.json_tables import wrong
from service.settings.llm import OPENROUTER, LlmSettings, ProviderSettings
from telemetry import Telemetry, names

POLICY = "llm"
_SECRET_BYTES = 32
# What each prompt's calls may use; with the instructions it is the prefix that is cached.
_TOOLS: Mapping[str, tuple[Tool, ...]] = {"briefing_search": TOOLS}


@dataclass(frozen=True, slots=True)
class Assistance:
    """The language model side of one application.

    Attributes:
        assistant: what routes use.
        guarded: answers calls, within limits, in words that may be shown.
        router: who answers them.
        prompts: the instructions by name, marked with their canaries.
        canaries: of the prompts.
        material: gives a text of a kind that others wrote as a model is given it.
        warmer: keeps the prompts' prefixes warm; None: nothing is cached.
    """

    assistant: Assistant
    guarded: Guarded
    router: Router
    prompts: Mapping[str, Prompt]
    canaries: Canaries
    material: Callable[[str, str], str]
    warmer: CacheWarmer | None

    def model_for(self, draft: Draft, aside: Aside) -> Background:
        """Give the model that writes a briefing: its owner pays, and waits for a limit within `aside`."""
        return Background(self.guarded, POLICY, draft.owner, aside)

    async def close(self) -> None:
        """Stop warming, and close all connections."""
        if self.warmer is not None:
            await self.warmer.stop()
        await self.router.close()


def assistance(settings: LlmSettings, telemetry: Telemetry, limits: LlmLimits) -> Assistance:
    """Put it together; nothing runs and nothing is sent yet.

    Args:
        settings: whom to ask, for how long, at what price.
        telemetry: told of everything.
        limits: of callers and providers.

    Raises:
        SettingsError: A provider's budget is smaller than any call.
    """
    providers = [_provider(each, settings) for each in settings.providers]
    canaries = Canaries(_canary_secret(telemetry.settings.pseudonym_key))
    prompts = {name: canaries.marked(prompt) for name, prompt in load().items()}
    _check_budgets(settings, prompts.values())
    recording = Recording(telemetry.genai, providers, settings.prices, prompts)
    deadlines = Deadlines(settings.first_token_seconds, settings.total_seconds)
    router = Router(providers, deadlines, recording, limits)
    # What is written into a cache is the first provider's; it has its own pauses, and asks nobody else.
    warming = Router(providers[:1], deadlines, recording, limits, retries=0)
    warmer = _warmer(settings, telemetry, _Warming(warming), prompts) if settings.caching else None
    telemetry.metrics.declare(names.LLM_REPLACEMENTS, [(kind,) for kind in sorted(KINDS)])
    personal = Personal(
        telemetry.scrubber.policy, lambda kind: telemetry.metrics.counter(names.LLM_REPLACEMENTS, kind).inc()
    )
    guarded = Guarded(router, limits, canaries, personal, _telling(warmer, providers[0].name))
    assistant = Assistant(guarded, prompts)
    return Assistance(assistant, guarded, router, prompts, canaries, personal.material, warmer)


def _check_budgets(settings: LlmSettings, prompts: Iterable[Prompt]) -> None:
    least = min(reserve(Call(prompt, (), briefs.FEWEST_TOKENS, user="")) for prompt in prompts)
    for provider in settings.providers:
        tokens = provider.budget.tokens
        if tokens is not None and tokens < least:
            raise wrong("LLM_BUDGETS", f"{provider.name}.tokens", f"expected {least} or more: no call fits", tokens)


def _telling(warmer: CacheWarmer | None, first: str) -> Callable[[str, Completion], None]:
    """Give what tells the warmer of an answer, if it is from the provider whose cache is kept warm."""

    def told(prompt: str, completion: Completion) -> None:
        if warmer is not None and completion.provider == first:
            warmer.called(prompt, completion.usage)

    return told


def _canary_secret(key: bytes | None) -> bytes:
    """Derive it where there is a key: the prompts' prefixes outlive a restart then, and processes share them."""
    return secrets.token_bytes(_SECRET_BYTES) if key is None else hmac.digest(key, b"canaries", "sha256")


def _provider(told: ProviderSettings, settings: LlmSettings) -> AnthropicProvider:
    key = told.name if told.key is None else told.key.reveal().decode("utf-8", "replace")
    credential = {"auth_token": key} if told.name == OPENROUTER else {"api_key": key}
    return AnthropicProvider(
        told.name,
        told.base_url,
        told.model,
        **credential,
        connect_seconds=settings.connect_seconds,
        caching=settings.caching,
    )


def _warmer(
    settings: LlmSettings, telemetry: Telemetry, warming: "_Warming", prompts: Mapping[str, Prompt]
) -> CacheWarmer:
    model = settings.providers[0].model
    return CacheWarmer(
        prompts.values(),
        warming,
        Telling(telemetry.metrics, telemetry),
        model=model,
        price=price_of(settings.prices, model) or USUAL,
        at_start=settings.warm_on_startup,
        ttl=settings.cache_ttl_seconds,
    )


@dataclass(frozen=True, slots=True)
class _Warming:
    """Sends what the calls of a prompt begin with, and asks for nothing."""

    router: Router

    async def warm(self, prompt: Prompt) -> Completion:
        """Write the prefix into the cache, or keep it there.

        `max_tokens` 0 does that and generates nothing
        (https://platform.claude.com/docs/en/build-with-claude/prompt-caching, "Pre-warming the cache").
        """
        return await self.router.complete(
            Call(prompt, (Message("user", "-"),), max_tokens=0, user="cache-warming", tools=_TOOLS.get(prompt.name, ()))
        )
