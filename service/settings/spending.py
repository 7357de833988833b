"""What calls of language models may cost: budgets of tokens, and the prices of models."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from service.llm.prices import PRICES, Price
from service.settings.json_tables import count, is_number, mapping, seconds, table, wrong
from service.settings.limits import LONGEST_WINDOW
from service.settings.parsing import model_name

_PRICE_FIELDS = ("input", "output", "cache_read")
_HIGHEST_PRICE = 100_000.0
_PRICES_EXAMPLE = '{"claude-sonnet-5-5": {"input": 2, "output": 10, "cache_read": 0.1}}'
_BUDGETS_EXAMPLE = '{"anthropic": {"tokens": 2000000, "window": 3600}}'


@dataclass(frozen=True, slots=True)
class Budget:
    """How many tokens may be spent.

    Args:
        tokens: in any window; None: as many as are asked for.
        window: its length, in seconds.
    """

    tokens: int | None
    window: float


NO_BUDGET = Budget(None, 60.0)


def budgets(raw: str | None, providers: Collection[str]) -> dict[str, Budget]:
    """Read `LLM_BUDGETS`.

    Args:
        raw: its text.
        providers: those that are asked. A budget of another one would limit nothing.

    Raises:
        SettingsError: Not such JSON, another provider, or a number out of range.
    """
    name, read = "LLM_BUDGETS", {}
    for provider, given in table(name, raw, _BUDGETS_EXAMPLE).items():
        if provider not in providers:
            raise wrong(name, "", f"expected providers of LLM_PROVIDER: {', '.join(providers)}", provider)
        fields = _exactly(name, provider, given, "tokens", "window")
        read[provider] = Budget(
            count(name, f"{provider}.tokens", fields["tokens"]),
            seconds(name, f"{provider}.window", fields["window"], LONGEST_WINDOW),
        )
    return read


def prices(raw: str | None) -> Mapping[str, Price]:
    """Lay `LLM_PRICES` over the published ones.

    Raises:
        SettingsError: Not such JSON, what is no model's name, or a number out of range.
    """
    name, read = "LLM_PRICES", dict(PRICES)
    for model, given in table(name, raw, _PRICES_EXAMPLE).items():
        fields = _exactly(name, model_name(name, model), given, *_PRICE_FIELDS)
        read[model] = Price(*(_price(name, f"{model}.{field}", fields[field]) for field in _PRICE_FIELDS))
    return MappingProxyType(read)


def _exactly(name: str, where: str, given: object, *expected: str) -> dict[str, object]:
    fields = mapping(name, where, given)
    if set(fields) != set(expected):
        raise wrong(name, where, f"expected the fields {', '.join(expected)}", ", ".join(fields))
    return fields


def _price(name: str, where: str, value: object) -> float:
    if is_number(value) and 0 <= value <= _HIGHEST_PRICE:
        return float(value)
    raise wrong(name, where, "expected US dollars for a million tokens", value)
