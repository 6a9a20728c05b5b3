"""The examples that are taught already, by the labels of now: what a new message is like, and where labels disagree."""

from __future__ import annotations

import asyncio
import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from console.review.topics import Topics
from learning.example import Example, key
from learning.label_changes import LabelChanges
from learning.training_file import read_folder

__all__ = ["KnownExamples", "Likely"]

_FOLDERS = ("nlu", "tinjauan")
_NEIGHBOURS = 12


@dataclass(frozen=True)
class Likely:
    """What messages like this one are called, best first."""

    intents: Sequence[str]
    services: Sequence[str]
    nearest: Sequence[Example]


@dataclass(frozen=True)
class _Read:
    version: tuple[tuple[str, int], ...]
    examples: Sequence[Example]
    labels: Mapping[str, Sequence[Example]]
    """by key"""
    rarity: Mapping[str, float]
    """of a word"""
    places: Mapping[str, Sequence[tuple[int, float]]]
    """of a word: in which examples, and its part of each"""


class KnownExamples:
    def __init__(self, data: Path) -> None:
        self._data = data
        self._read: _Read | None = None
        self._topics: tuple[_Read, Topics] | None = None
        self._reading = asyncio.Lock()

    async def likely(self, text: str, changes: LabelChanges) -> Likely:
        """Raises TrainingFileUnfit."""
        known = await self._known()
        return await asyncio.to_thread(_likely, known, text, changes)

    async def labels_of(self, texts: Sequence[str], changes: LabelChanges) -> Mapping[str, Sequence[Example]]:
        """For each text that is taught already, as what. Raises TrainingFileUnfit."""
        known = await self._known()
        return {text: [*map(changes.applied, known.labels[key(text)])] for text in texts if key(text) in known.labels}

    async def all(self, changes: LabelChanges) -> Sequence[Example]:
        """Raises TrainingFileUnfit."""
        known = await self._known()
        return await asyncio.to_thread(lambda: [*map(changes.applied, known.examples)])

    async def topics(self) -> Topics:
        """Of messages, with the taught ones as the background. Raises TrainingFileUnfit."""
        known = await self._known()
        if self._topics is None or self._topics[0] is not known:
            self._topics = known, await asyncio.to_thread(lambda: Topics(each.text for each in known.examples))
        return self._topics[1]

    async def _known(self) -> _Read:
        """Read again after a file has changed."""
        async with self._reading:
            version = await asyncio.to_thread(self._version)
            if self._read is None or self._read.version != version:
                self._read = await asyncio.to_thread(self._load, version)
            return self._read

    def _version(self) -> tuple[tuple[str, int], ...]:
        files = [path for folder in _FOLDERS for path in sorted((self._data / folder).glob("*.yml"))]
        return tuple((str(path), path.stat().st_mtime_ns) for path in files)

    def _load(self, version: tuple[tuple[str, int], ...]) -> _Read:
        examples = [example for folder in _FOLDERS for example in read_folder(self._data / folder)]
        keys = [key(example.text) for example in examples]
        labels: dict[str, list[Example]] = defaultdict(list)
        for name, example in zip(keys, examples, strict=True):
            labels[name].append(example)
        spread = Counter(word for name in keys for word in set(name.split()))
        rarity = {word: 1 + math.log(len(keys) / found) for word, found in spread.items()}
        places: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for at, name in enumerate(keys):
            words = set(name.split())
            length = math.hypot(*(rarity[word] for word in words)) or 1.0
            for word in words:
                places[word].append((at, rarity[word] / length))
        return _Read(version, examples, labels, rarity, places)


def _likely(known: _Read, text: str, changes: LabelChanges) -> Likely:
    """By the words they share, the rare ones above all."""
    scores: dict[int, float] = defaultdict(float)
    for word in set(key(text).split()):
        for at, part in known.places.get(word, ()):
            scores[at] += known.rarity[word] * part
    intents: dict[str, float] = defaultdict(float)
    services: dict[str, float] = defaultdict(float)
    found = heapq.nsmallest(_NEIGHBOURS, scores.items(), key=lambda pair: (-pair[1], pair[0]))
    for at, score in found:
        example = changes.applied(known.examples[at])
        intents[example.intent] += score**2
        if example.service:
            services[example.service] += score**2
    return Likely(_best(intents), _best(services), [changes.applied(known.examples[at]) for at, _ in found[:3]])


def _best(votes: Mapping[str, float]) -> Sequence[str]:
    return sorted(votes, key=lambda name: (-votes[name], name))
