"""Real Prometheus scrapes a real Sluice under traffic: each query of the dashboard has an answer, each metric and label that a query or
a rule names exists, and alerts reach a real Alertmanager."""

import json
import math
import re
import time

import httpx2
import pytest
import yaml

from monitoring import Alertmanager, Prometheus, promtool, wait_until
from processes import ROOT
from promql import names
from redis_server import IS_INSTALLED, free_port
from test_alerts import ALERTING, ALL, RULES
from traffic import INPUT, OUTPUT, PAID, PRICE, World

# The first test waits for all of the traffic.
pytestmark = [pytest.mark.skipif(not IS_INSTALLED, reason="redis-server is not installed"), pytest.mark.timeout(120)]

DASHBOARD = json.loads((ROOT / "k8s/dashboards/sluice.json").read_text())
PANELS = {
    panel["title"]: panel for row in DASHBOARD["panels"] for panel in [row, *row.get("panels", [])] if panel["type"] != "row"
}
# Longer than all of the traffic takes.
WINDOW = "2m"
# What is not seen here, and where it is declared: a thousand series take too long, and the injector has tests of its own.
RARE = {
    "sluice_metric_overflow_total": ("SluiceCore/Metrics/MetricRegistry.swift", {"namespace", "job", "instance", "family"}),
    "sluice_inject_certificate_end_time_seconds": (
        "SluiceInject/Server/InjectMetrics.swift", {"namespace", "job", "instance", "kind"}),
    "sluice_inject_ready": ("SluiceInject/Server/InjectMetrics.swift", {"namespace", "job", "instance"}),
}
ROUNDS = 2


class Observed:
    """Traffic, and what Prometheus has seen of it."""

    def __init__(self, directory, certificate):
        self.parts = []
        try:
            self.world = self._add(World(certificate))
            self.alertmanager = self._add(Alertmanager())
            self.prometheus = self._add(Prometheus(self._settings(directory)))
            self._run()
        except BaseException:
            self.end()
            raise

    def _add(self, part):
        self.parts.append(part)
        return part

    def _settings(self, directory) -> dict:
        rules = directory / "rules.yaml"
        # The same conditions, and nobody waits for minutes.
        rules.write_text(re.sub(r"\bfor: '?\d+m'?", "for: 1s", yaml.safe_dump(RULES, width=10_000)))

        def target(url: str, instance: str) -> dict:
            return {"targets": [url.removeprefix("http://")], "labels": {"namespace": "ai", "instance": instance}}

        targets = [target(self.world.edge.admin, "edge-0"), target(self.world.sidecar.admin, "app-0")]
        return {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(rules)],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [self.alertmanager.url.removeprefix("http://")]}]}]},
            "scrape_configs": [
                {"job_name": "sluice", "static_configs": targets},
                {"job_name": "sluice-gone", "static_configs": [target(f"http://127.0.0.1:{free_port()}", "gone-0")]},
            ],
        }

    def _run(self):
        self.prometheus.wait_for_scrapes("sluice")
        self.world.round(1)
        self.world.reload_sidecar()
        # A series that is new has no rate yet: it must have been seen before it grows.
        self.prometheus.wait_for_scrapes("sluice")
        self.world.lose_redis()
        self.world.round(2)
        self.prometheus.wait_for_scrapes("sluice")
        self.at = time.time()

    def ask(self, expr: str) -> list[tuple[dict, float]]:
        return self.prometheus.query(filled(expr), self.at)

    def number(self, title: str) -> float:
        """What a panel with one number shows."""
        [(_, value)] = self.ask(PANELS[title]["targets"][0]["expr"])
        return value

    def end(self):
        for part in reversed(self.parts):
            part.end()


def filled(expr: str) -> str:
    """A query as Grafana sends it when nothing is chosen."""
    return re.sub(r"\$(job|namespace|instance|provider|model)\b", ".*", expr.replace("$__rate_interval", WINDOW))


@pytest.fixture(scope="module")
def observed(tmp_path_factory, certificate):
    found = Observed(tmp_path_factory.mktemp("rules"), certificate)
    yield found
    found.end()


def test_each_panel_shows_something(observed):
    empty = []
    for title, panel in PANELS.items():
        for target in panel["targets"]:
            # What is shown where there is nothing does not count.
            expr = target["expr"].replace(" or vector(0)", "")
            values = [value for _, value in observed.ask(expr)]
            if all(math.isnan(value) for value in values) or any(math.isinf(value) for value in values):
                empty.append(f"{title}: {filled(expr)} is {values}")
    assert not empty, "\n".join(empty)


def test_variables_have_values(observed):
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] != "query":
            continue
        metric, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"]).groups()
        values = observed.prometheus.get(f"label/{label}/values", **{"match[]": filled(metric)})
        assert values, variable["name"]


def test_metrics_and_labels_that_are_named_exist(observed):
    labels: dict[str, set[str]] = {}

    def labels_of(metric: str) -> set[str]:
        if metric in RARE:
            file, known = RARE[metric]
            assert f'"{metric.removesuffix("_total")}"' in (ROOT / "Sources" / file).read_text()
            return known
        if metric not in labels:
            series = observed.prometheus.get("series", **{"match[]": metric})
            labels[metric] = {label for one in series for label in one}
        return labels[metric]

    queries = [(title, target["expr"]) for title, panel in PANELS.items() for target in panel["targets"]]
    queries += [(rule.get("alert") or rule["record"], rule["expr"]) for rule in ALL]
    for place, expr in queries:
        found = names(expr)
        assert found.metrics, f"{place}: {expr}"
        for metric, selected in found.metrics.items():
            assert labels_of(metric), f"{place}: there is no metric {metric}"
            assert selected <= labels_of(metric), f"{place}: {metric} has no label {selected - labels_of(metric)}"
        known = set().union(*(labels_of(metric) for metric in found.metrics)) | found.made
        assert found.groupings <= known, f"{place}: no metric has a label {found.groupings - known}"


def test_numbers_are_right(observed):
    assert observed.number("Instances") == 2
    assert observed.number("Limits") == 1, "Redis is dead, and limits are said to be shared"
    assert observed.number("Breakers open") >= 1
    assert 0 < observed.number("Availability") < 1
    assert 0 < observed.number("Truncated streams") < 1
    owners = {labels["owner"]: value for labels, value in observed.ask(PANELS["Errors by owner"]["targets"][0]["expr"])}
    assert {"caller", "policy", "provider"} <= set(owners) <= {"caller", "policy", "provider", "gateway"}
    quantiles = [observed.ask(target["expr"])[0][1] for target in PANELS["Request duration"]["targets"]]
    assert quantiles == sorted(quantiles) and 0 < quantiles[0] < 10
    budgets = {labels["rule"]: value for labels, value in observed.ask(PANELS["Budgets used"]["targets"][0]["expr"])}
    assert budgets["spent"] >= 1 > budgets["ample"] > 0
    versions = observed.ask(PANELS["Pods by version"]["targets"][0]["expr"])
    assert [value for _, value in versions] == [2]
    [(_, skew)] = observed.ask(PANELS["Configuration"]["targets"][1]["expr"])
    assert skew >= 1, "the sidecar was reloaded, the other process was not"
    ready = {labels["instance"]: value for labels, value in observed.ask(PANELS["Ready, and the last reload"]["targets"][0]["expr"])}
    assert ready == {"edge-0": 2, "app-0": 1}
    keys = {(labels["gen_ai_provider_name"], labels["key"]): value for labels, value in observed.ask(PANELS["Keys"]["targets"][0]["expr"])}
    assert keys["keyed", "1"] == 1 and keys["keyed", "2"] == 0


def test_cost_is_tokens_times_price(observed):
    asked = ROUNDS * PAID
    [(_, cost)] = observed.ask('sum(sluice_cost_total{instance="edge-0",gen_ai_request_model=~"paid.*"})')
    assert cost == pytest.approx(asked * (INPUT * PRICE["input"] + OUTPUT * PRICE["output"]) / 1e6)
    tokens = dict(
        (labels["gen_ai_token_type"], value)
        for labels, value in observed.ask(
            'sum by (gen_ai_token_type) (gen_ai_client_token_usage_sum{instance="edge-0",gen_ai_request_model=~"paid.*",'
            'gen_ai_token_type=~"input|output"})'))
    assert tokens == {"input": asked * INPUT, "output": asked * OUTPUT}


def test_promtool_likes_the_exposition(observed):
    for program in (observed.world.edge, observed.world.sidecar):
        text = httpx2.get(program.admin + "/metrics").raise_for_status().text
        done = promtool("check", "metrics", stdin=text)
        assert done.returncode == 0, done.stdout + done.stderr


# What has happened, and is told.
DUE = {
    "SluiceBreakerOpen", "SluiceKeyRefused", "SluiceProviderErrors", "SluiceStreamsTruncated", "SluiceLimitsLocal", "SluiceRedisDown",
    "SluiceBudgetUsed", "SluiceShedding", "SluiceConfigReloadFailed", "SluiceTargetDown", "SluiceAvailabilityBurnFast",
    "SluiceCertificateExpires", "SluicePushFailing",
}
# What has not.
QUIET = {
    "SluiceGone", "SluiceNotReady", "SluiceRecordsDropped", "SluiceRecordsStopped", "SluiceLogLinesDropped", "SluiceMemoryNearLimit", "SluiceMemoryPressure",
    "SluiceBudgetNearlyUsed", "SluiceRequestsSlow", "SluiceFirstTokenSlow", "SluiceSeriesOverflow", "SluiceAuditFailing",
    "SluiceAuditLost", "SluiceCertificateExpiresSoon", "SluicePushDropped",
}


def test_alerts_reach_the_alertmanager(observed):
    def missing() -> set[str]:
        return DUE - {alert["labels"]["alertname"] for alert in observed.alertmanager.alerts()}

    wait_until(lambda: not missing(), lambda: f"{missing()} did not arrive; firing: {set(observed.prometheus.firing())}")
    alerts = observed.alertmanager.alerts()
    told = {alert["labels"]["alertname"] for alert in alerts}
    assert told <= set(ALERTING) and not told & QUIET
    for alert in alerts:
        said = " ".join(alert["annotations"].values())
        assert "{{" not in said and "<error" not in said and "%!" not in said, said
    [breaker] = [
        alert for alert in alerts
        if alert["labels"]["alertname"] == "SluiceBreakerOpen" and alert["labels"]["gen_ai_request_model"].startswith("failing")
    ]
    assert breaker["labels"]["gen_ai_provider_name"] == "one" and breaker["labels"]["namespace"] == "ai"
    assert breaker["annotations"]["summary"].startswith("one failing-one+status=503 is left alone")
