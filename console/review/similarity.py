"""Which texts are alike: cosine of their character trigrams, weighted by how rare each is."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence

__all__ = ["ALIKE", "Similarity", "plain", "trigrams"]

ALIKE = 0.45
"""from here on two messages are offered to be labelled together"""


def plain(text: str) -> str:
    """What makes two writings the same: letters and digits in lower case, one blank between words."""
    return " ".join(re.findall(r"\w+", text.casefold()))


class Similarity:
    """Over a few hundred texts; quadratic at worst."""

    def __init__(self, texts: Sequence[str]) -> None:
        counted = [Counter(trigrams(text)) for text in texts]
        spread = Counter(gram for grams in counted for gram in grams)
        rarity = {gram: 1 + math.log(len(texts) / found) for gram, found in spread.items()}
        self._vectors = [_unit({gram: (1 + math.log(n)) * rarity[gram] for gram, n in c.items()}) for c in counted]
        self._places: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for at, vector in enumerate(self._vectors):
            for gram, weight in vector.items():
                self._places[gram].append((at, weight))

    def alike(self, at: int, least: float = ALIKE) -> list[tuple[int, float]]:
        """The others and how alike they are, most alike first."""
        found: dict[int, float] = defaultdict(float)
        for gram, weight in self._vectors[at].items():
            for other, theirs in self._places[gram]:
                found[other] += weight * theirs
        others = [(other, score) for other, score in found.items() if other != at and score >= least]
        return sorted(others, key=lambda pair: (-pair[1], pair[0]))

    def groups(self, least: float = ALIKE) -> list[list[int]]:
        """Every text in one group, led by the one that most are like; largest first."""
        near = [[other for other, _ in self.alike(at, least)] for at in range(len(self._vectors))]
        free, groups = set(range(len(near))), []
        for leader in sorted(range(len(near)), key=lambda at: (-len(near[at]), at)):
            if leader in free:
                group = [leader, *(other for other in near[leader] if other in free)]
                free -= set(group)
                groups.append(group)
        return sorted(groups, key=lambda group: (-len(group), group[0]))


def trigrams(text: str) -> list[str]:
    padded = f"  {plain(text)}  "
    return [padded[at : at + 3] for at in range(len(padded) - 2)]


def _unit(vector: dict[str, float]) -> dict[str, float]:
    length = math.sqrt(sum(weight * weight for weight in vector.values())) or 1.0
    return {gram: weight / length for gram, weight in vector.items()}
