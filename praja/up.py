"""`praja up`: everything on one machine."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from praja.database import database, keep_alive, migrate
from praja.home_lock import alone_at_home
from praja.parts import Part, environment, parts
from praja.settings import Settings
from praja.supervisor import Supervisor, check_ports
from praja.training import need_model, train

__all__ = ["up"]

_STOPPING = (signal.SIGTERM, signal.SIGINT)


def up(settings: Settings) -> int:
    """Runs until SIGTERM or SIGINT. Raises what stands in the way."""
    told = time.monotonic()

    def tell(text: str) -> None:
        print(f"[{time.monotonic() - told:5.1f} s] {text}", file=sys.stderr, flush=True)

    # Training has the main thread to itself, since a signal can end nothing that waits in another one.
    for number in _STOPPING:
        signal.signal(number, lambda *_: sys.exit(0))
    started = parts(settings)
    with alone_at_home(settings.home):
        check_ports(started)
        if settings.rasa_urls is None:
            need_model(settings.models, tell, datetime.now(UTC), train)
        asyncio.run(_serve(settings, started, tell))
    return 0


async def _serve(settings: Settings, started: Sequence[Part], tell: Callable[[str], None]) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _STOPPING:
        loop.add_signal_handler(number, stopping.set)
    tell("menyalakan basis data …")
    with database(settings) as url:
        await asyncio.to_thread(migrate, url)
        supervisor = Supervisor(started, environment(settings, url), settings.home / "logs", tell)
        keeping = asyncio.create_task(keep_alive(settings, tell))
        try:
            await _run(supervisor, stopping, f"siap: {settings.bot_address}")
        finally:
            tell("berhenti …")
            await supervisor.stop()
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)


async def _run(supervisor: Supervisor, stopping: asyncio.Event, ready: str) -> None:
    stop = asyncio.create_task(stopping.wait())
    work = asyncio.create_task(_start_and_stay(supervisor, ready))
    await asyncio.wait({stop, work}, return_when=asyncio.FIRST_COMPLETED)
    if work.done():
        stop.cancel()
        await work
    work.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await work


async def _start_and_stay(supervisor: Supervisor, ready: str) -> None:
    await supervisor.start()
    print(ready, flush=True)
    await supervisor.failed()
