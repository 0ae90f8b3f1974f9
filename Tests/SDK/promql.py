"""What queries name: metrics and labels, found by their spelling. Not a parser, but all that our own queries need."""

import re
from dataclasses import dataclass, field

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_SELECTOR = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\s*\{([^{}]*)\}")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^()]*)\)")
_MATCHER = re.compile(r"([a-zA-Z_][a-zA-Z0-9_]*)\s*(?:=~|!~|!=|=)")
_NAME = re.compile(r"\b(?:(?:sluice|gen_ai|process|scrape)_[a-z0-9_]+|sluice:[a-z0-9_:]+|up)\b")
_MADE = re.compile(r'label_replace\(.*?,\s*"([a-z_]+)"\s*,\s*"\$1"')


@dataclass
class Names:
    # Labels that each metric is selected by.
    metrics: dict[str, set[str]] = field(default_factory=dict)
    # Labels that series are put together by.
    groupings: set[str] = field(default_factory=set)
    # Labels that the query makes itself.
    made: set[str] = field(default_factory=set)


def names(expr: str) -> Names:
    found = Names(made=set(_MADE.findall(expr.replace("\n", " "))))
    bare = _STRING.sub('""', expr)
    for metric, matchers in _SELECTOR.findall(bare):
        found.metrics.setdefault(metric, set()).update(_MATCHER.findall(matchers))
    bare = _SELECTOR.sub(lambda match: match.group(1), bare)
    for labels in _GROUPING.findall(bare):
        found.groupings.update(label.strip() for label in labels.split(",") if label.strip())
    for metric in _NAME.findall(_GROUPING.sub("", bare)):
        found.metrics.setdefault(metric, set())
    return found
