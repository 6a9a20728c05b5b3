"""How sure a share is, and how far two people agree."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

__all__ = ["Share", "kappa", "rises", "share"]

_Z = 1.959964
"""for 95 %"""


@dataclass(frozen=True)
class Share:
    right: int
    of: int
    value: float | None
    """None of nothing"""
    low: float
    high: float
    """Wilson's interval, 95 % (E. B. Wilson, JASA 22, 1927)"""


def share(right: int, of: int) -> Share:
    if of == 0:
        return Share(0, 0, None, 0.0, 1.0)
    value = right / of
    middle = value + _Z**2 / (2 * of)
    around = _Z * math.sqrt(value * (1 - value) / of + _Z**2 / (4 * of**2))
    whole = 1 + _Z**2 / of
    return Share(right, of, value, max(0.0, (middle - around) / whole), min(1.0, (middle + around) / whole))


def rises(before: Share, after: Share) -> bool:
    """Whether the one is higher than the other beyond chance: Newcombe's interval of the difference, 95 %.

    R. G. Newcombe, Statistics in Medicine 17 (1998), 873–890, method 10.
    """
    if before.value is None or after.value is None:
        return False
    least = math.sqrt((after.value - after.low) ** 2 + (before.high - before.value) ** 2)
    return after.value - before.value - least > 0


def kappa(pairs: Sequence[tuple[Hashable, Hashable]]) -> float | None:
    """Cohen's kappa (Educational and Psychological Measurement 20, 1960) of what two said of each thing.

    None where it isn't defined: nothing was judged twice, or both said one and the same of everything.
    """
    if not pairs:
        return None
    firsts, seconds = Counter(first for first, _ in pairs), Counter(second for _, second in pairs)
    agreed = sum(first == second for first, second in pairs) / len(pairs)
    by_chance = sum(firsts[label] * seconds[label] for label in firsts) / len(pairs) ** 2
    return None if by_chance == 1 else (agreed - by_chance) / (1 - by_chance)
