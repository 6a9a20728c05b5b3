"""`praja bench stock`: Praja against Rasa as it comes, on this machine in one run.

Both answer the same messages by Telegram, learned from the same data, with the same actions and backend behind them.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from itertools import count, cycle
from pathlib import Path

from praja.benchmarks.measured import Measured
from praja.benchmarks.stack import stack
from praja.benchmarks.stock_rasa import stock_model, stock_rasa
from praja.benchmarks.telegram import SECRET, TOKEN, TelegramMeter
from praja.benchmarks.turns import TALK, memory
from praja.postgres import create_database, embedded_postgres
from praja.settings import ROOT

__all__ = ["compare"]

Turn = Callable[[int, str], Awaitable[float]]
"""chat and text → seconds"""
_RATE = 3
"""turns a second that both can carry"""
_AT_ONCE = 8
_DIALOGUE = 20
"""messages of a person before the next one comes"""
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
                    at_once = await _measure(meter.turn, seconds)
                    print(f"{'memori Rasa':<42} {rasa.memory:5.0f} MB", flush=True)
                    return at_once


async def _ours(seconds: int) -> Measured:
    async with TelegramMeter() as meter:
        settings = {
            "PRAJA_TELEGRAM_TOKEN": TOKEN,
            "PRAJA_TELEGRAM_API_URL": meter.url,
            "PRAJA_TELEGRAM_MODE": "webhook",
            "PRAJA_TELEGRAM_WEBHOOK_SECRET": SECRET,
        }
        async with stack(settings) as praja:
            print(f"{'dari mulai sampai siap, semua bagian':<42} {praja.seconds:5.1f} s", flush=True)
            at_once = await _measure(meter.turn, seconds)
            print(memory(praja.supervisor), flush=True)
            return at_once


async def _measure(turn: Turn, seconds: int) -> Measured:
    """Prints what it sees, and gives the measure of many at once."""
    chats = count(1000)
    for text in TALK:
        await turn(next(chats), text)
    print((await _paced(turn, chats, seconds)).line(), flush=True)
    at_once = await _at_once(turn, chats, seconds)
    print(at_once.line(), flush=True)
    texts, person = cycle(TALK), next(chats)
    long = [await turn(person, next(texts)) for _ in range(_LONG)]
    for begin in (0, _LONG - _WINDOW):
        part = long[begin : begin + _WINDOW]
        print(Measured(f"satu orang, pesan {begin + 1}-{begin + _WINDOW}", sum(part), part).line(), flush=True)
    return at_once


async def _paced(turn: Turn, chats: count[int], seconds: int) -> Measured:
    """New turns begin on time however long earlier ones take, each by another person than the one before."""
    people = [next(chats) for _ in range(40)]
    texts = cycle(TALK)
    started = time.monotonic()
    tasks: list[asyncio.Future[float]] = []
    for number in range(seconds * _RATE):
        await asyncio.sleep(max(0.0, started + number / _RATE - time.monotonic()))
        tasks.append(asyncio.ensure_future(turn(people[number % len(people)], next(texts))))
    turns = list(await asyncio.gather(*tasks))
    return Measured(f"{_RATE} giliran baru per detik", time.monotonic() - started, turns)


async def _at_once(turn: Turn, chats: count[int], seconds: int) -> Measured:
    started = time.monotonic()

    async def talk() -> list[float]:
        texts = cycle(TALK)
        turns: list[float] = []
        while time.monotonic() - started < seconds:
            if len(turns) % _DIALOGUE == 0:
                chat = next(chats)
            turns.append(await turn(chat, next(texts)))
        return turns

    turns = [one for talked in await asyncio.gather(*(talk() for _ in range(_AT_ONCE))) for one in talked]
    return Measured(f"{_AT_ONCE} orang serentak", time.monotonic() - started, turns)
