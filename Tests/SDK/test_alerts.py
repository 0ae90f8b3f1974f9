"""The alerting rules, without a process: what promtool says of them, and that whoever is woken finds what to do."""

import re

import pytest
import yaml

from monitoring import promtool
from processes import ROOT
from promql import names
from test_dashboards import load

ALERTS = ROOT / "k8s" / "alerts"
ARTICLE = ROOT / "Sources/SluiceServer/Documentation.docc/Alerts.md"
RULES = yaml.safe_load((ALERTS / "rules.yaml").read_text())
ALL = [rule for group in RULES["groups"] for rule in group["rules"]]
ALERTING = {rule["alert"]: rule for rule in ALL if "alert" in rule}


def test_promtool_finds_nothing_wrong():
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", str(ALERTS / "rules.yaml"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(ALL)} rules found" in done.stdout


def test_each_alert_fires_where_it_should_and_nowhere_else():
    done = promtool("test", "rules", str(ALERTS / "rules.test.yaml"))
    assert done.returncode == 0, done.stdout + done.stderr
    tests = yaml.safe_load((ALERTS / "rules.test.yaml").read_text())["tests"]
    fired = {
        re.search(r'alertname="(\w+)"', sample["labels"]).group(1)
        for test in tests for check in test["promql_expr_test"] for sample in check["exp_samples"] if "alertname" in sample["labels"]
    }
    assert fired == set(ALERTING), "an alert without a test"
    for test in tests:
        # Not yet, or not any more.
        assert any(not check["exp_samples"] for check in test["promql_expr_test"]), test["name"]


def test_the_operator_gets_the_same_rules():
    generator = load(ALERTS / "generate.py", "alerts_generator")
    committed = (ALERTS / "prometheusrule.yaml").read_text()
    assert committed == generator.text(), "python3 k8s/alerts/generate.py"
    manifest = yaml.safe_load(committed)
    assert (manifest["apiVersion"], manifest["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert manifest["spec"] == RULES
    elsewhere = yaml.safe_load(generator.text("https://runbooks.example/sluice"))
    links = {rule["annotations"]["runbook_url"] for group in elsewhere["spec"]["groups"] for rule in group["rules"] if "alert" in rule}
    assert links == {f"https://runbooks.example/sluice#{name}" for name in ALERTING}


@pytest.mark.parametrize("name", ALERTING)
def test_whoever_is_woken_finds_what_to_do(name):
    rule = ALERTING[name]
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    said = rule["annotations"]
    assert set(said) == {"summary", "description", "runbook_url"}
    # In words about what is affected, and in sentences about what to do.
    assert "{{" in said["summary"] and len(said["description"]) > 60 and said["description"].endswith(".")
    assert said["runbook_url"].endswith(f"/alerts#{name}")
    sections = re.split(r"^## ", ARTICLE.read_text(), flags=re.MULTILINE)
    section = [section for section in sections if section.splitlines()[0] == name]
    assert len(section) == 1, f"Alerts.md has no section {name}"
    assert len(section[0]) > 200


def test_labels_of_alerts_are_in_their_results():
    for name, rule in ALERTING.items():
        used = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
        found = names(rule["expr"])
        # Of recorded ratios, and of `up`, the labels are those that they were recorded with.
        known = found.groupings | ({"job", "instance", "namespace"} if {"up"} & set(found.metrics) or "sluice:" in rule["expr"] else set())
        assert used <= known, f"{name}: {used - known}"


def test_no_section_is_about_an_alert_that_is_not_there():
    titles = set(re.findall(r"^## (Sluice\w+)$", ARTICLE.read_text(), flags=re.MULTILINE))
    assert titles == set(ALERTING)
    in_chinese = set(re.findall(r"^\| (Sluice\w+) \|", ARTICLE.with_stem("Alerts-zh").read_text(), flags=re.MULTILINE))
    assert in_chinese == set(ALERTING)
