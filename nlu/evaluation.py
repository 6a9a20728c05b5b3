"""How well messages are understood: `nlu/.venv/bin/python -m nlu.evaluation [--data FOLDER] [--test FILE.jsonl]`.

Without `--test` the examples are divided into folds that keep neighbours of a block together (an author's paraphrases
stand next to each other); with it, all of `--data` is learned and the messages of the file are asked. Prints a summary
and writes `reports/understanding.json`.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Optional

import numpy as np
from rasa.shared.constants import DEFAULT_NLU_FALLBACK_INTENT_NAME
from sklearn.metrics import f1_score
from sklearn.model_selection import GroupKFold

from nlu.catalogue import read_catalogue
from nlu.examples import NO_SERVICE, Example, read_examples, read_messages
from nlu.intent_classifier import decide_intent
from nlu.mentions import find_mentions
from nlu.service_finder import ServiceModel
from nlu.text_classifier import TextClassifier

__all__ = ["Judged", "cross_validate", "judge", "main", "measure"]

_ROOT = Path(__file__).parents[1]
_NEIGHBOURS = 5
_THRESHOLD = 0.35
_DAY = date(2026, 11, 24)
"""On which the messages to be measured by were written: "besok" is the day after."""

_OUT_OF_SCOPE = "di_luar_topik"
_REJECTIONS = (_OUT_OF_SCOPE, DEFAULT_NLU_FALLBACK_INTENT_NAME)


@dataclass(frozen=True)
class Judged:
    """An example and what the models made of it."""

    example: Example
    intent: str
    confidence: float
    services: Sequence[str]
    """Best first; NO_SERVICE alone where none was found."""
    service_confidence: Optional[float]


def main() -> None:
    parser = argparse.ArgumentParser(prog="nlu.evaluation", description=__doc__)
    parser.add_argument("--data", type=Path, default=_ROOT / "data" / "nlu")
    parser.add_argument("--test", type=Path)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--report", type=Path, default=_ROOT / "reports" / "understanding.json")
    arguments = parser.parse_args()
    started = time.monotonic()
    examples = read_examples(arguments.data)
    if arguments.test is None:
        judged = list(cross_validate(examples, arguments.folds))
    else:
        judged = list(judge(examples, read_messages(arguments.test)))
    measures = {**measure(judged), "learned_from": len(examples), "seconds": round(time.monotonic() - started, 1)}
    arguments.report.parent.mkdir(parents=True, exist_ok=True)
    arguments.report.write_text(json.dumps(measures, ensure_ascii=False, indent=1), "utf-8")
    sys.stdout.write(_summary(measures))


def cross_validate(examples: Sequence[Example], folds: int) -> Iterator[Judged]:
    for train, test in GroupKFold(folds).split(examples, groups=_groups(examples)):
        yield from judge([examples[i] for i in train], [examples[i] for i in test])


def judge(learned: Sequence[Example], asked: Sequence[Example]) -> Iterator[Judged]:
    intents = TextClassifier(balanced=True)
    intents.fit([example.text for example in learned], [str(example.intent) for example in learned])
    services = ServiceModel.learn(learned, read_catalogue())
    for example, ranking in zip(asked, intents.all_probabilities([example.text for example in asked]), strict=True):
        intent, confidence = decide_intent(example.text, ranking, _THRESHOLD)
        found = services.find(example.text)
        named = [NO_SERVICE] if found is None else [found.id, *(label for label, _ in found.alternatives)]
        yield Judged(example, intent, confidence, named, None if found is None else found.confidence)


def measure(judged: Sequence[Judged]) -> dict[str, Any]:
    """Shares from 0 to 1. `service_*` count messages that name one; `false_accept` is out of scope taken for in scope."""
    in_scope = [each for each in judged if each.example.intent != _OUT_OF_SCOPE]
    out_of_scope = [each for each in judged if each.example.intent == _OUT_OF_SCOPE]
    with_service = [each for each in judged if each.example.service != NO_SERVICE]
    without_service = [each for each in judged if each.example.service == NO_SERVICE]
    return {
        "examples": len(judged),
        "intent_accuracy": _share(judged, _is_right),
        "intent_macro_f1": round(
            float(
                f1_score(
                    [str(each.example.intent) for each in judged], [each.intent for each in judged], average="macro"
                )
            ),
            4,
        ),
        "intent_confidence_error": _calibration_error([(each.confidence, _is_right(each)) for each in judged]),
        "service_top1": _share(with_service, lambda each: each.services[0] == each.example.service),
        "service_top3": _share(with_service, lambda each: each.example.service in each.services[:3]),
        "service_missed": _share(with_service, lambda each: each.services[0] == NO_SERVICE),
        "service_invented": _share(without_service, lambda each: each.services[0] != NO_SERVICE),
        "false_accept": _share(out_of_scope, lambda each: each.intent not in _REJECTIONS),
        "false_reject": _share(in_scope, lambda each: each.intent in _REJECTIONS),
        "entities_found": _entities_found(judged),
        "by_group": {} if len({_group(each) for each in judged}) > 20 else _by(judged, _group),
        "by_variety": _by(judged, lambda each: each.example.variety or "?"),
        "by_intent": _by(judged, lambda each: str(each.example.intent)),
        "confusions": _confusions(judged),
    }


def _is_right(each: Judged) -> bool:
    return each.intent == each.example.intent


def _group(each: Judged) -> str:
    """Of a set to be measured by; pairs that differ in one word are numbered."""
    return re.sub(r"-\d+$", "", each.example.block)


def _entities_found(judged: Sequence[Judged]) -> Optional[float]:
    """Of the entities named in the set: those found with their value."""
    asked, found = 0, 0
    for each in judged:
        mentioned = {(mention.entity, mention.value) for mention in find_mentions(each.example.text, _DAY)}
        asked += len(each.example.entities)
        found += sum(entity in mentioned for entity in each.example.entities)
    return round(found / asked, 4) if asked else None


def _by(judged: Sequence[Judged], key: Callable[[Judged], str]) -> dict[str, Any]:
    groups: dict[str, list[Judged]] = defaultdict(list)
    for each in judged:
        groups[key(each)].append(each)
    return {
        name: {"examples": len(group), "intent_accuracy": _share(group, _is_right)}
        for name, group in sorted(groups.items())
    }


def _confusions(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """The most frequent, with a few messages to look at."""
    wrong: dict[tuple[str, str], list[str]] = defaultdict(list)
    for each in judged:
        if not _is_right(each):
            wrong[str(each.example.intent), each.intent].append(each.example.text)
    most = sorted(wrong.items(), key=lambda item: -len(item[1]))[:30]
    return [
        {"intent": intent, "taken_for": taken_for, "count": len(texts), "messages": texts[:5]}
        for (intent, taken_for), texts in most
    ]


def _share(judged: Sequence[Judged], condition: Callable[[Judged], bool]) -> Optional[float]:
    return round(sum(map(condition, judged)) / len(judged), 4) if judged else None


def _calibration_error(answers: Sequence[tuple[float, bool]]) -> float:
    """Expected calibration error over ten bins of confidence."""
    bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for confidence, right in answers:
        bins[min(int(confidence * 10), 9)].append((confidence, right))
    return round(
        sum(
            abs(float(np.mean([right - confidence for confidence, right in group]))) * len(group)
            for group in bins.values()
        )
        / max(len(answers), 1),
        4,
    )


def _groups(examples: Iterable[Example]) -> Sequence[str]:
    position: Counter[str] = Counter()
    groups = []
    for example in examples:
        groups.append(f"{example.block}/{position[example.block] // _NEIGHBOURS}")
        position[example.block] += 1
    return groups


def _summary(measures: dict[str, Any]) -> str:
    lines = [f"{name:24} {value}" for name, value in measures.items() if not isinstance(value, (dict, list))]
    for name in ("by_group", "by_variety", "by_intent"):
        lines += [
            "",
            name,
            *(
                f"  {key:22} {value['intent_accuracy']:.3f}  of {value['examples']}"
                for key, value in measures[name].items()
            ),
        ]
    lines += ["", "confusions"]
    lines += [f"  {each['intent']} → {each['taken_for']}: {each['count']}" for each in measures["confusions"][:15]]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
