#!/usr/bin/env python3
"""Makes prometheusrule.yaml, for the Prometheus operator, of rules.yaml: python3 k8s/alerts/generate.py

With --runbooks URL the links of the alerts lead to the documentation as you publish it.
"""

import argparse
from pathlib import Path

HERE = Path(__file__).parent
RUNBOOKS = "https://sluice.internal/documentation/sluiceserver/alerts"
HEAD = """\
# Made of rules.yaml by generate.py: edit that one.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: sluice
  labels:
    app.kubernetes.io/name: sluice
    app.kubernetes.io/part-of: sluice
spec:
"""


def text(runbooks: str = RUNBOOKS) -> str:
    rules = (HERE / "rules.yaml").read_text().replace(RUNBOOKS + "#", runbooks + "#")
    # What comes before the groups is about that file.
    body = rules[rules.index("groups:"):]
    return HEAD + "".join(f"  {line}" if line.strip() else line for line in body.splitlines(keepends=True))


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--runbooks", default=RUNBOOKS, metavar="URL")
    (HERE / "prometheusrule.yaml").write_text(text(arguments.parse_args().runbooks))
