"""May a candidate go live? `nlu/.venv/bin/python -m nlu.gate CANDIDATE [--live ARCHIVE] --test FILE.jsonl …`.

Candidate and live model answer the same messages, the frozen ones and those drawn at random from citizens; with `--data`,
what each was taught is asked of models that haven't learned it as well (nlu/cross_validation.py). The rules of
`data/gerbang.yml` say what may not get worse. Prints the verdict, writes all figures to `--report`, ends with 0 (it may)
or 3 (it may not).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np
import yaml

from nlu.cross_validation import Answer, Folds, answers_kept, ask_and_keep, shared
from nlu.evaluation import Models, judge
from nlu.examples import read_examples, read_messages
from nlu.measures import EMERGENCY, OUT_OF_SCOPE, REJECTIONS, Judged, frame_check, slices_of
from nlu.model_archive import read_models
from nlu.resampling import Resampling

__all__ = ["CROSS_VALIDATED", "FROZEN", "RANDOM", "REFUSED", "Check", "Rules", "Verdict", "main", "weigh"]

REFUSED = 3
"""Exit code."""
FROZEN, RANDOM, CROSS_VALIDATED = "beku", "acak", "silang"
_NAMES = {RANDOM: "pesan acak", CROSS_VALIDATED: "validasi silang"}
_RANDOM_FILE = "acak.jsonl"
_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Rules:
    emergency_recall: float
    """At least, from 0 to 1."""
    false_accept_rise: float
    """At most, against the live model."""
    confidence: float
    resamples: int
    fewest: int
    """Messages that an intent or a slice needs to be judged by itself."""
    folds: Folds

    @classmethod
    def read(cls, file: Path) -> Rules:
        written = yaml.safe_load(file.read_text("utf-8"))
        return cls(
            float(written["darurat_dikenali"]),
            float(written["luar_topik_diterima_naik"]),
            float(written["keyakinan"]),
            int(written["ulangan"]),
            int(written["paling_sedikit"]),
            Folds(int(written["validasi_silang"]["lipatan"]), int(written["validasi_silang"]["ditanya"])),
        )


@dataclass(frozen=True)
class Check:
    measured_by: str
    """One of FROZEN, RANDOM and CROSS_VALIDATED."""
    kind: str
    """What the messages have in common, `maksud` or one of `slices_of`; "" where it is of all."""
    name: str
    subject: str
    """All of it, in Indonesian."""
    examples: int
    candidate: float
    live: Optional[float]
    difference: Optional[tuple[float, float]]
    """What candidate minus live may be beyond chance, low and high; None where chance plays no part."""
    passed: bool

    def sentence(self) -> str:
        against = "" if self.live is None else f", model yang hidup {self.live:.3f}"
        noise = (
            "" if self.difference is None else f" (selisih {self.difference[0]:+.3f} sampai {self.difference[1]:+.3f})"
        )
        among = "" if self.measured_by == FROZEN else f" ({_NAMES[self.measured_by]})"
        return f"{self.subject}{among}: calon {self.candidate:.3f}{against}{noise}, {self.examples} pesan"


@dataclass(frozen=True)
class Verdict:
    checks: Sequence[Check]

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)

    @property
    def reasons(self) -> Sequence[str]:
        """Why not, in Indonesian."""
        return [check.sentence() for check in self.checks if not check.passed]


def main() -> None:
    parser = argparse.ArgumentParser(prog="nlu.gate", description=__doc__)
    parser.add_argument("candidate", type=Path)
    parser.add_argument("--live", type=Path, help="without it only what holds for any model is asked")
    parser.add_argument("--test", type=Path, nargs="+", required=True)
    parser.add_argument("--rules", type=Path, default=_ROOT / "data" / "gerbang.yml")
    parser.add_argument("--report", type=Path, default=_ROOT / "reports" / "gate.json")
    parser.add_argument("--data", type=Path, nargs="+", metavar="FOLDER", help="what the candidate was taught")
    arguments = parser.parse_args()
    rules = Rules.read(arguments.rules)
    checks = [
        check
        for measured_by, files in _sets(arguments.test)
        for check in weigh(
            rules,
            _ask(arguments.candidate, files),
            None if arguments.live is None else _ask(arguments.live, files),
            measured_by,
        ).checks
    ]
    if arguments.data is not None and rules.folds.asked:
        taught = [example for folder in arguments.data for example in read_examples(folder)]
        candidate = ask_and_keep(arguments.candidate, taught, rules.folds)
        live = None if arguments.live is None else answers_kept(arguments.live, rules.folds)
        checks += cross_validated(rules, candidate, live or [])
    verdict = Verdict(checks)
    report: dict[str, Any] = {
        "candidate": arguments.candidate.name,
        "live": None if arguments.live is None else arguments.live.name,
        "rules": asdict(rules),
        "passed": verdict.passed,
        "reasons": verdict.reasons,
        "checks": [asdict(check) for check in verdict.checks],
    }
    arguments.report.parent.mkdir(parents=True, exist_ok=True)
    arguments.report.write_text(json.dumps(report, ensure_ascii=False, indent=1), "utf-8")
    for check in verdict.checks:
        sys.stdout.write(f"{'baik ' if check.passed else 'TOLAK'}  {check.sentence()}\n")
    sys.stdout.write(f"{'boleh hidup' if verdict.passed else 'tidak boleh hidup'}: {arguments.candidate.name}\n")
    sys.exit(0 if verdict.passed else REFUSED)


def weigh(
    rules: Rules,
    candidate: Sequence[Sequence[Judged]],
    live: Optional[Sequence[Sequence[Judged]]],
    measured_by: str = FROZEN,
) -> Verdict:
    """Both hold the answers to the same messages, set by set. Without `live` only what holds for any model is asked."""
    asked = [each for judged in candidate for each in judged]
    checks = list(_emergencies(rules, asked, measured_by))
    if live is not None and asked:
        compared = [each for judged in live for each in judged]
        checks += _out_of_scope(rules, asked, compared, measured_by)
        comparison = _Comparison(rules, len(asked), measured_by)
        labels = np.array([str(each.example.intent) for each in asked])
        given = [np.array([each.intent for each in judged]) for judged in (asked, compared)]
        checks += comparison.intents((labels, labels), (given[0], given[1]))
        kinds = [slices_of(each) for each in asked]
        checks += comparison.frames(kinds, _frames_right(candidate), _frames_right(live))
    return Verdict(checks)


def cross_validated(rules: Rules, candidate: Sequence[Answer], live: Sequence[Answer]) -> Iterator[Check]:
    """Of what both were taught, each by the label it was taught with; of what only the candidate was, nothing is compared."""
    pairs = shared(candidate, live)
    if not pairs:
        share = sum(each.is_right for each in candidate) / max(len(candidate), 1)
        yield Check(CROSS_VALIDATED, "", "", "seluruhnya benar", len(candidate), share, None, None, True)
        return
    comparison = _Comparison(rules, len(pairs), CROSS_VALIDATED)
    both = list(zip(*pairs, strict=True))
    labels = [np.array([each.intent for each in one]) for one in both]
    given = [np.array([each.given for each in one]) for one in both]
    yield from comparison.intents((labels[0], labels[1]), (given[0], given[1]))
    candidate_right, live_right = (np.array([each.is_right for each in one]) for one in both)
    yield from comparison.frames([[]] * len(pairs), candidate_right, live_right)


def _sets(files: Sequence[Path]) -> Iterator[tuple[str, Sequence[Path]]]:
    frozen = [file for file in files if file.name != _RANDOM_FILE]
    random = [file for file in files if file.name == _RANDOM_FILE]
    yield FROZEN, frozen
    if random:
        yield RANDOM, random


def _ask(archive: Path, files: Sequence[Path]) -> Sequence[Sequence[Judged]]:
    models = Models(*read_models(archive))
    return [list(judge(models, read_messages(file))) for file in files]


def _emergencies(rules: Rules, candidate: Sequence[Judged], measured_by: str) -> Iterator[Check]:
    given = [each.intent == EMERGENCY for each in candidate if each.example.intent == EMERGENCY]
    if given:
        recall = sum(given) / len(given)
        passed = recall >= rules.emergency_recall
        yield Check(measured_by, "", "", "darurat yang dikenali", len(given), recall, None, None, passed)


def _out_of_scope(
    rules: Rules, candidate: Sequence[Judged], live: Sequence[Judged], measured_by: str
) -> Iterator[Check]:
    shares = []
    for judged in (candidate, live):
        given = [each.intent not in REJECTIONS for each in judged if each.example.intent == OUT_OF_SCOPE]
        if not given:
            return
        shares.append(sum(given) / len(given))
    passed = shares[0] - shares[1] <= rules.false_accept_rise + 1e-9
    yield Check(measured_by, "", "", "luar topik yang diterima", len(given), shares[0], shares[1], None, passed)


_Pair = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]
"""The candidate's and the live model's."""


class _Comparison:
    """Of both on the same messages: worse is what is so in nearly all draws of them."""

    def __init__(self, rules: Rules, messages: int, measured_by: str) -> None:
        self._rules = rules
        self._measured_by = measured_by
        self._resampling = Resampling(messages, rules.resamples, rules.confidence)
        self._all = np.ones(messages, bool)

    def intents(self, labels: _Pair, given: _Pair) -> Iterator[Check]:
        """`labels`: as each was taught; the same where it was taught none of them."""
        share, f1 = self._resampling.share, self._resampling.f1
        whole = [share(answers == asked, self._all) for asked, answers in zip(labels, given, strict=True)]
        yield self._not_worse("", "", "maksud yang benar", len(self._all), whole)
        for intent in sorted(set(labels[0])):
            examples = int((labels[0] == intent).sum())
            if examples >= self._rules.fewest:
                scores = [f1(asked == intent, answers == intent) for asked, answers in zip(labels, given, strict=True)]
                yield self._not_worse("maksud", intent, f"maksud {intent}, F1", examples, scores)

    def frames(self, kinds: Sequence[Sequence[tuple[str, str]]], *right: np.ndarray[Any, Any]) -> Iterator[Check]:
        """`kinds`: what each message belongs to; `right`: the candidate's, the live model's."""
        slices = [("", "", self._all)] + [
            (kind, name, np.array([(kind, name) in each for each in kinds]))
            for kind, name in sorted({kind for each in kinds for kind in each})
        ]
        for kind, name, within in slices:
            examples = int(within.sum())
            if examples >= self._rules.fewest or not kind:
                subject = f"seluruhnya benar, {kind} {name}" if kind else "seluruhnya benar"
                shares = [self._resampling.share(each, within) for each in right]
                yield self._not_worse(kind, name, subject, examples, shares)

    def _not_worse(
        self, kind: str, name: str, subject: str, examples: int, measures: Sequence[np.ndarray[Any, Any]]
    ) -> Check:
        candidate, live = measures
        low, high = self._resampling.interval(candidate - live)
        return Check(
            self._measured_by,
            kind,
            name,
            subject,
            examples,
            float(candidate[0]),
            float(live[0]),
            (low, high),
            high >= 0,
        )


def _frames_right(judged: Sequence[Sequence[Judged]]) -> np.ndarray[Any, Any]:
    return np.array([right(each) for one in judged for right in [frame_check(one)] for each in one])


if __name__ == "__main__":
    main()
