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
        ("intent_accuracy", 0.94),
        ("intent_macro_f1", 0.91),
        ("service_top1", 0.93),
        ("service_top3", 0.97),
        ("frame_accuracy", 0.89),
        ("pairs_both_right", 0.70),
        ("emergency_recall", 1.0),
        ("emergency_precision", 0.84),
        ("scope_auroc", 0.97),
        ("entity_f1", 0.95),
    ],
)
def test_at_least(measures: dict[str, Any], name: str, floor: float) -> None:
    assert measures[name] >= floor


@pytest.mark.parametrize(
    ("name", "ceiling"),
    [
        ("false_accept", 0.13),
        ("false_reject", 0.01),
        ("service_invented", 0.045),
        ("intent_confidence_error", 0.04),
        ("service_confidence_error", 0.07),
    ],
)
def test_at_most(measures: dict[str, Any], name: str, ceiling: float) -> None:
    assert measures[name] <= ceiling


def test_javanese(judged: Sequence[Judged]) -> None:
    spoken = [each for each in judged if each.example.variety in JAVANESE]
    assert measure(spoken)["intent_accuracy"] >= 0.945


def test_the_report_holds_all_of_it(measures: dict[str, Any], judged: Sequence[Judged]) -> None:
    everything = {**measures, "learned_from": 1, "seconds": 1.0}
    json.dumps(everything)
    assert "maksud benar" in table(everything)
    drawn = page(everything, judged)
    assert drawn.count("data:image/png;base64,") == 3
    # A message may hold anything, and the page is opened in a browser.
    assert "<script" not in drawn
