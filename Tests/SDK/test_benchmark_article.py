"""What Benchmarks/run makes of a run's numbers: ratios, verdicts, tables and the picture."""

import json
import sys
import xml.etree.ElementTree
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Benchmarks/Publish"))

import article  # noqa: E402
import picture  # noqa: E402
import results  # noqa: E402
import words  # noqa: E402


def a_row(values, **changes):
    row = {
        "row": "chat", "metric": "chat", "unit": "CPU µs", "detail": False, "over_direct": False,
        "bar": {"ratio_at_most": 1.3}, "verdict": "pass",
        "subjects": {name: {"median": None, "ratio": None, "values": numbers} for name, numbers in values.items()},
        "failures": {},
    }
    return row | changes


def a_run(*rows, **changes):
    run = {
        "format": 2, "date": "2026-11-21T20:00:00Z", "judged": "sluice", "absent": ["envoy"],
        "machine": {"processor": "A", "cores": 2, "memory_bytes": 2**34, "kernel": "6.1", "load_average": "0.1 0.1 0.1"},
        "settings": {"runs": 3, "warm_up_ms": 800, "window_ms": 2000, "rate_per_second": 1000, "soak_s": 60},
        "versions": {"sluice": "sluice 0.1.0", "nginx": "nginx 1.22", "litellm": "LiteLLM 1"},
        "rows": list(rows), "notes": [], "points": [],
    }
    return results.read(json.dumps(run | changes))


def test_a_ratio_is_taken_within_each_round():
    line = a_run(a_row({"sluice": [10, 20, 30], "nginx": [12, 24, 36]})).lines[0]
    assert line.ratio("nginx", "sluice") == pytest.approx(1.2)
    assert line.median("sluice") == 20


def test_a_peer_of_the_first_round_is_compared_with_that_round():
    line = a_run(a_row({"sluice": [10, 40, 40], "litellm": [5000]})).lines[0]
    assert line.ratio("litellm", "sluice") == 500


def test_rounds_that_failed_count_for_nothing():
    line = a_run(a_row({"sluice": [10, None, 20], "nginx": [None, 30, 30]})).lines[0]
    assert line.median("sluice") == 15
    assert line.ratio("nginx", "sluice") == 1.5


@pytest.mark.parametrize(
    "values, noisy", [([100, 101, 99], False), ([100, 129, 100], False), ([100, 140, 100], True), ([100], False), ([0, 0], False)])
def test_rounds_far_apart_are_noisy(values, noisy):
    assert a_run(a_row({"sluice": values})).lines[0].is_noisy("sluice") is noisy


def test_what_is_added_has_no_ratio():
    line = a_run(a_row({"sluice": [0.1], "nginx": [0.2]}, over_direct=True)).lines[0]
    assert line.ratio("nginx", "sluice") is None


def test_another_format_is_refused():
    with pytest.raises(ValueError):
        results.read(json.dumps({"format": 1}))


@pytest.mark.parametrize("value, text", [(None, ""), (0.004, "0.00"), (12.34, "12.3"), (1234.5, "1234"), (36617.3, "36,617")])
def test_numbers_have_the_digits_that_mean_something(value, text):
    assert results.number(value) == text


def test_the_tables_name_bars_verdicts_ratios_and_who_is_absent():
    run = a_run(
        a_row({"sluice": [20, 20], "nginx": [24, 24], "litellm": [7000]}),
        a_row({"sluice": [90]}, row="own", metric="only here", bar={"at_least": 100}, verdict="fail", detail=True),
        a_row({"sluice": [1, 2]}, row="soak", metric="slope", bar={"certainly_at_most": 0.5}, verdict="open"),
        notes=[{"row": "soak", "subject": "sluice", "text": "too short"}],
    )
    text = article.generated(run)
    assert "| chat | CPU µs | 20.0 | ≤ 1.3 × nginx | pass | ± 0 % |" in text
    assert "| … only here | CPU µs | 90.0 | ≥ 100 | **fail** | one round |" in text
    assert "| surely ≤ 0.5 | open | ± 33 %, noisy |" in text
    assert "| chat | CPU µs | 20.0 | 24.0 (1.20) | absent | 7000 (350) |  |" in text
    assert text.count("only here") == 1
    assert "1 bars reached, 1 missed, 1 open" in text
    assert "- envoy: absent" in text
    assert "- soak, sluice: too short" in text


def test_every_language_says_the_same():
    run = a_run(a_row({"sluice": [20, 20], "nginx": [24, 24]}))
    assert words.CHINESE.keys() == words.ENGLISH.keys()
    english, chinese = article.generated(run), article.generated(run, words.CHINESE)
    assert "| chat | CPU µs | 20.0 | ≤ 1.3 × nginx | 达标 | ± 0 % |" in chinese
    assert chinese.count("\n|") == english.count("\n|")


def test_what_failed_is_said():
    text = article.generated(a_run(a_row({"sluice": [None]}, verdict="fail", failures={"sluice": "status 500"})))
    assert "| failed |" in text
    assert "- chat, sluice, failed: status 500" in text


def test_an_article_without_marks_is_left_alone():
    run = a_run(a_row({"sluice": [20]}))
    with pytest.raises(ValueError):
        article.insert("# Benchmarks\n", run)
    whole = article.insert(f"before\n{article.BEGIN}\nold\n{article.END}\nafter\n", run)
    assert whole.startswith("before\n") and whole.endswith("\nafter\n") and "old" not in whole
    assert article.insert(whole, run) == whole


def test_the_picture_is_xml_and_has_a_bar_for_each_number():
    run = a_run(
        a_row({"sluice": [20], "nginx": [24], "litellm": [7000]}),
        points=[{"row": "soak", "subject": "sluice", "points": [[second, 12.5] for second in range(900)]}])
    root = xml.etree.ElementTree.fromstring(picture.draw(run))
    name = "{http://www.w3.org/2000/svg}"
    bars = [bar for bar in root.iter(f"{name}rect") if bar.get("class") in ("own", "other")]
    assert len(bars) == 3
    widths = [float(bar.get("width")) for bar in bars]
    assert widths[0] < widths[1] <= widths[2] < picture.COLUMN
    assert "7000  ×350" in [text.text for text in root.iter(f"{name}text")]


def test_one_long_bar_does_not_hide_the_others():
    assert picture.scale([20, 24, 63, 7000]) == 63
    assert picture.scale([20, 60]) == 60
    assert picture.scale([5]) == 5
    assert picture.scale([0, -1]) == 1


def test_the_published_pages_belong_to_the_published_results():
    published = results.read((ROOT / "Benchmarks/results.json").read_text(encoding="utf-8"))
    pages = ROOT / "Sources/SluiceServer/Documentation.docc"
    for name, language in {"Benchmarks.md": words.ENGLISH, "Benchmarks-zh.md": words.CHINESE}.items():
        text = (pages / name).read_text(encoding="utf-8")
        assert article.insert(text, published, language) == text, name
    assert (pages / "benchmarks.svg").read_text(encoding="utf-8") == picture.draw(published)
