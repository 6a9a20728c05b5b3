"""How far a measure could be what it is by chance: the messages drawn again and again with putting back (bootstrap)."""

from __future__ import annotations

from typing import Any

import numpy as np

from nlu.seed import SEED

__all__ = ["Resampling"]

Array = np.ndarray[Any, Any]


class Resampling:
    """The same draws for every measure, so that two models' measures can be taken from each other draw by draw.

    A measure is an array: first of the messages as they are, then of each draw.
    """

    def __init__(self, messages: int, draws: int, confidence: float) -> None:
        chance = np.random.default_rng(SEED)
        drawn = chance.multinomial(messages, np.full(messages, 1 / messages), size=draws)
        self._times = np.vstack([np.ones(messages), drawn]).astype(np.float32)
        self._edges = ((1 - confidence) / 2, (1 + confidence) / 2)

    def share(self, right: Array, within: Array) -> Array:
        """Of the messages `within` the share that is `right`; 0 where a draw has none of them."""
        return _divided(self._count(right & within), self._count(within))

    def f1(self, asked: Array, given: Array) -> Array:
        return _divided(2 * self._count(asked & given), self._count(asked) + self._count(given))

    def interval(self, measure: Array) -> tuple[float, float]:
        low, high = np.quantile(measure[1:], self._edges)
        return float(low), float(high)

    def _count(self, which: Array) -> Array:
        return self._times @ which.astype(np.float32)


def _divided(part: Array, whole: Array) -> Array:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
