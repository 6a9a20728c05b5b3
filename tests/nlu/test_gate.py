from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from nlu.examples import NO_SERVICE, Example
from nlu.gate import Check, Rules, Verdict, weigh
from nlu.measures import Judged

RULES = Rules.read(Path(__file__).parents[2] / "data" / "gerbang.yml")


def judged(intent: str, given: str, variety: str = "baku") -> Judged:
    example = Example("urus kartu keluarga", intent, NO_SERVICE, variety, block="main")
    return Judged(example, given, 0.9, 0.9, [NO_SERVICE], None, [], 0.0)


def answers(wrong: int = 0) -> list[Judged]:
    """Twenty of each of three intents, `wrong` of the first's taken for the second."""
    first = [judged("cek_status", "tanya_biaya" if n < wrong else "cek_status", "krama") for n in range(20)]
    others = [judged(name, name) for name in ("tanya_biaya", "salam", "darurat", "di_luar_topik") for _ in range(20)]
    return [*first, *others]


def failed(verdict: Verdict) -> Sequence[str]:
    return [check.subject for check in verdict.checks if not check.passed]


def test_the_same_answers_pass() -> None:
    verdict = weigh(RULES, [answers(3)], [answers(3)])
    assert (verdict.passed, list(verdict.reasons)) == (True, [])
    assert len(verdict.checks) > 10


def test_better_answers_pass() -> None:
    assert weigh(RULES, [answers()], [answers(10)]).passed


def test_a_loss_within_chance_passes() -> None:
    assert weigh(RULES, [answers(1)], [answers()]).passed


def test_an_intent_that_has_got_worse_is_refused_and_named() -> None:
    verdict = weigh(RULES, [answers(10)], [answers()])
    assert "maksud cek_status, F1" in failed(verdict)
    # Its messages are what one variety holds.
    assert "seluruhnya benar, ragam krama" in failed(verdict)
    assert "maksud salam, F1" not in failed(verdict)
    assert any("maksud cek_status, F1: calon 0.667, model yang hidup 1.000" in reason for reason in verdict.reasons)


def test_a_lost_emergency_is_refused_without_anything_to_compare() -> None:
    lost = [*answers()[:-1], judged("darurat", "salam")]
    assert failed(weigh(RULES, [lost], None)) == ["darurat yang dikenali"]
    assert failed(weigh(RULES, [lost], [lost])) == ["darurat yang dikenali"]
    assert weigh(RULES, [answers()], None).passed


def test_one_message_out_of_scope_more_is_refused() -> None:
    more = [*answers()[:-1], judged("di_luar_topik", "salam")]
    assert failed(weigh(RULES, [more], [answers()])) == ["luar topik yang diterima"]
    assert weigh(replace(RULES, false_accept_rise=0.1), [more], [answers()]).passed


def test_too_few_messages_are_not_judged_by_themselves() -> None:
    few = [judged("pamit", "salam", "gaul") for _ in range(RULES.fewest - 1)]
    right = [replace(each, intent="pamit") for each in few]
    assert "maksud pamit, F1" not in [
        check.subject for check in weigh(RULES, [few, answers()], [right, answers()]).checks
    ]


@pytest.mark.parametrize(
    ("check", "sentence"),
    [
        (Check("a", 3, 0.5, None, None, False), "a: calon 0.500, 3 pesan"),
        (
            Check("a", 3, 0.5, 0.6, (-0.2, -0.1), False),
            "a: calon 0.500, model yang hidup 0.600 (selisih -0.200 sampai -0.100), 3 pesan",
        ),
    ],
)
def test_a_check_is_a_sentence(check: Check, sentence: str) -> None:
    assert check.sentence() == sentence
