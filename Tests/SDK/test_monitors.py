"""What the Prometheus operator is given: only fields that its API has (monitoring.coreos.com/v1), and scrapes that work."""

import re

import pytest
import yaml

from processes import ROOT

FOLDERS = [ROOT / "k8s" / name for name in ("monitoring", "alerts", "dashboards")]
META = {"name", "labels", "annotations"}
# Of the definitions of the operator, those that are used here; by the kind of their value.
SPEC = {"namespaceSelector": dict, "selector": dict, "sampleLimit": int, "labelLimit": int}
ENDPOINT = {"port": str, "path": str, "scheme": str, "interval": str, "scrapeTimeout": str, "relabelings": list}
RELABELING = {"action": str, "sourceLabels": list, "targetLabel": str, "replacement": str}
ENDPOINTS = {"PodMonitor": "podMetricsEndpoints", "ServiceMonitor": "endpoints"}


def monitors() -> list[dict]:
    return [yaml.safe_load(path.read_text()) for path in sorted((ROOT / "k8s/monitoring").glob("*monitor.yaml"))]


def check(found: dict, fields: dict):
    for name, value in found.items():
        assert name in fields, f"there is no field {name}"
        assert isinstance(value, fields[name]), f"{name} is {value!r}"


def seconds(text: str) -> int:
    assert re.fullmatch(r"\d+s", text)
    return int(text[:-1])


@pytest.mark.parametrize("monitor", monitors(), ids=lambda monitor: monitor["kind"])
def test_a_monitor_says_what_the_operator_understands(monitor):
    assert set(monitor) == {"apiVersion", "kind", "metadata", "spec"} and monitor["apiVersion"] == "monitoring.coreos.com/v1"
    assert set(monitor["metadata"]) <= META
    endpoints = ENDPOINTS[monitor["kind"]]
    check(monitor["spec"], {**SPEC, endpoints: list})
    assert set(monitor["spec"]["namespaceSelector"]) <= {"any", "matchNames"}
    assert set(monitor["spec"]["selector"]) <= {"matchLabels", "matchExpressions"}
    for endpoint in monitor["spec"][endpoints]:
        check(endpoint, ENDPOINT)
        assert endpoint["path"] == "/metrics" and endpoint["scheme"] in ("http", "https")
        assert seconds(endpoint["scrapeTimeout"]) <= seconds(endpoint["interval"])
        # The API server refuses a longer name of a port.
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?", endpoint["port"])
        for relabeling in endpoint["relabelings"]:
            check(relabeling, RELABELING)
            assert relabeling["action"] == "replace"
        assert "instance" in [relabeling["targetLabel"] for relabeling in endpoint["relabelings"]]


def test_the_alert_on_targets_that_are_down_finds_its_jobs():
    """The job of a PodMonitor is its namespace and name; that of the other one is said."""
    rules = yaml.safe_load((ROOT / "k8s/alerts/rules.yaml").read_text())
    [down] = [rule for group in rules["groups"] for rule in group["rules"] if rule.get("alert") == "SluiceTargetDown"]
    pattern = re.search(r'job=~"([^"]*)"', down["expr"]).group(1)
    for monitor in monitors():
        said = [
            relabeling["replacement"] for endpoint in monitor["spec"][ENDPOINTS[monitor["kind"]]]
            for relabeling in endpoint["relabelings"] if relabeling["targetLabel"] == "job"
        ]
        for job in said or [f"monitoring/{monitor['metadata']['name']}"]:
            assert re.fullmatch(pattern, job)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_kustomize_finds_what_it_is_told(folder):
    settings = yaml.safe_load((folder / "kustomization.yaml").read_text())
    assert (settings["apiVersion"], settings["kind"]) == ("kustomize.config.k8s.io/v1beta1", "Kustomization")
    named = settings.get("resources", []) + [file for one in settings.get("configMapGenerator", []) for file in one["files"]]
    assert named and all((folder / name).is_file() for name in named)
