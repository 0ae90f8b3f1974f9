"""The words that a Grafana dashboard is written in: rows, panels and queries, laid out from left to right.

What the dashboard says is in generate.py; how Grafana wants to be told is here, once.
"""

from dataclasses import dataclass, field

COLUMNS = 24
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
# Grafana 10: releases migrate upwards only, so the oldest one that is supported decides.
SCHEMA_VERSION = 38

GREEN, YELLOW, ORANGE, RED = "green", "yellow", "orange", "red"


@dataclass(frozen=True)
class Query:
    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    title: str
    # What it shows, and what to make of it.
    description: str
    kind: str
    queries: tuple[Query, ...]
    unit: str = "short"
    width: int = 8
    height: int = 8
    # From which value on it has which colour; the first has no value.
    thresholds: tuple[tuple[float | None, str], ...] = ((None, GREEN),)
    # What a value is called: text and colour.
    names: dict[int, tuple[str, str]] = field(default_factory=dict)
    decimals: int | None = None
    minimum: float | None = 0
    maximum: float | None = None
    stacked: bool = False
    # Of tables: what a column is called, by the letter of its query or the name of its label.
    columns: dict[str, str] = field(default_factory=dict)
    # Of tables: units by the name of the column.
    units: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    title: str
    panels: tuple[Panel, ...]
    collapsed: bool = False


def graph(title, unit, description, *queries, width=8, **more) -> Panel:
    return Panel(title, description, "timeseries", queries, unit, width, **more)


def stat(title, unit, description, query, thresholds=((None, GREEN),), **more) -> Panel:
    return Panel(title, description, "stat", (query,), unit, **{"width": 4, "height": 4, "thresholds": thresholds, **more})


def bars(title, unit, description, query, thresholds=((None, GREEN),), **more) -> Panel:
    return Panel(title, description, "bargauge", (query,), unit, thresholds=thresholds, **more)


def states(title, description, query, names, **more) -> Panel:
    return Panel(title, description, "state-timeline", (query,), "none", names=names, **more)


def table(title, description, queries, columns, units, **more) -> Panel:
    return Panel(title, description, "table", tuple(queries), "none", columns=columns, units=units, **more)


# Rendering


def dashboard(title: str, uid: str, description: str, tags: list[str], variables: list[dict], rows: list[Row]) -> dict:
    panels, top, number = [], 0, 0
    for row in rows:
        number += 1
        header = {
            "type": "row", "id": number, "title": row.title, "collapsed": row.collapsed, "panels": [],
            "gridPos": {"x": 0, "y": top, "w": COLUMNS, "h": 1},
        }
        panels.append(header)
        inside, top = _place(row.panels, top + 1)
        rendered = []
        for panel, place in inside:
            number += 1
            rendered.append(_panel(panel, number, place))
        # What is folded away is inside its row.
        (header["panels"] if row.collapsed else panels).extend(rendered)
        if row.collapsed:
            top = header["gridPos"]["y"] + 1
    return {
        "uid": uid, "title": title, "description": description, "tags": tags,
        "schemaVersion": SCHEMA_VERSION, "version": 1, "id": None, "editable": True, "graphTooltip": 1, "fiscalYearStartMonth": 0,
        "liveNow": False, "weekStart": "", "timezone": "", "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"}, "timepicker": {}, "links": [],
        "annotations": {"list": []}, "templating": {"list": variables}, "panels": panels,
    }


def datasource_variable() -> dict:
    return {
        "name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "regex": "",
        "current": {}, "options": [], "multi": False, "includeAll": False, "hide": 0, "refresh": 1, "skipUrlSync": False,
    }


def variable(name: str, label: str, query: str) -> dict:
    """A choice of the values of a label. All of them is `.*`, which is also right where there is no such label."""
    return {
        "name": name, "label": label, "type": "query", "datasource": DATASOURCE, "definition": query,
        "query": {"query": query, "refId": name, "qryType": 1}, "regex": "", "sort": 1, "refresh": 2,
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]}, "options": [],
        "multi": True, "includeAll": True, "allValue": ".*", "hide": 0, "skipUrlSync": False,
    }


def _place(panels: tuple[Panel, ...], top: int):
    """Panels one beside the other as long as they fit, and where the next row begins."""
    placed, left, height = [], 0, 0
    for panel in panels:
        if left + panel.width > COLUMNS:
            left, top, height = 0, top + height, 0
        placed.append((panel, {"x": left, "y": top, "w": panel.width, "h": panel.height}))
        left += panel.width
        height = max(height, panel.height)
    return placed, top + height


def _panel(panel: Panel, number: int, place: dict) -> dict:
    is_table = panel.kind == "table"
    rendered = {
        "type": panel.kind, "id": number, "title": panel.title, "description": panel.description, "gridPos": place,
        "datasource": DATASOURCE, "targets": [_target(panel, index) for index in range(len(panel.queries))],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": _overrides(panel)}, "options": _options(panel),
    }
    if is_table:
        rendered["transformations"] = _transformations(panel)
    return rendered


def _target(panel: Panel, index: int) -> dict:
    query = panel.queries[index]
    is_now = panel.kind in ("stat", "table", "bargauge")
    return {
        "refId": chr(ord("A") + index), "datasource": DATASOURCE, "editorMode": "code", "expr": query.expr,
        "legendFormat": query.legend or "__auto", "instant": is_now, "range": not is_now,
        "format": "table" if panel.kind == "table" else "time_series",
    }


def _defaults(panel: Panel) -> dict:
    steps = [{"color": colour, "value": value} for value, colour in panel.thresholds]
    defaults: dict = {
        "unit": panel.unit, "thresholds": {"mode": "absolute", "steps": steps}, "mappings": _mappings(panel), "noValue": "–",
        "color": {"mode": "palette-classic" if panel.kind == "timeseries" else "thresholds"},
    }
    if panel.decimals is not None:
        defaults["decimals"] = panel.decimals
    if panel.kind in ("timeseries", "bargauge") and panel.minimum is not None:
        defaults["min"] = panel.minimum
    if panel.maximum is not None:
        defaults["max"] = panel.maximum
    if panel.kind == "timeseries":
        defaults["custom"] = {
            "drawStyle": "line", "lineWidth": 1, "fillOpacity": 25 if panel.stacked else 8, "showPoints": "never",
            "spanNulls": False, "axisPlacement": "auto", "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
        }
    if panel.kind == "state-timeline":
        defaults["custom"] = {"lineWidth": 0, "fillOpacity": 80, "spanNulls": False}
    if panel.kind == "table":
        defaults["custom"] = {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False}
    return defaults


def _mappings(panel: Panel) -> list:
    if not panel.names:
        return []
    options = {
        str(value): {"text": text, "color": colour, "index": index}
        for index, (value, (text, colour)) in enumerate(panel.names.items())
    }
    return [{"type": "value", "options": options}]


def _overrides(panel: Panel) -> list:
    return [
        {"matcher": {"id": "byName", "options": column}, "properties": [{"id": "unit", "value": unit}]}
        for column, unit in panel.units.items()
    ]


def _options(panel: Panel) -> dict:
    last = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    match panel.kind:
        case "timeseries":
            return {
                "legend": {"displayMode": "table", "placement": "bottom", "showLegend": True, "calcs": ["lastNotNull", "max"]},
                "tooltip": {"mode": "multi", "sort": "desc"},
            }
        case "stat":
            return {
                "reduceOptions": last, "colorMode": "value", "graphMode": "none", "justifyMode": "auto",
                "orientation": "auto", "textMode": "value",
            }
        case "bargauge":
            return {
                "reduceOptions": last, "displayMode": "basic", "orientation": "horizontal", "showUnfilled": True,
                "valueMode": "color", "minVizHeight": 16, "minVizWidth": 8,
            }
        case "state-timeline":
            return {
                "mergeValues": True, "showValue": "never", "alignValue": "left", "rowHeight": 0.8,
                "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
                "tooltip": {"mode": "single", "sort": "none"},
            }
        case "table":
            return {"showHeader": True, "cellHeight": "sm", "footer": {"show": False, "reducer": ["sum"], "countRows": False, "fields": ""}}
        case kind:
            raise ValueError(f"no options are known for panels of kind {kind}")


def _transformations(panel: Panel) -> list:
    """One line for each combination of labels, with a column for each query, under names for people."""
    values = {letter: f"Value #{letter}" if len(panel.queries) > 1 else "Value" for letter in panel.columns if len(letter) == 1}
    names = {values.get(key, key): name for key, name in panel.columns.items()}
    order = {key: index for index, key in enumerate(names)}
    return [
        {"id": "merge", "options": {}},
        {"id": "organize", "options": {"excludeByName": {"Time": True}, "indexByName": order, "renameByName": names}},
    ]
