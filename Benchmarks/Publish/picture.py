"""The picture of a run: an SVG made of bars, readable on light and on dark pages."""

from xml.sax.saxutils import escape

from results import Line, Results, number

WIDTH = 960
MARGIN = 24
GAP = 40
COLUMN = (WIDTH - 2 * MARGIN - GAP) // 2
BAR = 18
STEP = 26
NAME_WIDTH = 72
LABEL_WIDTH = 112
# A bar so many times as long as the second longest is broken off: the others could not be read beside it.
OUTLIER = 4

STYLE = """
  .page { fill: #ffffff } .text { fill: #1f2328 } .faint { fill: #59636e } .own { fill: #d9480f } .other { fill: #8c959f }
  .line { stroke: #d9480f; stroke-width: 1.5; fill: none } .axis { stroke: #d1d9e0; stroke-width: 1 } .break { stroke: #ffffff; stroke-width: 3 }
  text { font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; font-size: 13px }
  .title { font-size: 14px; font-weight: 600 } .head { font-size: 18px; font-weight: 600 } .small { font-size: 12px }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } .text { fill: #e6edf3 } .faint { fill: #9198a1 } .own { fill: #ff8f5a } .other { fill: #656c76 }
    .line { stroke: #ff8f5a } .axis { stroke: #30363d } .break { stroke: #0d1117 }
  }
"""

# Row, beginning of the metric's name, title, what is better.
PANELS = [
    ("chat", "chat", "CPU of a chat request, µs", "less is better"),
    ("frontier", "highest", "Requests a second with p99 ≤ 20 ms", "more is better"),
    ("latency", "added latency, p50", "Added at 1000 a second, median, ms", "less is better"),
    ("latency", "added latency, p99", "Added at 1000 a second, p99, ms", "less is better"),
    ("sse-burst", "SSE", "CPU of a streamed event, µs", "less is better"),
    ("silent", "memory", "Memory of a silent stream, KB", "less is better"),
    ("start", "idle", "Memory when idle, MB", "less is better"),
    ("concurrent", "500", "500 at once, 50 ms each: TPS", "more is better"),
]


def draw(results: Results) -> str:
    """The whole picture."""
    parts: list[str] = []
    top = 84
    panels = [(line, title, better) for line, title, better in _lines(results)]
    for start in range(0, len(panels), 2):
        heights = []
        for column, (line, title, better) in enumerate(panels[start : start + 2]):
            left = MARGIN + column * (COLUMN + GAP)
            body, height = _panel(line, title, better, results, left, top)
            parts.append(body)
            heights.append(height)
        top += max(heights) + 26
    soak = results.points.get("soak", {}).get(results.judged)
    if soak:
        body, height = _series(soak, top)
        parts.append(body)
        top += height + 16
    machine = results.machine
    where = f"{results.date[:10]}, {machine['processor']}, {machine['cores']} cores, Linux {machine['kernel']}; one core for the proxy"
    head = _text(MARGIN, 36, f"{results.judged} beside other proxies, on the same work", "head text") + _text(
        MARGIN, 58, where, "small faint")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" width="{WIDTH}" height="{top}" role="img" '
        f'aria-label="Benchmarks of {escape(results.judged)} and other proxies">\n<style>{STYLE}</style>\n'
        f'<rect class="page" width="{WIDTH}" height="{top}"/>\n{head}{"".join(parts)}</svg>\n'
    )


def _lines(results: Results) -> list[tuple[Line, str, str]]:
    found = [(results.line(row, metric), title, better) for row, metric, title, better in PANELS]
    return [(line, title, better) for line, title, better in found if line is not None]


def _panel(line: Line, title: str, better: str, results: Results, left: int, top: int) -> tuple[str, int]:
    parts = [_text(left, top, title, "title text"), _text(left + COLUMN, top, better, "small faint", "end")]
    values = {name: line.median(name) for name in results.subjects}
    room = COLUMN - NAME_WIDTH - LABEL_WIDTH
    full = scale([value for value in values.values() if value is not None])
    y = top + 12
    for name, value in values.items():
        middle = y + BAR - 5
        parts.append(_text(left, middle, name, "text" if name == results.judged else "faint"))
        if value is None:
            parts.append(_text(left + NAME_WIDTH, middle, "failed" if name in line.failures else "not measured", "small faint"))
        else:
            length = max(1.0, min(1.0, max(0.0, value) / full) * room)
            kind = "own" if name == results.judged else "other"
            parts.append(f'<rect class="{kind}" x="{left + NAME_WIDTH}" y="{y}" width="{length:.1f}" height="{BAR}" rx="2"/>\n')
            if value > full:
                parts.append(_break(left + NAME_WIDTH + length - 22, y))
            ratio = line.ratio(name, results.judged)
            more = f"  ×{number(ratio)}" if ratio is not None and name != results.judged else ""
            parts.append(_text(left + NAME_WIDTH + length + 6, middle, number(value) + more, "small text"))
        y += STEP
    return "".join(parts), y - top


def scale(values: list[float]) -> float:
    """What a whole bar stands for: the largest number that is no outlier."""
    ordered = sorted((value for value in values if value > 0), reverse=True)
    if not ordered:
        return 1.0
    for large, next_one in zip(ordered, ordered[1:]):
        if large <= OUTLIER * next_one:
            return large
    return ordered[-1]


def _break(x: float, y: int) -> str:
    return f'<path class="break" fill="none" d="M {x:.1f} {y + BAR + 1} l 6 -{BAR + 2}"/>\n'


def _series(points: list[list[float]], top: int) -> tuple[str, int]:
    """The soak's memory over time."""
    height, left, right = 90, MARGIN + NAME_WIDTH, WIDTH - MARGIN
    seconds = max(point[0] for point in points) or 1
    highest = max(point[1] for point in points) * 1.15
    path = " L ".join(
        f"{left + x / seconds * (right - left):.1f} {top + 14 + height - y / highest * height:.1f}" for x, y in _thin(points))
    foot = top + 14 + height
    return (
        _text(MARGIN, top, "Memory during the soak, MB", "title text")
        + f'<path class="axis" d="M {left} {foot} H {right}"/>\n<path class="line" d="M {path}"/>\n'
        + _text(left - 8, foot, "0", "small faint", "end")
        + _text(left - 8, top + 26, number(highest), "small faint", "end")
        + _text(right, foot + 16, f"{seconds:.0f} s" if seconds < 7200 else f"{seconds / 3600:.1f} h", "small faint", "end"),
        height + 34,
    )


def _thin(points: list[list[float]]) -> list[list[float]]:
    step = max(1, len(points) // 240)
    return points[::step]


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(text)}</text>\n'
