from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from nlu.cross_validation import Answer, Folds, answers_kept, parts
from nlu.examples import NO_SERVICE, Example
from nlu.gate import CROSS_VALIDATED, FROZEN, RANDOM, Check, Rules, Verdict, cross_validated, weigh
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
        (Check(FROZEN, "", "", "a", 3, 0.5, None, None, False), "a: calon 0.500, 3 pesan"),
        (
            Check(RANDOM, "", "", "a", 3, 0.5, 0.6, (-0.2, -0.1), False),
            "a (pesan acak): calon 0.500, model yang hidup 0.600 (selisih -0.200 sampai -0.100), 3 pesan",
        ),
    ],
)
def test_a_check_is_a_sentence(check: Check, sentence: str) -> None:
    assert check.sentence() == sentence


def validated(wrong: int = 0, *, of: str = "cek_status", taught: int = 40) -> list[Answer]:
    """What was taught, by number; `wrong` of the first intent's are taken for another."""
    first = [Answer(f"a{n}", of, "salam" if n < wrong else of, n >= wrong) for n in range(taught)]
    return [*first, *(Answer(f"b{n}", "tanya_biaya", "tanya_biaya", True) for n in range(40))]


def test_cross_validation_compares_what_both_were_taught() -> None:
    new_service = [Answer(f"c{n}", "tanya_syarat", "salam", False) for n in range(40)]
    assert all(check.passed for check in cross_validated(RULES, [*validated(2), *new_service], validated(3)))
    worse = [check for check in cross_validated(RULES, validated(20), validated(3)) if not check.passed]
    assert "maksud cek_status, F1" in [check.subject for check in worse]
    assert {check.measured_by for check in worse} == {CROSS_VALIDATED}


def test_wrong_labels_show_in_cross_validation() -> None:
    """Each by its own labels: the live model was taught them right, the candidate at random."""
    others = ("salam", "pamit", "darurat", "tanya_biaya")
    shuffled = [replace(each, intent=others[n % 4]) if each.intent == "cek_status" else each
                for n, each in enumerate(validated(3))]  # fmt: skip
    candidate = [replace(each, is_right=each.intent == each.given) for each in shuffled]
    assert not all(check.passed for check in cross_validated(RULES, candidate, validated(3)))


def test_without_the_live_model_s_answers_nothing_is_refused() -> None:
    (check,) = cross_validated(RULES, validated(20), [])
    assert (check.passed, check.live, check.candidate) == (True, None, 0.75)


def test_a_message_is_always_in_the_same_part() -> None:
    taught = [Example(f"pesan ke {n}", "salam", NO_SERVICE, block="/a/nlu/x.yml:0") for n in range(60)]
    moved = [replace(each, block="/b/nlu/x.yml:0") for each in taught]
    others = [replace(each, block="/b/nlu/a.yml:3") for each in taught]
    placed = list(parts(taught, 3))
    assert set(placed) == {0, 1, 2}
    assert list(parts([*others, *moved], 3))[60:] == placed
    # An author's paraphrases of one thing stay together.
    assert all(len(set(placed[n : n + 5])) == 1 for n in range(0, 60, 5))


def test_answers_of_other_parts_are_not_compared(tmp_path: Path) -> None:
    archive = tmp_path / "a.tar.gz"
    kept = {"folds": {"parts": 3, "asked": 1}, "answers": [asdict(each) for each in validated(1)]}
    (tmp_path / "a.silang.json").write_text(json.dumps(kept))
    assert answers_kept(archive, Folds(3, 1)) == validated(1)
    assert answers_kept(archive, Folds(3, 2)) is None
    assert answers_kept(tmp_path / "b.tar.gz", Folds(3, 1)) is None
