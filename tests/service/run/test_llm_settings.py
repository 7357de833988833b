"""The settings of the language model side."""

import json
import re

import pytest

from service.app import create_app
from service.llm.prices import Price
from service.settings import Settings, SettingsError

KEYS = {"ANTHROPIC_API_KEY": "sk-ant-x", "OPENROUTER_API_KEY": "sk-or-x"}


def test_without_any_the_simulated_provider_answers():
    """With no key at all there is one provider, and `run` starts it."""
    llm = Settings.load({}).llm
    assert [(each.name, each.base_url, each.key) for each in llm.providers] == [
        ("simulated", "http://127.0.0.1:8200", None)
    ]
    assert (llm.caching, llm.warm_on_startup, llm.content, llm.starts_simulated) == (True, True, False, True)


def test_providers_are_asked_in_their_order():
    """Each has its own address, model, key and budget."""
    llm = Settings.load(
        {
            "LLM_PROVIDER": "openrouter, anthropic",
            "ANTHROPIC_BASE_URL": "http://127.0.0.1:9/",
            "LLM_BUDGETS": '{"anthropic": {"tokens": 5, "window": 60}}',
            **KEYS,
        }
    ).llm
    assert [(each.name, each.base_url, each.model) for each in llm.providers] == [
        ("openrouter", "https://openrouter.ai/api", "anthropic/claude-sonnet-5.5"),
        ("anthropic", "http://127.0.0.1:9", "claude-sonnet-5-5"),
    ]
    assert [(each.budget.tokens, each.budget.window) for each in llm.providers] == [(None, 60.0), (5, 60.0)]


def test_prices_are_laid_over_the_published_ones():
    """A price for an unknown model is added, for a known one it is replaced."""
    prices = Settings.load(
        {"LLM_PRICES": '{"claude-sonnet-5-5": {"input": 1, "output": 2.5, "cache_read": 0}}'}
    ).llm.prices
    assert prices["claude-sonnet-5-5"] == Price(1.0, 2.5, 0.0)
    assert prices["claude-haiku-4-5"] == Price(1.0, 5.0, 0.1)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("LLM_PROVIDER", "simulated,simulated", "LLM_PROVIDER: expected some of simulated, anthropic"),
        ("LLM_TOTAL_SECONDS", "0", "LLM_TOTAL_SECONDS: expected a number from 0.05 to 3600; got '0'"),
        ("LLM_PRICES", "[]", "LLM_PRICES: expected a JSON object; got '[]'"),
        ("LLM_PRICES", '{"m": {"input": 1}}', "LLM_PRICES m: expected the fields input, output, cache_read"),
        ("LLM_PRICES", '{"m": {"input": 1, "output": -1, "cache_read": 0}}', "LLM_PRICES m.output: expected"),
        ("LLM_PRICES", '{"m": {"input": 1, "output": NaN, "cache_read": 0}}', "LLM_PRICES m.output: expected"),
        ("LLM_PRICES", '{"": {"input": 1, "output": 1, "cache_read": 0}}', "LLM_PRICES: expected a provider's name"),
        ("LLM_BUDGETS", '{"x": {"tokens": 1, "window": 1}}', "LLM_BUDGETS: expected providers of LLM_PROVIDER: sim"),
        ("LLM_BUDGETS", '{"anthropic": {"tokens": 1, "window": 1}}', "LLM_BUDGETS: expected providers of LLM_PROVIDER"),
        ("LLM_BUDGETS", '{"simulated": {"tokens": 0, "window": 1}}', "LLM_BUDGETS simulated.tokens: expected a whole"),
        ("LLM_BUDGETS", '{"anthropic": {"tokens": 1, "tokens": 1}}', "LLM_BUDGETS: expected every key once"),
        ("SIMULATED_PROVIDER_URL", "http://256.256.256.256", "SIMULATED_PROVIDER_URL: expected a URL such as"),
        ("SIMULATED_PROVIDER_URL", "http://u:hunter2@127.0.0.1:9", "SIMULATED_PROVIDER_URL: expected a URL such as"),
        ("LLM_MODEL", "a\tb", "LLM_MODEL: expected a provider's name of a model such as claude-sonnet-5-5; got"),
        ("LLM_MODEL", "bob@example.com", "LLM_MODEL: expected a provider's name of a model such as claude-sonnet-5-5"),
        ("LLM_MODEL", "claude sonnet", "LLM_MODEL: expected a provider's name of a model"),
        ("LLM_MODEL", "4155552671", "LLM_MODEL: expected a provider's name of a model"),
        ("SIMULATED_PROVIDER_URL", "localhost", "SIMULATED_PROVIDER_URL: expected a URL such as"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_said(name, value, said):
    """One line names the setting, its place and what was expected."""
    with pytest.raises(SettingsError) as refused:
        Settings.load({name: value})
    assert str(refused.value).startswith(said)


@pytest.mark.parametrize("environment", ["development", "production"])
@pytest.mark.parametrize("name", ["ANTHROPIC_BASE_URL", "OPENROUTER_BASE_URL"])
def test_a_key_travels_encrypted(name, environment):
    """Whoever is sent a key is asked over https, or on this machine; the error shows the address and no key."""
    strict = {"JWT_SECRET": "0123456789abcdef" * 4, "ALLOWED_HOSTS": "api.example.com", "ENVIRONMENT": environment}
    given = strict | KEYS | {"LLM_PROVIDER": "anthropic,openrouter"}
    with pytest.raises(SettingsError) as refused:
        Settings.load(given | {name: "http://llm.example.com:4000/sk-ant-api03-" + "a1B2c3D4" * 8})
    said = f"{name}: expected https: whoever reads the connection has the key and what is asked"
    assert str(refused.value) == f"{said}; got 'http://llm.example.com:4000/[REDACTED:api_key]'"
    for url in ("http://127.0.0.1:4000", "http://[::1]:4000", "http://localhost:4000", "https://llm.example.com"):
        assert url in {each.base_url for each in Settings.load(given | {name: url}).llm.providers}


def test_the_simulated_provider_has_no_key():
    """A container of its own is asked over http."""
    url = "http://simulated:8200"
    assert Settings.load({"SIMULATED_PROVIDER_URL": url}).llm.providers[0].base_url == url


@pytest.mark.parametrize(
    "model",
    ["claude-sonnet-5-5", "anthropic/claude-sonnet-5.5:beta", "meta-llama/Llama-4", "@preset/ours", "a/c@20260620"],
)
def test_providers_name_their_models_as_they_like(model):
    """Upper case, versions, variants and dates."""
    assert Settings.load({"LLM_MODEL": model}).llm.providers[0].model == model


def test_an_address_in_the_place_of_a_model_is_not_repeated():
    """The line is for the operator's log."""
    with pytest.raises(SettingsError) as refused:
        Settings.load({"LLM_MODEL": "bob@example.com"})
    assert "bob" not in str(refused.value)


def test_a_budget_that_no_call_fits_is_refused(tmp_path):
    """The instructions and the shortest answer have to fit, or the provider would never be asked."""

    def application(tokens):
        budgets = json.dumps({"simulated": {"tokens": tokens, "window": 60}})
        return create_app(Settings.load({"LLM_BUDGETS": budgets, "DATA_DIR": str(tmp_path), "JWT_SECRET": "s" * 64}))

    with pytest.raises(SettingsError) as refused:
        application(1500)
    least = re.fullmatch(
        r"LLM_BUDGETS simulated\.tokens: expected ([0-9]+) or more: no call fits; got '1500'", str(refused.value)
    )
    assert 1500 < int(least[1]) < 4000
    assert application(int(least[1]))


@pytest.mark.parametrize("key", ["sk-ant\nx", "ключ", "a key"])
def test_a_key_that_cannot_be_sent_is_refused(key):
    """A header could not hold it; the key is not shown."""
    with pytest.raises(SettingsError) as refused:
        Settings.load({"LLM_PROVIDER": "anthropic", "ANTHROPIC_API_KEY": key})
    assert str(refused.value) == "ANTHROPIC_API_KEY: expected a key as it was issued, of ASCII alone"


def test_keys_are_not_shown():
    """No key is in what the settings show of themselves."""
    shown = repr(Settings.load({"LLM_PROVIDER": "anthropic", **KEYS}))
    assert "sk-ant-x" not in shown
