"""`praja bench long`: ten thousand messages of one person, to see whether answering grows slower."""

from __future__ import annotations

import time
from itertools import cycle

import aiohttp

from praja.benchmarks.load import TALK
from praja.benchmarks.measured import Measured
from praja.benchmarks.stack import stack
from praja.benchmarks.turns import turn

__all__ = ["long_talk"]

_MESSAGES = 10_000
_WINDOW = 500
_MOST = 1.25
"""times the first window's median"""


async def long_talk(seconds: int) -> int:
    """Not 0 when the last messages' median is more than a quarter above the first ones'. The seconds given aren't used."""
    texts = cycle(TALK)
    windows: list[Measured] = []
    async with stack({}) as praja, aiohttp.ClientSession(base_url=praja.url) as session:
        for number, text in enumerate(TALK):
            await turn(session, f"pemanasan-{number}", text)
        for begin in range(0, _MESSAGES, _WINDOW):
            started = time.monotonic()
            turns = [await turn(session, "panjang", next(texts)) for _ in range(_WINDOW)]
            measured = Measured(f"pesan {begin + 1}-{begin + _WINDOW}", time.monotonic() - started, turns)
            print(measured.line(), flush=True)
            windows.append(measured)
    first, last = windows[0].quantile(0.5), windows[-1].quantile(0.5)
    print(f"median akhir {last / first:.2f} kali awal (paling banyak {_MOST})")
    return 0 if last <= _MOST * first else 1
