"""What a model caches, what a text costs, and how long it is."""

import pytest

from service.llm.caching import minimum_cacheable
from service.llm.model import Usage
from service.llm.prices import PRICES, price_of
from service.llm.tokens import estimate


@pytest.mark.parametrize(
    ("minimum", "models"),
    [
        (512, ["claude-opus-5", "anthropic/claude-opus-5.5"]),
        (1024, ["claude-sonnet-5-5", "anthropic/claude-sonnet-5.5", "claude-opus-4-8", "claude-9"]),
        (2048, ["claude-3-5-haiku-20241022", "anthropic/claude-3.5-haiku", "claude-opus-4-7"]),
        (4096, ["claude-haiku-4-5", "claude-haiku-4-5-20251001", "anthropic/claude-opus-4.6"]),
    ],
)
def test_minimum_cacheable(minimum, models):
    """Each spelling of a model has its published minimum."""
    assert [minimum_cacheable(model) for model in models] == [minimum] * len(models)


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("äöüß", 2)])
def test_a_token_is_four_bytes(text, tokens):
    """A token is four bytes of UTF-8; a part of one counts as one."""
    assert estimate(text) == tokens


def test_each_kind_of_token_has_its_price():
    """Tokens read from the cache cost their own price, those written to it a quarter more than others."""
    usage = Usage(input_tokens=100, cache_read_tokens=1000, cache_write_tokens=400, output_tokens=10)
    price = price_of(PRICES, "anthropic/claude-sonnet-5.5")
    assert price is not None
    assert price.cost(usage) == pytest.approx((100 * 2 + 1000 * 0.1 + 400 * 2.5 + 10 * 10) / 1e6)
    assert price_of(PRICES, "somebody-else") is None
