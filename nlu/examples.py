"""Labelled utterances: what the classifiers learn from and are measured by."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import yaml
from rasa.shared.nlu.constants import INTENT, METADATA, METADATA_INTENT, TEXT
from rasa.shared.nlu.training_data.training_data import TrainingData

__all__ = ["NO_SERVICE", "Example", "examples_of_training", "read_examples", "read_messages"]

NO_SERVICE = "-"
"""The label of a message that names no service."""

_ITEM = re.compile(r"^\s*-\s+(.*\S)\s*$", re.MULTILINE)
_ANNOTATION = re.compile(r"\[([^\]]+)\](?:\([^)]*\)|\{[^}]*\})")


@dataclass(frozen=True)
class Example:
    text: str
    intent: Optional[str]
    """None for a phrase of the catalogue, which names a service and says nothing of the intent."""
    service: str
    variety: str = ""
    """`ragam`"""
    author: str = ""
    """`penulis`"""
    block: str = ""
    """Examples written together; a fair split keeps them together."""
    entities: tuple[tuple[str, str], ...] = ()
    """Entity and value, where a set to be measured by names them."""
    channel: str = ""
    """`saluran`: whatsapp, telegram or suara (dictated)."""


def examples_of_training(training_data: TrainingData) -> Sequence[Example]:
    """What Rasa has read of `data/nlu`."""
    return [
        _example(message.get(TEXT), message.get(INTENT), (message.get(METADATA) or {}).get(METADATA_INTENT) or {}, "")
        for message in training_data.intent_examples
    ]


def read_examples(folder: Path) -> Sequence[Example]:
    """The same straight from the files, with their blocks."""
    return [example for path in sorted(folder.rglob("*.yml")) for example in _read_file(path)]


def read_messages(file: Path) -> Sequence[Example]:
    """A set to be measured by: a JSON object a line with `text`, `intent`, `layanan`, `ragam`, `entities`, `group`, and
    perhaps `penulis` and `saluran`.
    """
    return [_measured(json.loads(line)) for line in file.read_text("utf-8").splitlines()]


def _measured(line: dict[str, Any]) -> Example:
    return Example(
        line["text"],
        line["intent"],
        line["layanan"] or NO_SERVICE,
        line["ragam"],
        line.get("penulis", ""),
        line["group"],
        tuple((entity["entity"], entity["value"]) for entity in line["entities"]),
        line.get("saluran", ""),
    )


def _read_file(path: Path) -> Iterable[Example]:
    for number, block in enumerate((yaml.safe_load(path.read_text("utf-8")) or {}).get("nlu", [])):
        for text in _ITEM.findall(block["examples"]):
            yield _example(
                _ANNOTATION.sub(r"\1", text), block["intent"], block.get("metadata") or {}, f"{path}:{number}"
            )


def _example(text: str, intent: str, labels: dict[str, str], block: str) -> Example:
    return Example(
        text, intent, labels.get("layanan") or NO_SERVICE, labels.get("ragam", ""), labels.get("penulis", ""), block
    )
