"""What `praja bench` measures."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping

from praja.benchmarks.comparison import compare
from praja.benchmarks.drain import drain
from praja.benchmarks.growth import growth
from praja.benchmarks.long_talk import long_talk
from praja.benchmarks.restart import restart
from praja.benchmarks.swap import swap
from praja.benchmarks.turns import bench

__all__ = ["BENCHMARKS"]

BENCHMARKS: Mapping[str, Callable[[int], Coroutine[None, None, int]]] = {
    "turns": bench,
    "stock": compare,
    "swap": swap,
    "inbox": drain,
    "long": long_talk,
    "restart": restart,
    "growth": growth,
}
"""by name, each given the seconds of a stage; its result is the exit code"""
