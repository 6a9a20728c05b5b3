"""May a candidate go live? `nlu/.venv/bin/python -m nlu.gate CANDIDATE [--live ARCHIVE] --test FILE.jsonl …`.

Candidate and live model answer the same messages; the rules of `data/gerbang.yml` say what may not get worse. Prints the
verdict, writes all figures to `--report`, ends with 0 (it may) or 3 (it may not).
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

from nlu.evaluation import Models, judge
from nlu.examples import read_messages
from nlu.measures import EMERGENCY, OUT_OF_SCOPE, REJECTIONS, Judged, frame_check, slices_of
from nlu.model_archive import read_models
from nlu.resampling import Resampling

__all__ = ["REFUSED", "Check", "Rules", "Verdict", "main", "weigh"]

REFUSED = 3
"""Exit code."""
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

    @classmethod
    def read(cls, file: Path) -> Rules:
        written = yaml.safe_load(file.read_text("utf-8"))
        return cls(
            float(written["darurat_dikenali"]),
            float(written["luar_topik_diterima_naik"]),
            float(written["keyakinan"]),
            int(written["ulangan"]),
            int(written["paling_sedikit"]),
        )


@dataclass(frozen=True)
class Check:
    subject: str
    """In Indonesian."""
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
        return f"{self.subject}: calon {self.candidate:.3f}{against}{noise}, {self.examples} pesan"


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
    arguments = parser.parse_args()
    rules = Rules.read(arguments.rules)
    candidate = _ask(arguments.candidate, arguments.test)
    live = None if arguments.live is None else _ask(arguments.live, arguments.test)
    verdict = weigh(rules, candidate, live)
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


def weigh(rules: Rules, candidate: Sequence[Sequence[Judged]], live: Optional[Sequence[Sequence[Judged]]]) -> Verdict:
    """Both hold the answers to the same messages, set by set. Without `live` only what holds for any model is asked."""
    asked = [each for judged in candidate for each in judged]
    checks = list(_emergencies(rules, asked))
    if live is not None:
        compared = [each for judged in live for each in judged]
        checks += _out_of_scope(rules, asked, compared)
        resampling = Resampling(len(asked), rules.resamples, rules.confidence)
        checks += _intents(rules, asked, compared, resampling)
        checks += _frames(rules, asked, _frames_right(candidate), _frames_right(live), resampling)
    return Verdict(checks)


def _ask(archive: Path, files: Sequence[Path]) -> Sequence[Sequence[Judged]]:
    models = Models(*read_models(archive))
    return [list(judge(models, read_messages(file))) for file in files]


def _emergencies(rules: Rules, candidate: Sequence[Judged]) -> Iterator[Check]:
    given = [each.intent == EMERGENCY for each in candidate if each.example.intent == EMERGENCY]
    if given:
        recall = sum(given) / len(given)
        passed = recall >= rules.emergency_recall
        yield Check("darurat yang dikenali", len(given), recall, None, None, passed)


def _out_of_scope(rules: Rules, candidate: Sequence[Judged], live: Sequence[Judged]) -> Iterator[Check]:
    shares = []
    for judged in (candidate, live):
        given = [each.intent not in REJECTIONS for each in judged if each.example.intent == OUT_OF_SCOPE]
        if not given:
            return
        shares.append(sum(given) / len(given))
    passed = shares[0] - shares[1] <= rules.false_accept_rise + 1e-9
    yield Check("luar topik yang diterima", len(given), shares[0], shares[1], None, passed)


def _intents(
    rules: Rules, candidate: Sequence[Judged], live: Sequence[Judged], resampling: Resampling
) -> Iterator[Check]:
    asked = np.array([str(each.example.intent) for each in candidate])
    answers = [np.array([each.intent for each in judged]) for judged in (candidate, live)]
    whole = [resampling.share(given == asked, np.ones(len(asked), bool)) for given in answers]
    yield _not_worse("maksud yang benar", len(asked), whole[0], whole[1], resampling)
    for intent in sorted(set(asked)):
        examples = int((asked == intent).sum())
        if examples >= rules.fewest:
            scores = [resampling.f1(asked == intent, given == intent) for given in answers]
            yield _not_worse(f"maksud {intent}, F1", examples, scores[0], scores[1], resampling)


def _frames(
    rules: Rules,
    asked: Sequence[Judged],
    candidate: np.ndarray[Any, Any],
    live: np.ndarray[Any, Any],
    resampling: Resampling,
) -> Iterator[Check]:
    everything = np.ones(len(asked), bool)
    kinds = [set(slices_of(each)) for each in asked]
    slices = [("seluruhnya benar", everything)] + [
        (f"seluruhnya benar, {kind} {name}", np.array([(kind, name) in each for each in kinds]))
        for kind, name in sorted({kind for each in kinds for kind in each})
    ]
    for subject, within in slices:
        examples = int(within.sum())
        if examples >= rules.fewest:
            shares = [resampling.share(right, within) for right in (candidate, live)]
            yield _not_worse(subject, examples, shares[0], shares[1], resampling)


def _frames_right(judged: Sequence[Sequence[Judged]]) -> np.ndarray[Any, Any]:
    return np.array([right(each) for one in judged for right in [frame_check(one)] for each in one])


def _not_worse(
    subject: str,
    examples: int,
    candidate: np.ndarray[Any, Any],
    live: np.ndarray[Any, Any],
    resampling: Resampling,
) -> Check:
    low, high = resampling.interval(candidate - live)
    return Check(subject, examples, float(candidate[0]), float(live[0]), (low, high), high >= 0)


if __name__ == "__main__":
    main()
