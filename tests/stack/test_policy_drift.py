"""The rule that compares the digests of the privacy policies in force, on series as they are exposed."""

import subprocess
import textwrap

import pytest

from telemetry import names
from tests.service.run.process import running
from tests.stack.binaries import binary
from tests.stack.collector import ROOT, Collector
from tests.stack.prometheus import Prometheus

RULES = ROOT / "stack" / "rules" / "policy_drift.yaml"
OURS, OTHER = "a" * 64, "b" * 64
SERVICE = 'pii_policy_info{{job="service", instance="{instance}", digest="{digest}"}}'
COLLECTOR = 'target_info{{job="otelcol", instance="c:8888", service_name="otelcol", pii_policy_digest="{digest}"}}'
POINTS = 'target_info{{job="otlp", instance="d:1", "service.name"="shop", "pii.policy.digest"="{digest}"}}'
WITHOUT = 'target_info{job="loki", instance="l:3100", service_name="loki"}'


def series(service=OURS, second=OURS, collector=OURS, points=OURS, values="1x60"):
    """Give series by which digest each of them tells; the second service tells it for so long."""
    told = [
        (SERVICE.format(instance="s:8000", digest=service), "1x60"),
        (SERVICE.format(instance="s:8001", digest=second), values),
        (COLLECTOR.format(digest=collector), "1x60"),
        (POINTS.format(digest=points), "1x60"),
        (WITHOUT, "1x60"),
    ]
    return "\n".join(f"- {{series: '{name}', values: '{values}'}}" for name, values in told)


def promtool(*arguments):
    """Run promtool and give its exit status and what it said."""
    done = subprocess.run([binary("promtool"), *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("told", "digests"),
    [
        (series(), 0),
        (series(second=OTHER), 2),
        (series(collector=OTHER), 2),
        (series(points=OTHER), 2),
        (series(second=OTHER, collector="c" * 64), 3),
        # A roll-out: five minutes, and it takes the staleness of Prometheus' own five until the series are gone.
        (series(second=OTHER, values="1x4 stale"), 0),
    ],
    ids=["one", "two services", "service and collector", "labels with points", "three", "roll-out"],
)
def test_the_rule_fires_at_two_digests(tmp_path, told, digests):
    """One digest everywhere is silence; two that stay, of services or of the collector, fire, and say how many."""
    fires = f"""\
        - exp_labels: {{severity: warning}}
          exp_annotations:
            summary: "{digests} privacy policies are in force at once"
            description: {description()!r}
    """
    test = f"""\
rule_files: [{RULES}]
evaluation_interval: 1m
tests:
- interval: 1m
  input_series:
{textwrap.indent(told, "  ")}
  alert_rule_test:
  - {{eval_time: 9m, alertname: PrivacyPolicyDrift, exp_alerts: []}}
  - eval_time: 30m
    alertname: PrivacyPolicyDrift
    exp_alerts: {"[]" if not digests else ""}
{fires if digests else ""}
"""
    file = tmp_path / "test.yaml"
    file.write_text(test)
    status, said = promtool("test", "rules", file)
    assert status == 0, said


def description():
    """Give the rule's own description; only the number of digests is looked at here."""
    text = RULES.read_text().partition("description: >-\n")[2]
    return " ".join(text.split())


def test_the_rule_is_valid():
    """Prometheus' own check finds nothing wrong with the file."""
    status, said = promtool("check", "rules", RULES)
    assert status == 0, said


async def test_prometheus_sees_two(tmp_path):
    """A real Prometheus that scrapes the service and the collector has no alert, and one once a digest is another."""
    other = {"name": names.ATTR_PII_POLICY_DIGEST, "value": OTHER}
    second = {"service": {"telemetry": {"resource": {"attributes": [other]}}}}
    async with running(tmp_path) as service:
        with Collector(tmp_path / "one", rules=False) as collector:
            ports = [service.port, collector.metrics_port]
            with Prometheus(tmp_path / "prometheus", ports, RULES) as prometheus:
                assert prometheus.wait_for("pii_policy_info") == [1]
                assert prometheus.wait_for('target_info{"pii.policy.digest"!=""}') == [1]
                assert prometheus.alerts() == []
                with Collector(tmp_path / "two", rules=False, changes=second) as drifted:
                    prometheus.scrape([*ports, drifted.metrics_port])
                    assert prometheus.wait_for('count(target_info{"pii.policy.digest"!=""}) > 1') == [2]
                    assert prometheus.wait_for("ALERTS") == [1]
                    (alert,) = prometheus.alerts()
    assert (alert["labels"]["alertname"], alert["value"]) == ("PrivacyPolicyDrift", "2e+00")
