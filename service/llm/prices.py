"""What a call costs, estimated from its tokens."""

from collections.abc import Mapping
from dataclasses import dataclass

from service.llm.caching import plain_name
from service.llm.model import Usage

# Of the input price, for 5 minutes.
WRITE_SHARE = 1.25
_PER_MILLION = 1e6


@dataclass(frozen=True, slots=True)
class Price:
    """What a model's tokens cost, in US dollars for a million.

    Attributes:
        input: read by the model.
        output: written by it.
        cache_read: read from the cache; what is written to it costs `WRITE_SHARE` of `input`.
    """

    input: float
    output: float
    cache_read: float

    def cost(self, usage: Usage) -> float:
        """Give what a usage costs, in US dollars."""
        read = self.input * (usage.input_tokens + WRITE_SHARE * usage.cache_write_tokens)
        return (read + self.cache_read * usage.cache_read_tokens + self.output * usage.output_tokens) / _PER_MILLION


PRICES: Mapping[str, Price] = {
    "claude-fable-5-1": Price(10.0, 50.0, 0.25),
    "claude-haiku-4-5": Price(1.0, 5.0, 0.1),
    "claude-haiku-5-5": Price(0.1, 0.5, 0.01),
    "claude-opus-5": Price(5.0, 25.0, 0.5),
    "claude-opus-5-5": Price(4.0, 20.0, 0.2),
    "claude-sonnet-4-6": Price(3.0, 15.0, 0.3),
    "claude-sonnet-5": Price(2.0, 10.0, 0.2),
    "claude-sonnet-5-5": Price(2.0, 10.0, 0.1),
}
"""As Anthropic published them in 2026-11; any other model needs a price in `LLM_PRICES`, or costs an unknown sum."""


USUAL = Price(1.0, 5.0, 0.1)
"""Of a model whose price nobody knows: the shares of an input token's price that most models have, not the sums."""


def price_of(prices: Mapping[str, Price], model: str) -> Price | None:
    """Give the price of a model, in Anthropic's spelling or OpenRouter's (`anthropic/claude-sonnet-5.5`), if known."""
    return prices.get(model) or prices.get(plain_name(model))
