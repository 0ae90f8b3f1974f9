"""The Grafana dashboard as Grafana will read it, and the manifests that bring it, the alerts and the scraping into a cluster."""

import importlib.util
import json
import re
import sys

import pytest
import yaml

from processes import ROOT
from promql import names

DASHBOARD = ROOT / "k8s" / "dashboards" / "sluice.json"
KINDS = {"timeseries", "stat", "bargauge", "state-timeline", "table"}
# Of Grafana's own, and those that say a suffix of ours.
UNITS = {"short", "none", "reqps", "ops", "s", "bytes", "percentunit"}


def load(path, name: str):
    """A generator, which imports what is beside it."""
    sys.path.insert(0, str(path.parent))
    try:
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(str(path.parent))


@pytest.fixture(scope="module")
def dashboard() -> dict:
    return json.loads(DASHBOARD.read_text())


@pytest.fixture(scope="module")
def panels(dashboard) -> list[dict]:
    """All of them, those in folded rows too, without the rows themselves."""
    return [panel for row in dashboard["panels"] for panel in [row, *row.get("panels", [])] if panel["type"] != "row"]


def test_the_committed_dashboard_is_what_its_generator_makes():
    generator = load(ROOT / "k8s/dashboards/generate.py", "dashboard_generator")
    assert DASHBOARD.read_text() == generator.text(), "python3 k8s/dashboards/generate.py"


def test_grafana_can_read_it(dashboard, panels):
    assert dashboard["schemaVersion"] >= 36 and dashboard["uid"] == "sluice" and dashboard["id"] is None
    rows = [panel for panel in dashboard["panels"] if panel["type"] == "row"]
    identifiers = [panel["id"] for panel in [*rows, *panels]]
    assert len(identifiers) == len(set(identifiers)) and all(number > 0 for number in identifiers)
    titles = [panel["title"] for panel in panels]
    assert len(titles) == len(set(titles)) and len(titles) > 40
    for row in rows:
        assert bool(row["panels"]) == row["collapsed"], row["title"]
    for panel in panels:
        assert panel["type"] in KINDS and len(panel["description"]) > 5, panel["title"]
        unit = panel["fieldConfig"]["defaults"]["unit"]
        assert unit in UNITS or unit.startswith("suffix: "), panel["title"]
        assert panel["targets"] and len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


def test_no_panel_lies_on_another(dashboard):
    taken: dict[tuple[int, int], str] = {}
    for panel in dashboard["panels"]:
        # What is folded away has places of its own, from its row on.
        for part in [panel, *panel.get("panels", [])]:
            place = part["gridPos"]
            assert 0 <= place["x"] and place["x"] + place["w"] <= 24 and place["h"] > 0
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, f"{panel['title']} lies on {taken[x, y]}"
                taken[x, y] = panel["title"]
        inside = {}
        for part in panel.get("panels", []):
            place = part["gridPos"]
            assert place["y"] > panel["gridPos"]["y"]
            for x in range(place["x"], place["x"] + place["w"]):
                for y in range(place["y"], place["y"] + place["h"]):
                    assert inside.setdefault((x, y), part["title"]) == part["title"]


def test_no_data_source_is_named(dashboard):
    text = DASHBOARD.read_text()
    assert set(re.findall(r'"uid": "([^"]*)"', text)) == {"${datasource}", "sluice"}
    variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    assert list(variables) == ["datasource", "job", "namespace", "instance", "provider", "model"]
    for name in ("job", "namespace", "instance", "provider", "model"):
        # A label that is not there is matched as well: outside Kubernetes there is no namespace.
        assert variables[name]["allValue"] == ".*" and variables[name]["datasource"]["uid"] == "${datasource}"


def test_what_is_chosen_above_counts_everywhere(panels):
    for panel in panels:
        for target in panel["targets"]:
            for metric, labels in names(target["expr"]).metrics.items():
                assert {"job", "namespace", "instance"} <= labels, f"{panel['title']}: {metric}"
            assert not re.search(r"\[\d", target["expr"]), f"{panel['title']}: a window that does not follow the zoom"


def test_series_have_names(panels):
    for panel in panels:
        for target in panel["targets"]:
            found = names(target["expr"])
            shown = set(re.findall(r"{{([a-z_]+)}}", target["legendFormat"]))
            assert shown <= found.groupings | found.made, f"{panel['title']}: {shown} is not in the result"
            if panel["type"] in ("timeseries", "state-timeline", "bargauge") and len(panel["targets"]) > 1:
                assert target["legendFormat"] != "__auto", panel["title"]


def test_the_config_map_is_small_enough_to_be_applied():
    # `kubectl apply` writes the whole object into an annotation as well, and annotations have 256 KB together.
    assert DASHBOARD.stat().st_size < 200_000
    settings = yaml.safe_load((ROOT / "k8s/dashboards/kustomization.yaml").read_text())
    assert settings["generatorOptions"]["labels"]["grafana_dashboard"] == "1"
    assert settings["configMapGenerator"][0]["files"] == [DASHBOARD.name]
