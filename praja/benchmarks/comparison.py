"""`praja bench stock`: Praja against Rasa as it comes, on this machine in one run.

Both answer the same messages by Telegram, learned from the same data, with the same actions and backend behind them.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from itertools import cycle
from pathlib import Path

from praja.benchmarks.load import TALK, Turn, at_once, paced
from praja.benchmarks.measured import Measured
from praja.benchmarks.stack import stack
from praja.benchmarks.stock_rasa import stock_model, stock_rasa
from praja.benchmarks.telegram import TelegramMeter
from praja.benchmarks.turns import memory
from praja.postgres import create_database, embedded_postgres
from praja.settings import ROOT

__all__ = ["compare"]

_RATE = 3
"""turns a second that both can carry"""
_AT_ONCE = 8
_FIRST_CHAT = 1000
_LONG = 300
_WINDOW = 50


async def compare(seconds: int) -> int:
    """Not 0 when ours does less than four times the turns."""
    model = await asyncio.to_thread(stock_model, ROOT / ".praja" / "bench")
    print("Rasa 3.6.21 bawaan", flush=True)
    stock = await _stock(model, seconds)
    print("Praja", flush=True)
    ours = await _ours(seconds)
    times = ours.rate / stock.rate
    print(f"giliran per detik, {_AT_ONCE} orang serentak: {times:.1f} kali Rasa bawaan (paling sedikit 4)")
    return 0 if times >= 4 else 1


async def _stock(model: Path, seconds: int) -> Measured:
    with tempfile.TemporaryDirectory(prefix="praja-stock-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        await asyncio.to_thread(os.chmod, folder, 0o755)
        # Our backend and actions, and nobody to talk to them but stock Rasa.
        nobody = {"PRAJA_RASA_URLS": "http://127.0.0.1:9"}
        async with TelegramMeter() as meter, stack(nobody) as praja:
            with embedded_postgres(folder / "db") as server:
                database = create_database(server, "stock")
                actions = f"http://127.0.0.1:{praja.port('PRAJA_ACTIONS_PORT')}/webhook"
                async with stock_rasa(model, folder, database, actions, meter.url, "bench") as rasa:
                    print(f"{'dari mulai sampai siap':<42} {rasa.seconds:5.1f} s", flush=True)
                    many = await _measure(meter.turn, seconds)
                    print(f"{'memori Rasa':<42} {rasa.memory:5.0f} MB", flush=True)
                    return many


async def _ours(seconds: int) -> Measured:
    async with TelegramMeter() as meter, stack(meter.settings) as praja:
        print(f"{'dari mulai sampai siap, semua bagian':<42} {praja.seconds:5.1f} s", flush=True)
        many = await _measure(meter.turn, seconds)
        print(memory(praja.supervisor), flush=True)
        return many


async def _measure(turn: Turn, seconds: int) -> Measured:
    """Prints what it sees, and gives the measure of many at once."""
    for number, text in enumerate(TALK):
        await turn(_FIRST_CHAT + number, text)

    async def citizen(person: int, text: str) -> float:
        return await turn(2 * _FIRST_CHAT + person, text)

    print((await paced(citizen, _RATE, seconds)).line(), flush=True)
    many = await at_once(citizen, _AT_ONCE, seconds)
    print(many.line(), flush=True)
    texts = cycle(TALK)
    long = [await turn(_FIRST_CHAT - 1, next(texts)) for _ in range(_LONG)]
    for begin in (0, _LONG - _WINDOW):
        part = long[begin : begin + _WINDOW]
        print(Measured(f"satu orang, pesan {begin + 1}-{begin + _WINDOW}", sum(part), part).line(), flush=True)
    return many
