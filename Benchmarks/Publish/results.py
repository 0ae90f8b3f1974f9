"""The numbers of one run, as `sluice-bench --json` writes them, and what they amount to between proxies."""

import json
import statistics
from dataclasses import dataclass, field

FORMAT = 2
# Beyond this a row is called noisy: half of the distance between the best and the worst round, of the median.
NOISY_SHARE = 0.15


@dataclass
class Line:
    """One metric of one row."""

    row: str
    metric: str
    unit: str
    is_detail: bool
    is_over_direct: bool
    bar: dict | None
    verdict: str | None
    # By subject: a number for each round, None for one that failed.
    values: dict[str, list[float | None]]
    failures: dict[str, str]

    def median(self, subject: str) -> float | None:
        numbers = [value for value in self.values.get(subject, []) if value is not None]
        return statistics.median(numbers) if numbers else None

    def ratio(self, subject: str, base: str) -> float | None:
        """The median, over the rounds that both have, of the subject's number over the base's of the same round."""
        if self.is_over_direct:
            return None
        pairs = zip(self.values.get(subject, []), self.values.get(base, []))
        ratios = [one / other for one, other in pairs if one is not None and other is not None and other > 0]
        return statistics.median(ratios) if ratios else None

    def spread(self, subject: str) -> float | None:
        """Half of the distance between the best and the worst round, as a share of the median; None for a single round."""
        numbers = [value for value in self.values.get(subject, []) if value is not None]
        middle = statistics.median(numbers) if numbers else 0
        if len(numbers) < 2 or middle == 0:
            return None
        return (max(numbers) - min(numbers)) / 2 / abs(middle)

    def is_noisy(self, subject: str) -> bool:
        return (self.spread(subject) or 0) > NOISY_SHARE


@dataclass
class Results:
    date: str
    machine: dict
    settings: dict
    versions: dict[str, str]
    judged: str
    absent: list[str]
    lines: list[Line]
    notes: list[dict] = field(default_factory=list)
    # By row, then by subject: what a number was made of.
    points: dict[str, dict[str, list[list[float]]]] = field(default_factory=dict)

    @property
    def subjects(self) -> list[str]:
        """The judged one, and the others in the order of their columns."""
        return [self.judged] + [name for name in ORDER if name in self.versions and name != self.judged]

    @property
    def peers(self) -> list[str]:
        """All that are or could have been beside it, absent ones included."""
        return [name for name in ORDER if name != self.judged and (name in self.versions or name in self.absent)]

    def line(self, row: str, metric_start: str = "") -> Line | None:
        """The first metric of a row whose name begins so."""
        for line in self.lines:
            if line.row == row and line.metric.startswith(metric_start):
                return line
        return None


ORDER = ["sluice", "nginx", "haproxy", "envoy", "smg", "litellm"]


def read(text: str) -> Results:
    """Reads a result file; ValueError when it is of another format."""
    content = json.loads(text)
    if content.get("format") != FORMAT:
        raise ValueError(f"a result file of format {content.get('format')}, not {FORMAT}")
    points: dict[str, dict[str, list[list[float]]]] = {}
    for entry in content["points"]:
        points.setdefault(entry["row"], {})[entry["subject"]] = entry["points"]
    same = {name: content[name] for name in ("date", "machine", "settings", "versions", "judged", "absent", "notes")}
    return Results(**same, lines=[_line(row) for row in content["rows"]], points=points)


def _line(row: dict) -> Line:
    return Line(
        row=row["row"],
        metric=row["metric"],
        unit=row["unit"],
        is_detail=row["detail"],
        is_over_direct=row["over_direct"],
        bar=row["bar"],
        verdict=row["verdict"],
        values={name: numbers["values"] for name, numbers in row["subjects"].items()},
        failures=row["failures"],
    )


def number(value: float | None) -> str:
    """A number with about three digits that mean something, as the terminal shows it."""
    if value is None:
        return ""
    size = abs(value)
    if size >= 10_000:
        return f"{value:,.0f}"
    return f"{value:.2f}" if size < 10 else f"{value:.1f}" if size < 100 else f"{value:.0f}"
