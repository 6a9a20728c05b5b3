"""How right the answers of a model were: pure functions of messages with labels and of what was made of them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np
from rasa.shared.constants import DEFAULT_NLU_FALLBACK_INTENT_NAME
from sklearn.metrics import f1_score, roc_auc_score

from nlu.examples import NO_SERVICE, Example

__all__ = ["EMERGENCY", "OUT_OF_SCOPE", "REJECTIONS", "Judged", "frame_check", "measure", "reliability", "slices_of"]

OUT_OF_SCOPE = "di_luar_topik"
REJECTIONS = (OUT_OF_SCOPE, DEFAULT_NLU_FALLBACK_INTENT_NAME)
EMERGENCY = "darurat"
_LENGTHS = ((3, "1-3 kata"), (8, "4-8 kata"), (15, "9-15 kata"), (30, "16-30 kata"))
_LONGER = "31+ kata"
_PAIR = re.compile(r"pair-\d+")
_BINS = 10
_WORST = 40


@dataclass(frozen=True)
class Judged:
    """An example and what the models made of it."""

    example: Example
    intent: str
    confidence: float
    in_scope: float
    """Probability of the likeliest intent that isn't out of scope."""
    services: Sequence[str]
    """Best first; NO_SERVICE alone where none was found."""
    service_confidence: Optional[float]
    entities: Sequence[tuple[str, str]]
    """Entity and value, `layanan` left out."""
    seconds: float


def measure(judged: Sequence[Judged]) -> dict[str, Any]:
    """Shares from 0 to 1, None where nothing was asked.

    `service_*` count messages that name one; `false_accept` is out of scope taken for in scope. A frame is right when
    intent and service are, and the entities too where the set is labelled with any. A pair differs in one word.
    """
    in_scope = [each for each in judged if each.example.intent != OUT_OF_SCOPE]
    out_of_scope = [each for each in judged if each.example.intent == OUT_OF_SCOPE]
    with_service = [each for each in judged if each.example.service != NO_SERVICE]
    without_service = [each for each in judged if each.example.service == NO_SERVICE]
    emergencies = [each for each in judged if each.example.intent == EMERGENCY]
    pairs = _grouped(
        (each for each in judged if _PAIR.fullmatch(each.example.block)),
        lambda each: f"{each.example.author} {each.example.block}",
    )
    frame = frame_check(judged)
    return {
        "examples": len(judged),
        "intent_accuracy": _share(judged, _intent_right),
        "intent_macro_f1": _macro_f1(judged),
        "intent_confidence_error": _calibration_error([(each.confidence, _intent_right(each)) for each in judged]),
        "service_top1": _share(with_service, lambda each: each.services[0] == each.example.service),
        "service_top3": _share(with_service, lambda each: each.example.service in each.services[:3]),
        "service_missed": _share(with_service, lambda each: each.services[0] == NO_SERVICE),
        "service_invented": _share(without_service, lambda each: each.services[0] != NO_SERVICE),
        "service_confidence_error": _calibration_error(
            [(each.service_confidence, _service_right(each)) for each in judged if each.service_confidence is not None]
        ),
        "frame_accuracy": _share(judged, frame),
        "pairs_both_right": _share(list(pairs.values()), lambda pair: all(map(_labels_right, pair))),
        "emergency_recall": _share(emergencies, _intent_right),
        "emergency_precision": _share([each for each in judged if each.intent == EMERGENCY], _intent_right),
        "false_accept": _share(out_of_scope, lambda each: each.intent not in REJECTIONS),
        "false_reject": _share(in_scope, lambda each: each.intent in REJECTIONS),
        "scope_auroc": _scope_auroc(judged),
        **_entities(judged),
        "latency_ms_p50": _milliseconds(judged, 50),
        "latency_ms_p95": _milliseconds(judged, 95),
        "by_group": _few(_by(judged, _group, frame)),
        "by_variety": _by(judged, lambda each: each.example.variety or "?", frame),
        "by_length": _by(judged, _length, frame),
        "by_author": _by((each for each in judged if each.example.author), lambda each: each.example.author, frame),
        "by_channel": _by((each for each in judged if each.example.channel), lambda each: each.example.channel, frame),
        "by_intent": _by(judged, lambda each: str(each.example.intent), frame),
        "confusions": _confusions(judged),
        "matrix": _matrix(judged),
        "worst": _worst(judged),
    }


def reliability(judged: Sequence[Judged]) -> Sequence[tuple[float, float, int]]:
    """Mean confidence, share right and number of messages of every bin of confidence that isn't empty."""
    return [
        (
            float(np.mean([confidence for confidence, _ in group])),
            float(np.mean([right for _, right in group])),
            len(group),
        )
        for _, group in sorted(_bins([(each.confidence, _intent_right(each)) for each in judged]).items())
    ]


def slices_of(each: Judged) -> Sequence[tuple[str, str]]:
    """The kinds of messages it belongs to, each as what it goes by and a name."""
    kinds = (
        ("ragam", each.example.variety),
        ("panjang", _length(each)),
        ("saluran", each.example.channel),
        ("kelompok uji", _group(each)),
    )
    return [(kind, name) for kind, name in kinds if name]


def _intent_right(each: Judged) -> bool:
    return each.intent == each.example.intent


def _service_right(each: Judged) -> bool:
    return each.services[0] == each.example.service


def _labels_right(each: Judged) -> bool:
    return _intent_right(each) and _service_right(each)


def frame_check(judged: Iterable[Judged]) -> Callable[[Judged], bool]:
    """Whether intent and service are right, and the entities too where the set is labelled with any."""
    if not any(each.example.entities for each in judged):
        return _labels_right
    return lambda each: _labels_right(each) and Counter(each.entities) == Counter(each.example.entities)


def _macro_f1(judged: Sequence[Judged]) -> float:
    asked = [str(each.example.intent) for each in judged]
    return round(float(f1_score(asked, [each.intent for each in judged], average="macro")), 4)


def _scope_auroc(judged: Sequence[Judged]) -> Optional[float]:
    """How well the likeliest intent's probability tells what is in scope from what isn't, whatever the threshold."""
    inside = [each.example.intent != OUT_OF_SCOPE for each in judged]
    if len(set(inside)) < 2:
        return None
    return round(float(roc_auc_score(inside, [each.in_scope for each in judged])), 4)


def _entities(judged: Sequence[Judged]) -> dict[str, Any]:
    """Exact values, all occurrences together; `by_entity` apart."""
    asked: Counter[str] = Counter()
    found: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for each in judged:
        wanted, given = Counter(each.example.entities), Counter(each.entities)
        for counter, mentions in ((asked, wanted), (found, given), (right, wanted & given)):
            for (entity, _), times in mentions.items():
                counter[entity] += times
    if not asked:
        return {"entity_precision": None, "entity_recall": None, "entity_f1": None, "by_entity": {}}
    total = _scores(sum(asked.values()), sum(found.values()), sum(right.values()))
    return {
        **{f"entity_{name}": value for name, value in total.items() if name != "examples"},
        "by_entity": {name: _scores(asked[name], found[name], right[name]) for name in sorted(asked | found)},
    }


def _scores(asked: int, found: int, right: int) -> dict[str, Any]:
    return {
        "examples": asked,
        "precision": round(right / found, 4) if found else None,
        "recall": round(right / asked, 4) if asked else None,
        "f1": round(2 * right / (asked + found), 4),
    }


def _milliseconds(judged: Sequence[Judged], percentile: int) -> float:
    return round(float(np.percentile([each.seconds for each in judged], percentile)) * 1000, 2) if judged else 0.0


def _group(each: Judged) -> str:
    """Of a set to be measured by; pairs are numbered."""
    return re.sub(r"-\d+$", "", each.example.block)


def _length(each: Judged) -> str:
    words = len(each.example.text.split())
    return next((name for longest, name in _LENGTHS if words <= longest), _LONGER)


def _by(judged: Iterable[Judged], key: Callable[[Judged], str], frame: Callable[[Judged], bool]) -> dict[str, Any]:
    return {
        name: {
            "examples": len(group),
            "intent_accuracy": _share(group, _intent_right),
            "service_top1": _share([each for each in group if each.example.service != NO_SERVICE], _service_right),
            "frame_accuracy": _share(group, frame),
        }
        for name, group in sorted(_grouped(judged, key).items(), key=lambda item: (_leading_number(item[0]), item[0]))
    }


def _leading_number(name: str) -> int:
    digits = re.match(r"\d+", name)
    return int(digits[0]) if digits else 0


def _few(groups: dict[str, Any]) -> dict[str, Any]:
    """Blocks of training examples are no groups to look at."""
    return groups if len(groups) <= 20 else {}


def _grouped(judged: Iterable[Judged], key: Callable[[Judged], str]) -> Mapping[str, Sequence[Judged]]:
    groups: dict[str, list[Judged]] = defaultdict(list)
    for each in judged:
        groups[key(each)].append(each)
    return groups


def _confusions(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """The most frequent, with a few messages to look at."""
    wrong: dict[tuple[str, str], list[str]] = defaultdict(list)
    for each in judged:
        if not _intent_right(each):
            wrong[str(each.example.intent), each.intent].append(each.example.text)
    most = sorted(wrong.items(), key=lambda item: -len(item[1]))[:30]
    return [
        {"intent": intent, "taken_for": taken_for, "count": len(texts), "messages": texts[:5]}
        for (intent, taken_for), texts in most
    ]


def _matrix(judged: Sequence[Judged]) -> dict[str, Any]:
    """`counts[i][j]`: messages of `intents[i]` taken for `intents[j]`."""
    intents = sorted({str(each.example.intent) for each in judged} | {each.intent for each in judged})
    counts = Counter((str(each.example.intent), each.intent) for each in judged)
    return {"intents": intents, "counts": [[counts[asked, given] for given in intents] for asked in intents]}


def _worst(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """Wrong intent or service, the surest first."""
    wrong = sorted((each for each in judged if not _labels_right(each)), key=lambda each: -each.confidence)
    return [
        {
            "text": each.example.text,
            "intent": each.example.intent,
            "taken_for": each.intent,
            "confidence": round(each.confidence, 3),
            "service": each.example.service,
            "service_taken_for": each.services[0],
        }
        for each in wrong[:_WORST]
    ]


def _share(judged: Sequence[Any], condition: Callable[[Any], bool]) -> Optional[float]:
    return round(sum(map(condition, judged)) / len(judged), 4) if judged else None


def _calibration_error(answers: Sequence[tuple[float, bool]]) -> float:
    """Expected calibration error over ten bins of confidence."""
    gaps = (
        abs(float(np.mean([right - confidence for confidence, right in group]))) * len(group)
        for group in _bins(answers).values()
    )
    return round(sum(gaps) / max(len(answers), 1), 4)


def _bins(answers: Sequence[tuple[float, bool]]) -> Mapping[int, Sequence[tuple[float, bool]]]:
    bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for confidence, right in answers:
        bins[min(int(confidence * _BINS), _BINS - 1)].append((confidence, right))
    return bins
