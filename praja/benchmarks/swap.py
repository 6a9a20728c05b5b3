"""`praja bench swap`: what citizens notice while the model is changed, in Rasa as it comes (`PUT /model`) and in Praja.

Both get the same messages by Telegram, on this machine in one run; half-way their model is changed for a copy of itself.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import aiohttp

from learning.live_model import LiveModel
from praja.benchmarks.load import TALK
from praja.benchmarks.stack import stack
from praja.benchmarks.stock_rasa import StockRasa, stock_model, stock_rasa
from praja.benchmarks.telegram import TelegramMeter
from praja.going_live import Servers, read_probes
from praja.postgres import create_database, embedded_postgres
from praja.settings import ROOT, load_settings

__all__ = ["swap"]

_TOKEN = "bench"  # noqa: S105  (of servers that live as long as the measure)
_RATE = 2
"""messages a second, which both carry"""
_PATIENCE = 10.0
"""seconds after which a citizen has no answer"""
_SLOW = 3.0

Change = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class _Noticed:
    messages: int
    failed: int
    slow: int
    slowest: float
    change: float
    """seconds that the change took"""

    def line(self, name: str) -> str:
        return (
            f"{name:<14} {self.messages:>4} pesan, gagal {self.failed}, lebih dari {_SLOW:.0f} detik {self.slow}, "
            f"paling lama {self.slowest:.1f} detik; model berganti dalam {self.change:.1f} detik"
        )


async def swap(seconds: int) -> int:
    """Not 0 when one of Praja's messages fails."""
    model = await asyncio.to_thread(stock_model, ROOT / ".praja" / "bench")
    with tempfile.TemporaryDirectory(prefix="praja-swap-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        await asyncio.to_thread(os.chmod, folder, 0o755)
        stock = await _stock(model, folder, seconds)
        print(stock.line("Rasa bawaan"), flush=True)
        ours = await _ours(folder, seconds)
        print(ours.line("Praja"), flush=True)
    return 1 if ours.failed else 0


async def _stock(model: Path, folder: Path, seconds: int) -> _Noticed:
    other = Path(shutil.copy(model, folder / "stock-other.tar.gz"))
    # Our backend and actions, and nobody to talk to them but stock Rasa.
    nobody = {"PRAJA_RASA_URLS": "http://127.0.0.1:9"}
    async with TelegramMeter() as meter, stack(nobody) as praja:
        with embedded_postgres(folder / "db") as server:
            actions = f"http://127.0.0.1:{praja.port('PRAJA_ACTIONS_PORT')}/webhook"
            database = create_database(server, "stock")
            async with stock_rasa(model, folder, database, actions, meter.url, _TOKEN) as rasa:
                return await _under_load(meter, seconds, lambda: _put(rasa, other))


async def _put(rasa: StockRasa, model: Path) -> None:
    patience = aiohttp.ClientTimeout(total=300)
    async with (
        aiohttp.ClientSession(timeout=patience) as session,
        session.put(f"{rasa.url}/model?token={_TOKEN}", json={"model_file": str(model)}) as response,
    ):
        response.raise_for_status()


async def _ours(folder: Path, seconds: int) -> _Noticed:
    async with TelegramMeter() as meter, stack({**meter.settings, "PRAJA_RASA_TOKEN": _TOKEN}) as praja:
        here = load_settings()
        live = LiveModel(here.models).current()
        assert live is not None, "praja up has made one live"
        other = Path(shutil.copy(live, folder / "our-other.tar.gz"))
        servers = Servers([f"http://127.0.0.1:{praja.port('PRAJA_RASA_PORT')}"], _TOKEN)

        async def change() -> None:
            # As `praja promote` does when the gate has passed.
            await servers.switch(other, read_probes(here.data))

        return await _under_load(meter, seconds, change)


async def _under_load(meter: TelegramMeter, seconds: int, change: Change) -> _Noticed:
    """Each message is another citizen's; new ones come on time however long earlier ones take."""
    for number, text in enumerate(TALK):
        await meter.turn(900 + number, text)
    texts, started = cycle(TALK), time.monotonic()
    changing: asyncio.Task[float] | None = None
    waits: list[asyncio.Task[float]] = []
    # Until well after the change, so that what piled up is seen too.
    while changing is None or not changing.done() or len(waits) < 2 * seconds * _RATE:
        await asyncio.sleep(max(0.0, started + len(waits) / _RATE - time.monotonic()))
        if changing is None and len(waits) >= seconds * _RATE:
            changing = asyncio.create_task(_timed(change))
        waits.append(asyncio.create_task(_wait(meter, 1000 + len(waits), next(texts))))
    waited = await asyncio.gather(*waits)
    answered = [wait for wait in waited if wait < _PATIENCE]
    slow = sum(wait >= _SLOW for wait in answered)
    return _Noticed(len(waited), len(waited) - len(answered), slow, max(answered, default=_PATIENCE), await changing)


async def _wait(meter: TelegramMeter, chat: int, text: str) -> float:
    """Seconds until the answer; infinite where none came in time."""
    try:
        async with asyncio.timeout(_PATIENCE):
            return await meter.turn(chat, text)
    except (TimeoutError, aiohttp.ClientError):
        return float("inf")


async def _timed(change: Change) -> float:
    started = time.monotonic()
    await change()
    return time.monotonic() - started
