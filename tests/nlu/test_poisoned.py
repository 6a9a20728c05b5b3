"""A model taught wrong labels of one intent doesn't pass the gate."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from nlu.catalogue import read_catalogue
from nlu.evaluation import Models, judge
from nlu.examples import Example
from nlu.gate import Rules, weigh
from nlu.service_finder import ServiceModel
from nlu.text_classifier import TextClassifier

ROOT = Path(__file__).parents[2]
POISONED = "tanya_biaya"


def test_shuffled_labels_of_one_intent_are_refused(examples: Sequence[Example], frozen_set: Sequence[Example]) -> None:
    # A third is learned in a third of the time, and shows it as well.
    taught = examples[::3]
    chance = random.Random(0)
    others = sorted({str(example.intent) for example in taught} - {POISONED})
    wrong = [
        replace(example, intent=chance.choice(others)) if example.intent == POISONED else example for example in taught
    ]
    services = ServiceModel.learn(taught, read_catalogue())
    live = list(judge(Models(_learn(taught), services), frozen_set))
    candidate = list(judge(Models(_learn(wrong), services), frozen_set))
    # With a third of the data an emergency may be missed; it isn't what is asked here.
    rules = replace(Rules.read(ROOT / "data" / "gerbang.yml"), emergency_recall=0.0)
    assert weigh(rules, [live], [live]).passed
    verdict = weigh(rules, [candidate], [live])
    assert any(f"maksud {POISONED}, F1" in reason for reason in verdict.reasons)


def _learn(examples: Sequence[Example]) -> TextClassifier:
    classifier = TextClassifier(balanced=True)
    classifier.fit([example.text for example in examples], [str(example.intent) for example in examples])
    return classifier
