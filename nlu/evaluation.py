"""How well messages are understood: `nlu/.venv/bin/python -m nlu.evaluation [--data FOLDER …] [--test FILE.jsonl …]`.

Without `--test` the examples are divided into folds that keep neighbours of a block together (an author's paraphrases
stand next to each other), or by who wrote them (`--by-author`); with it, all of `--data` is learned and the messages of
the files are asked, of a model that serves already as well (`--live ARCHIVE`). Prints a table and writes
`reports/understanding.json` and `.html`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sklearn.model_selection import GroupKFold

from nlu.catalogue import Named, read_catalogue
from nlu.evaluation_report import page, table
from nlu.examples import NO_SERVICE, Example, read_examples, read_messages
from nlu.intent_decision import decide_intent, may_name_service
from nlu.measures import OUT_OF_SCOPE, Judged, measure
from nlu.mentions import find_mentions
from nlu.model_archive import read_models
from nlu.service_finder import ServiceModel
from nlu.text_classifier import TextClassifier

__all__ = ["Models", "by_author", "cross_validate", "judge", "learn", "main"]

_ROOT = Path(__file__).parents[1]
_NEIGHBOURS = 5
_DAY = date(2026, 11, 24)
"""On which the messages to be measured by were written: "besok" is the day after."""


@dataclass(frozen=True)
class Models:
    intents: TextClassifier
    services: ServiceModel


def main() -> None:
    parser = argparse.ArgumentParser(prog="nlu.evaluation", description=__doc__)
    parser.add_argument(
        "--data", type=Path, nargs="+", default=[_ROOT / "data" / "nlu", _ROOT / "data" / "tinjauan"], metavar="FOLDER"
    )
    parser.add_argument("--test", type=Path, nargs="+")
    parser.add_argument("--live", type=Path, metavar="ARCHIVE", help="a trained model to set beside it; needs --test")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--by-author", action="store_true", help="ask each author's messages to what the others taught")
    parser.add_argument("--report", type=Path, default=_ROOT / "reports" / "understanding.json")
    arguments = parser.parse_args()
    if arguments.live is not None and arguments.test is None:
        parser.error("--live needs --test")
    started = time.monotonic()
    examples = [example for folder in arguments.data for example in read_examples(folder)]
    asked = [message for file in arguments.test or () for message in read_messages(file)]
    if asked:
        judged = list(judge(learn(examples, read_catalogue()), asked))
    elif arguments.by_author:
        judged = list(by_author(examples))
    else:
        judged = list(cross_validate(examples, arguments.folds))
    measures: dict[str, Any] = {
        **measure(judged),
        "learned_from": len(examples),
        "seconds": round(time.monotonic() - started, 1),
    }
    if arguments.live is not None:
        live = list(judge(Models(*read_models(arguments.live)), asked))
        measures["live"] = {"model": arguments.live.name, **measure(live)}
    arguments.report.parent.mkdir(parents=True, exist_ok=True)
    arguments.report.write_text(json.dumps(measures, ensure_ascii=False, indent=1), "utf-8")
    drawn = arguments.report.with_suffix(".html")
    drawn.write_text(page(measures, judged), "utf-8")
    sys.stdout.write(f"{table(measures)}\nRincian: {arguments.report} dan {drawn}\n")


def cross_validate(examples: Sequence[Example], folds: int) -> Iterator[Judged]:
    for train, test in GroupKFold(folds).split(examples, groups=_groups(examples)):
        yield from judge(learn([examples[i] for i in train], read_catalogue()), [examples[i] for i in test])


def by_author(examples: Sequence[Example]) -> Iterator[Judged]:
    """Each author's messages asked of models that have learned the others'; what bears no name is always learned."""
    for author in sorted({example.author for example in examples if example.author}):
        others = [example for example in examples if example.author != author]
        own = [example for example in examples if example.author == author]
        yield from judge(learn(others, read_catalogue()), own)


def learn(examples: Sequence[Example], catalogue: Sequence[Named]) -> Models:
    intents = TextClassifier(balanced=True)
    intents.fit([example.text for example in examples], [str(example.intent) for example in examples])
    return Models(intents, ServiceModel.learn(examples, catalogue))


def judge(models: Models, asked: Iterable[Example]) -> Iterator[Judged]:
    """One message at a time, as citizens send them, with the steps of `config.yml`."""
    for example in asked:
        started = time.perf_counter()
        ranking = models.intents.probabilities(example.text)
        mentions = find_mentions(example.text, _DAY)
        found = models.services.find(example.text)
        intent, confidence = decide_intent(example.text, ranking, None if found is None else found.confidence)
        if not may_name_service(intent):
            found = None
        seconds = time.perf_counter() - started
        yield Judged(
            example,
            intent,
            confidence,
            next(value for name, value in ranking.items() if name != OUT_OF_SCOPE),
            [NO_SERVICE] if found is None else [found.id, *(label for label, _ in found.alternatives)],
            None if found is None else found.confidence,
            [(mention.entity, mention.value) for mention in mentions],
            seconds,
        )


def _groups(examples: Iterable[Example]) -> Sequence[str]:
    position: Counter[str] = Counter()
    groups = []
    for example in examples:
        groups.append(f"{example.block}/{position[example.block] // _NEIGHBOURS}")
        position[example.block] += 1
    return groups


if __name__ == "__main__":
    main()
