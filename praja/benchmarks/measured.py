"""What was measured, and the line that tells it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Measured"]


@dataclass(frozen=True)
class Measured:
    name: str
    seconds: float
    """from the first turn's beginning to the last one's end"""
    turns: Sequence[float]
    """seconds of each"""

    @property
    def rate(self) -> float:
        """turns a second"""
        return len(self.turns) / self.seconds

    def quantile(self, q: float) -> float:
        """seconds"""
        if len(self.turns) < 2:
            return self.turns[0]
        return statistics.quantiles(self.turns, n=100, method="inclusive")[round(q * 100) - 1]

    def line(self) -> str:
        p50, p95, p99 = (1000 * self.quantile(q) for q in (0.50, 0.95, 0.99))
        return f"{self.name:<42} {len(self.turns):>5} giliran {self.rate:6.1f}/s  p50 {p50:5.0f}  p95 {p95:5.0f}  p99 {p99:5.0f} ms"
