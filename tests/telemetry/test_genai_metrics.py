"""What is counted of calls of language models."""

import re

from service.llm.model import Usage
from telemetry import Telemetry, TelemetrySettings, names
from telemetry.testing import Recorder
from tests.telemetry.model_calls import MODEL, OTHER_MODEL, USAGE, answered, facts, watched

PAIR = {"gen_ai_provider_name": "anthropic", "gen_ai_request_model": MODEL}
CALL = {"gen_ai_operation_name": "chat", **PAIR}
LETTER = PAIR | {"prompt_name": "cover_letter"}
THERE = {"gen_ai_provider_name": "openrouter"}


def counts(recorder: Recorder, name: str, **labels: str) -> float | None:
    """A metric of the calls of one model, or of everything that has none."""
    return recorder.metric(f"gen_ai_client_{name}", **labels)


def test_everything_declared_is_there_at_zero() -> None:
    """Every combination of providers, their own models and reasons exists at 0 before the first call."""
    _, recorder = watched()
    for error_type in ("", "cancelled", "unavailable"):
        assert counts(recorder, "operation_duration_seconds_count", **CALL, error_type=error_type) == 0
    assert counts(recorder, "operation_time_to_first_chunk_seconds_count", **CALL) == 0
    assert counts(recorder, "operation_time_per_output_token_seconds_count", **CALL) == 0
    for kind in ("input", "output"):
        assert counts(recorder, "token_usage_count", **CALL, gen_ai_token_type=kind) == 0
    for prompt in ({"prompt_name": "cover_letter"}, {"prompt_name": "question"}):
        for name in ("cache_read_tokens_total", "cache_write_tokens_total", "cost_usd_total"):
            assert counts(recorder, name, **PAIR, **prompt) == 0
        for result in ("hit", "miss"):
            assert counts(recorder, "cache_lookups_total", **PAIR, **prompt, result=result) == 0
    for reason in ("overloaded", "timeout"):
        assert counts(recorder, "retries_total", **THERE, reason=reason) == 0
        way = {"from_provider": "anthropic", "to_provider": "openrouter"}
        assert counts(recorder, "fallovers_total", **way, reason=reason) == 0
    assert counts(recorder, "breaker_open", **THERE) == 0
    assert counts(recorder, "cost_usd_total", **LETTER | {"gen_ai_request_model": OTHER_MODEL}) is None


def test_an_answered_call_is_counted() -> None:
    """Duration, waits, tokens, cache and cost of an answered call; input includes what the cache had."""
    telemetry, recorder = watched()
    with telemetry.genai.call(facts()) as call:
        call.first_token()
        call.first_token()
        call.succeeded(**answered())
    assert counts(recorder, "operation_duration_seconds_count", **CALL, error_type="") == 1
    assert counts(recorder, "operation_time_to_first_chunk_seconds_count", **CALL) == 1
    assert counts(recorder, "operation_time_per_output_token_seconds_count", **CALL) == 1
    assert counts(recorder, "token_usage_sum", **CALL, gen_ai_token_type="input") == 2130
    assert counts(recorder, "token_usage_sum", **CALL, gen_ai_token_type="output") == 50
    assert counts(recorder, "cache_read_tokens_total", **LETTER) == 2000
    assert counts(recorder, "cache_write_tokens_total", **LETTER) == 30
    assert counts(recorder, "cache_lookups_total", **LETTER, result="hit") == 1
    assert counts(recorder, "cost_usd_total", **LETTER) == 0.0017


def test_a_call_that_ends_otherwise_is_counted() -> None:
    """A failed and a cancelled call are each a duration of their own; what they took is spent all the same."""
    telemetry, recorder = watched()
    with telemetry.genai.call(facts()) as call:
        call.failed("unavailable")
    with telemetry.genai.call(facts()) as call:
        call.took(USAGE, 0.25)
        call.cancelled()
    for error_type in ("unavailable", "cancelled"):
        assert counts(recorder, "operation_duration_seconds_count", **CALL, error_type=error_type) == 1
    assert counts(recorder, "token_usage_count", **CALL, gen_ai_token_type="input") == 1
    assert counts(recorder, "cost_usd_total", **LETTER) == 0.25


def test_a_call_is_counted_where_it_ended() -> None:
    """After a fall-over the call is the other provider's; the way there is counted once."""
    telemetry, recorder = watched()
    with telemetry.genai.call(facts()) as call:
        call.retried("overloaded", 0.5)
        call.fell_over(facts(provider="openrouter", model=OTHER_MODEL), "timeout")
        call.succeeded(**answered())
    there = CALL | THERE | {"gen_ai_request_model": OTHER_MODEL}
    assert counts(recorder, "operation_duration_seconds_count", **there, error_type="") == 1
    assert counts(recorder, "operation_duration_seconds_count", **CALL, error_type="") == 0
    assert counts(recorder, "retries_total", gen_ai_provider_name="anthropic", reason="overloaded") == 1
    way = {"from_provider": "anthropic", "to_provider": "openrouter", "reason": "timeout"}
    assert counts(recorder, "fallovers_total", **way) == 1


def test_each_attempt_is_counted_where_it_was_made() -> None:
    """What failed attempts took is their provider's, the span has the sum; an estimate says nothing of the cache."""
    telemetry, recorder = watched()
    with telemetry.genai.call(facts()) as call:
        call.took(Usage(input_tokens=900), 0.5, estimated=True)
        call.took(USAGE, 0.25)
        call.fell_over(facts(provider="openrouter", model=OTHER_MODEL), "timeout")
        call.succeeded(**answered())
        call.took(USAGE, 0.25)
    there = LETTER | THERE | {"gen_ai_request_model": OTHER_MODEL}
    assert [counts(recorder, "cost_usd_total", **each) for each in (LETTER, there)] == [0.75, 0.0017]
    assert counts(recorder, "token_usage_sum", **CALL, gen_ai_token_type="input") == 3030
    lookups = {result: counts(recorder, "cache_lookups_total", **LETTER, result=result) for result in ("hit", "miss")}
    assert lookups == {"hit": 1, "miss": 0}
    (span,) = recorder.spans
    assert (span.attributes[names.ATTR_GENAI_INPUT_TOKENS], span.attributes[names.ATTR_LLM_COST]) == (5160, 0.7517)


def test_prompts_are_told_apart_in_what_they_cost_and_read() -> None:
    """Each prompt has its own cost and its own use of the cache."""
    telemetry, recorder = watched()
    for prompt, usage, cost in (("cover_letter", USAGE, 0.5), ("question", Usage(100, 0, 70, 5), 0.25)):
        with telemetry.genai.call(facts(prompt_name=prompt)) as call:
            call.succeeded(**answered(usage=usage, cost_usd=cost))
    seen = {
        prompt: [
            counts(recorder, name, **PAIR, prompt_name=prompt, **more)
            for name, more in (
                ("cost_usd_total", {}),
                ("cache_read_tokens_total", {}),
                ("cache_write_tokens_total", {}),
                ("cache_lookups_total", {"result": "hit"}),
                ("cache_lookups_total", {"result": "miss"}),
            )
        ]
        for prompt in ("cover_letter", "question")
    }
    assert seen == {"cover_letter": [0.5, 2000, 30, 1, 0], "question": [0.25, 0, 70, 0, 1]}


def test_calls_of_an_application_without_named_prompts_are_counted() -> None:
    """Where no prompt is declared there is one count for all calls, from 0."""
    telemetry = Telemetry(TelemetrySettings(service_name="shop"))
    telemetry.genai.declare({"anthropic": [MODEL]})
    recorder = Recorder(telemetry)
    assert counts(recorder, "cost_usd_total", **PAIR, prompt_name="other") == 0
    with telemetry.genai.call(facts()) as call:
        call.succeeded(**answered())
    assert counts(recorder, "cost_usd_total", **PAIR, prompt_name="other") == 0.0017


def test_a_breaker_is_shown_while_it_is_open() -> None:
    """The gauge follows the breaker."""
    telemetry, recorder = watched()
    telemetry.genai.breaker("openrouter", is_open=True)
    assert counts(recorder, "breaker_open", **THERE) == 1
    telemetry.genai.breaker("openrouter", is_open=False)
    assert counts(recorder, "breaker_open", **THERE) == 0


def test_labels_are_bounded() -> None:
    """A thousand models, providers, prompts, failures and reasons that nobody declared are one `other`."""
    telemetry, recorder = watched()
    before = len(telemetry.metrics.render("")[0].splitlines())
    for number in range(1000):
        made_up = f"made-up-{number}"
        with telemetry.genai.call(facts(provider=made_up, model=made_up, prompt_name=made_up)) as call:
            call.retried(made_up, 0)
            call.fell_over(facts(provider=f"{made_up}-2", model=made_up), made_up)
            call.took(USAGE, 0.0)
            call.failed(made_up)
        telemetry.genai.breaker(made_up, is_open=True)
    other = {"gen_ai_operation_name": "chat", "gen_ai_provider_name": "other", "gen_ai_request_model": "other"}
    assert counts(recorder, "operation_duration_seconds_count", **other, error_type="other") == 1000
    assert "made-up" not in telemetry.metrics.render("")[0].decode()
    assert len(telemetry.metrics.render("")[0].splitlines()) - before < 100


def test_one_thing_has_one_label() -> None:
    """What the conventions have an attribute for is called so in every metric, ours too."""
    conventional = {"provider", "model", "operation", "token_type", "tool", "error"}
    metrics = [spec for spec in vars(names).values() if isinstance(spec, names.Metric)]
    assert {spec.name: spec.labels for spec in metrics if conventional.intersection(spec.labels)} == {}


def test_first_tokens_are_told_apart_where_they_matter() -> None:
    """The waits for the first piece have buckets from 0.05 s to 60 s."""
    assert (min(names.GENAI_FIRST_CHUNK.buckets), max(names.GENAI_FIRST_CHUNK.buckets)) == (0.05, 60.0)


def test_a_duration_leads_to_its_trace() -> None:
    """A call's duration has an exemplar with the ids of its own span."""
    telemetry, recorder = watched()
    with telemetry.genai.call(facts()) as call:
        call.succeeded(**answered())
    (span,) = recorder.spans
    exposed = telemetry.metrics.render("application/openmetrics-text; version=1.0.0")[0].decode()
    (told,) = re.findall(r"gen_ai_client_operation_duration_seconds_bucket\{.*# \{(.*)\} ", exposed)
    ids = {f'trace_id="{span.context.trace_id:032x}"', f'span_id="{span.context.span_id:016x}"'}
    assert set(told.split(",")) == ids
