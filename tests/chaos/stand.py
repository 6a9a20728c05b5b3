"""The whole of Praja between fakes that misbehave: `praja up` with its own database, and the backend behind a proxy.

The backend runs as a district's own would, beside `praja up` and under a supervisor of its own, so that what lies between it
and the actions can fail.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import psycopg
from psycopg.rows import dict_row

from praja.parts import Part
from praja.ports import free_ports
from praja.supervisor import Supervisor
from tests.chaos.clock import WrongClock
from tests.chaos.phones import Meta
from tests.chaos.proxy import Proxy
from tests.fakes.rasa import TOKEN as STAND_IN_TOKEN
from tests.fakes.rasa import FakeRasa
from tests.fakes.telegram import FakeTelegram
from tests.stack.running import BACKEND_TOKEN, OFFICER_TOKEN, RASA_TOKEN, ROOT

__all__ = ["PARTS", "Stand", "standing"]

PARTS = ("bot", "rasa", "actions", "backend")
_MARKS = {"rasa": "nlu.server", "bot": "run bot", "backend": "run backend", "actions": "run actions"}
_PORTS = ("PRAJA_HTTP_PORT", "PRAJA_ACTIONS_PORT", "PRAJA_RASA_PORT")
_APP_SECRET = "rahasia-aplikasi-uji"
_TELEGRAM_TOKEN = "7001:token-uji"


@dataclass
class Stand:
    home: Path
    environment: Mapping[str, str]
    backend_url: str
    """the backend itself, without the proxy"""
    meta: Meta
    telegram: FakeTelegram
    proxy: Proxy
    clock: WrongClock
    http: aiohttp.ClientSession
    log: Path
    up: subprocess.Popen[bytes] | None = None
    started: int = 0
    """how often `praja up` was started"""
    stand_in: FakeRasa | None = None
    """in the place of Rasa"""
    backend: Supervisor | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def bot_url(self) -> str:
        return f"http://127.0.0.1:{self.environment['PRAJA_HTTP_PORT']}"

    @property
    def database_url(self) -> str:
        """Of the embedded server, wherever its socket lies."""
        lines = (self.home / "database" / "postmaster.pid").read_text().splitlines()
        return f"postgresql://postgres@/praja?host={lines[4].strip()}"

    async def start(self) -> None:
        """`praja up`, until it says that it is ready."""
        with self.log.open("ab") as log:
            self.up = subprocess.Popen(  # noqa: ASYNC220 - it returns at once
                [sys.executable, "-m", "praja.command", "up"],
                cwd=ROOT, env={**os.environ, **self.environment}, stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip
        assert self.up.stdout is not None
        with self.up.stdout as said:
            line = (await asyncio.to_thread(said.readline)).decode().strip()
        if not line.startswith("siap: "):
            await asyncio.to_thread(self.up.wait)
            raise RuntimeError(f"praja up doesn't come up: {line}\n{self.log.read_text()[-3000:]}")
        self.started += 1

    async def start_backend(self) -> None:
        port = int(self.backend_url.rsplit(":", 1)[1])
        part = Part(
            "backend",
            (sys.executable, "-m", "praja.command", "run", "backend"),
            f"{self.backend_url}/healthz",
            port,
            "PRAJA_BACKEND_PORT",
        )
        environment = {**os.environ, **self.environment, "PRAJA_DATABASE_URL": self.database_url}
        environment |= {"PRAJA_BACKEND_PORT": str(port)}
        self.backend = Supervisor([part], environment, self.home / "logs", self.notes.append)
        await self.backend.start()

    async def stop(self) -> None:
        if self.backend is not None:
            await self.backend.stop()
        if self.up is not None:
            for process in self.everything():
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGCONT)
            self.up.send_signal(signal.SIGTERM)
            try:
                await asyncio.to_thread(self.up.wait, 60)
            except subprocess.TimeoutExpired:
                self.up.kill()
                self.up.wait()

    # ---- what can be broken

    def part(self, name: str) -> psutil.Process | None:
        """As it runs now; None while it is being started again."""
        parent = psutil.Process() if name == "backend" else self._up()
        if parent is None:
            return None
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in parent.children():
                with contextlib.suppress(psutil.NoSuchProcess):
                    if _MARKS[name] in " ".join(child.cmdline()):
                        return child
        return None

    def family(self, name: str) -> list[psutil.Process]:
        """The part's process and all that it has started; the server's for `database`."""
        if name == "database":
            with contextlib.suppress(OSError, ValueError, psutil.NoSuchProcess, IndexError):
                pid = int((self.home / "database" / "postmaster.pid").read_text().splitlines()[0])
                postmaster = psutil.Process(pid)
                return [postmaster, *postmaster.children(recursive=True)]
            return []
        process = self.part(name)
        with contextlib.suppress(psutil.NoSuchProcess):
            return [process, *process.children(recursive=True)] if process else []
        return []

    def everything(self) -> list[psutil.Process]:
        up = self._up()
        of_up = [up, *up.children(recursive=True)] if up else []
        return [*of_up, *self.family("backend"), *self.family("database")]

    def _up(self) -> psutil.Process | None:
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(self.up.pid) if self.up is not None else None
        return None

    # ---- what can be seen

    async def is_ready(self) -> bool:
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with self.http.get(f"{self.bot_url}/readyz", timeout=aiohttp.ClientTimeout(total=5)) as answer:
                return answer.status == 200
        return False

    async def until_ready(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not await self.is_ready():
            if time.monotonic() > deadline:
                raise RuntimeError(f"not ready after {seconds:.0f} s; see {self.log}")
            await asyncio.sleep(0.3)

    async def rows(self, query: str, values: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        async with await psycopg.AsyncConnection.connect(
            self.database_url, autocommit=True, connect_timeout=5, row_factory=dict_row
        ) as connection:
            cursor = await connection.execute(query, values)
            return await cursor.fetchall() if cursor.description else []

    async def turns(self) -> Counter[str]:
        """How often each message was a turn, by its id."""
        if self.stand_in is not None:
            return Counter(turn["message_id"] for turn in self.stand_in.turns)
        return Counter(row["message_id"] for row in await self.rows("SELECT message_id FROM rasa.turns"))

    async def of_officer(self, method: str, path: str, **more: Any) -> Any:
        """At the backend itself. Raises aiohttp.ClientError."""
        headers = {"Authorization": f"Bearer {OFFICER_TOKEN}"}
        url = f"{self.backend_url}/api/v1/{path}"
        timeout = aiohttp.ClientTimeout(total=20)
        async with self.http.request(method, url, headers=headers, timeout=timeout, **more) as answer:
            answer.raise_for_status()
            return await answer.json()


@contextlib.asynccontextmanager
async def standing(folder: Path, clock: WrongClock, *, understands: bool) -> AsyncIterator[Stand]:
    """`folder` is empty, and any user may enter it. Unless it `understands`, what is said is only echoed, and there is no Rasa."""
    backend_port, *others = free_ports(len(_PORTS) + 1)
    ports = dict(zip(_PORTS, map(str, others), strict=True))
    bot_url = f"http://127.0.0.1:{ports['PRAJA_HTTP_PORT']}"
    backend_url = f"http://127.0.0.1:{backend_port}"
    async with contextlib.AsyncExitStack() as stack:
        meta = await stack.enter_async_context(
            Meta(
                webhook=f"{bot_url}/webhooks/whatsapp",
                app_secret=_APP_SECRET,
                statuses=("sent", "delivered"),
                retry_pause=0.3,
            )
        )
        telegram = await stack.enter_async_context(FakeTelegram(token=_TELEGRAM_TOKEN))
        proxy = await stack.enter_async_context(Proxy(backend_url))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        stand_in = None if understands else await stack.enter_async_context(FakeRasa())
        home = folder / "home"
        environment = {
            **ports,
            **clock.environment,
            "PRAJA_HOME": str(home),
            "PRAJA_PUBLIC_URL": bot_url,
            "PRAJA_BACKEND_URL": proxy.url,
            "PRAJA_BACKEND_TOKEN": BACKEND_TOKEN,
            "PRAJA_BACKEND_OFFICER_TOKEN": OFFICER_TOKEN,
            "PRAJA_BACKEND_WEBHOOK_SECRET": "rahasia-backend-uji",
            "PRAJA_RASA_TOKEN": RASA_TOKEN,
            "PRAJA_SECRET_KEY": "kunci-uji-yang-panjang",
            "PRAJA_WHATSAPP_TOKEN": meta.token,
            "PRAJA_WHATSAPP_PHONE_NUMBER_ID": meta.phone_number_id,
            "PRAJA_WHATSAPP_APP_SECRET": _APP_SECRET,
            "PRAJA_WHATSAPP_VERIFY_TOKEN": meta.verify_token,
            "PRAJA_WHATSAPP_API_URL": meta.url,
            "PRAJA_TELEGRAM_TOKEN": _TELEGRAM_TOKEN,
            "PRAJA_TELEGRAM_API_URL": telegram.url,
            "PRAJA_TELEGRAM_WEBHOOK_SECRET": "rahasia_webhook_uji",
        }
        if stand_in is not None:
            environment |= {"PRAJA_RASA_URLS": stand_in.url, "PRAJA_RASA_TOKEN": STAND_IN_TOKEN}
        stand = Stand(
            home, environment, backend_url, meta, telegram, proxy, clock, http, folder / "up.log", stand_in=stand_in
        )
        try:
            await stand.start()
            await stand.start_backend()
            await stand.until_ready(180)
            yield stand
        finally:
            await stand.stop()
