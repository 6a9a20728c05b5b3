"""Understanding doesn't get worse unnoticed. The messages are never learned from; a floor is a little under what was
reached, and is raised when more is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from nlu.evaluation_report import page, table
from nlu.measures import Judged, measure

JAVANESE = ("suroboyoan", "krama", "campur")


@pytest.fixture(scope="module")
def measures(judged: Sequence[Judged]) -> dict[str, Any]:
    return measure(judged)


@pytest.mark.parametrize(
    ("name", "floor"),
    [
        ("intent_accuracy", 0.955),
        ("intent_macro_f1", 0.95),
        ("service_top1", 0.945),
        ("service_top3", 0.975),
        ("frame_accuracy", 0.93),
        ("pairs_both_right", 0.80),
        ("emergency_recall", 1.0),
        ("emergency_precision", 0.91),
        ("scope_auroc", 0.98),
        ("entity_f1", 0.95),
    ],
)
def test_at_least(measures: dict[str, Any], name: str, floor: float) -> None:
    assert measures[name] >= floor


@pytest.mark.parametrize(
    ("name", "ceiling"),
    [
        ("false_accept", 0.08),
        ("false_reject", 0.01),
        ("service_invented", 0.02),
        ("intent_confidence_error", 0.04),
        ("service_confidence_error", 0.07),
    ],
)
def test_at_most(measures: dict[str, Any], name: str, ceiling: float) -> None:
    assert measures[name] <= ceiling


def test_javanese(judged: Sequence[Judged]) -> None:
    spoken = [each for each in judged if each.example.variety in JAVANESE]
    assert measure(spoken)["intent_accuracy"] >= 0.965


@pytest.mark.parametrize(
    ("name", "floor"),
    [
        ("intent_accuracy", 0.95),
        ("service_top1", 0.935),
        ("frame_accuracy", 0.915),
        ("pairs_both_right", 0.80),
        ("emergency_recall", 1.0),
        ("entity_f1", 0.95),
    ],
)
def test_another_hand_at_least(judged_another_hand: Sequence[Judged], name: str, floor: float) -> None:
    assert measure(judged_another_hand)[name] >= floor


@pytest.mark.parametrize(("name", "ceiling"), [("false_accept", 0.10), ("false_reject", 0.01)])
def test_another_hand_at_most(judged_another_hand: Sequence[Judged], name: str, ceiling: float) -> None:
    assert measure(judged_another_hand)[name] <= ceiling


def test_the_model_that_serves_stands_beside(measures: dict[str, Any], judged: Sequence[Judged]) -> None:
    live = {**measures, "intent_accuracy": 0.1234, "model": "lama.tar.gz"}
    everything = {**measures, "learned_from": 1, "seconds": 1.0, "live": live}
    shown = f"{measures['intent_accuracy'] * 100:.1f}%"
    row = next(line for line in table(everything).splitlines() if line.startswith("maksud benar"))
    assert row.split()[-2:] == [shown, "12.3%"]
    assert f"<td class='n'>{shown}</td><td class='n'>12.3%</td>" in page(everything, judged)


def test_the_report_holds_all_of_it(measures: dict[str, Any], judged: Sequence[Judged]) -> None:
    everything = {**measures, "learned_from": 1, "seconds": 1.0}
    json.dumps(everything)
    assert "maksud benar" in table(everything)
    drawn = page(everything, judged)
    assert drawn.count("data:image/png;base64,") == 3
    # A message may hold anything, and the page is opened in a browser.
    assert "<script" not in drawn
