"""What a heap of messages is about: those with the same rare words together, rare as measured by the taught examples.

By trigrams alone "mau perpanjang sim" is like "mau bikin ktp"; what nearly every message has tells nothing.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from console.review.similarity import plain, trigrams

__all__ = ["Topics"]

_STEM = 5
"""letters that forms of one word share, more or less: perpanjang, perpanjangan"""
_ALIKE = 0.2
"""mean cosine within a topic, at least"""


class Topics:
    """`background`: messages of every kind. Some thousands of them, and a few hundred to be grouped."""

    def __init__(self, background: Iterable[str]) -> None:
        self._spread: Counter[str] = Counter()
        self._count = 0
        for text in background:
            self._spread.update(set(_features(text)))
            self._count += 1

    def groups(self, texts: Sequence[str]) -> list[list[int]]:
        """Every text in one group; largest first. Average linkage."""
        nearness = self._nearness(texts)
        members = {at: [at] for at in range(len(texts))}
        nearest = [
            (-score, one, other)
            for one, row in nearness.items()
            for other, score in row.items()
            if one < other and score >= _ALIKE
        ]
        heapq.heapify(nearest)
        while nearest:
            score, one, other = heapq.heappop(nearest)
            # What has been joined since is in the heap under its new nearness.
            if one in members and other in members and nearness[one].get(other) == -score:
                _join(nearness, one, other, len(members[one]), len(members[other]))
                members[one] += members.pop(other)
                for third, near in nearness[one].items():
                    if near >= _ALIKE:
                        heapq.heappush(nearest, (-near, min(one, third), max(one, third)))
        return sorted((sorted(group) for group in members.values()), key=lambda group: (-len(group), group[0]))

    def _nearness(self, texts: Sequence[str]) -> dict[int, dict[int, float]]:
        places: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for at, text in enumerate(texts):
            weights = {name: (1 + math.log(n)) * self._rarity(name) for name, n in Counter(_features(text)).items()}
            length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
            for name, weight in weights.items():
                places[name].append((at, weight / length))
        nearness: dict[int, dict[int, float]] = {at: defaultdict(float) for at in range(len(texts))}
        for found in places.values():
            for (one, weight), (other, theirs) in itertools.combinations(found, 2):
                nearness[one][other] += weight * theirs
                nearness[other][one] += weight * theirs
        return nearness

    def _rarity(self, name: str) -> float:
        return math.log((self._count + 1) / (self._spread[name] + 1))


def _join(nearness: dict[int, dict[int, float]], one: int, other: int, size: int, theirs: int) -> None:
    """`other` becomes part of `one`."""
    gone = nearness.pop(other)
    for third in (gone.keys() | nearness[one].keys()) - {one, other}:
        mean = (nearness[one].get(third, 0.0) * size + gone.get(third, 0.0) * theirs) / (size + theirs)
        nearness[one][third] = nearness[third][one] = mean
        nearness[third].pop(other, None)
    nearness[one].pop(other, None)


def _features(text: str) -> list[str]:
    return [*trigrams(text), *(f"{word[:_STEM]}*" for word in plain(text).split())]
