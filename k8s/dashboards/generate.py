#!/usr/bin/env python3
"""Writes the Grafana dashboard beside it: python3 k8s/dashboards/generate.py

Grafana's JSON is for machines: this is what is edited. A test compares the two.
"""

import json
from pathlib import Path

from grafana import dashboard, datasource_variable, variable
from rows import ROWS

FILE = Path(__file__).with_name("sluice.json")


def built() -> dict:
    processes = 'sluice_build_info{job=~"$job",namespace=~"$namespace"}'
    attempts = 'sluice_attempts_total{job=~"$job",namespace=~"$namespace"'
    return dashboard(
        "Sluice", "sluice", "AI traffic: what it costs, how long it takes, who fails, and the fleet of proxies that carries it.",
        ["sluice", "ai", "gateway"],
        [
            datasource_variable(),
            variable("job", "Job", "label_values(sluice_build_info, job)"),
            variable("namespace", "Namespace", 'label_values(sluice_build_info{job=~"$job"}, namespace)'),
            variable("instance", "Instance", f"label_values({processes}, instance)"),
            variable("provider", "Provider", f"label_values({attempts}}}, gen_ai_provider_name)"),
            variable("model", "Model", f'label_values({attempts},gen_ai_provider_name=~"$provider"}}, gen_ai_request_model)'),
        ],
        ROWS)


def text() -> str:
    return json.dumps(built(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
