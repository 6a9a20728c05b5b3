"""Rasa as it comes: its default pipeline and policies, its own SQL tracker store, its own Telegram channel, and our actions."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
import yaml

from praja.benchmarks.processes import answers
from praja.benchmarks.telegram import BOT, TOKEN
from praja.parts import NLU_PYTHON, QUIET_RASA
from praja.ports import free_ports
from praja.settings import ROOT

__all__ = ["StockRasa", "stock_model", "stock_rasa"]

_CONFIGURATION = Path(__file__).parent / "stock.yml"
_SOURCES = ("domain.yml", "data/rules.yml", "data/nlu")
_LAUNCH = """
import asyncio, sys
from aiogram.bot.api import TELEGRAM_PRODUCTION
object.__setattr__(TELEGRAM_PRODUCTION, "base", sys.argv.pop(1) + "/bot{token}/{method}")
from rasa.core.channels.telegram import TelegramInput, TelegramOutput

async def set_webhook(channel):
    bot = TelegramOutput(channel.access_token)
    await bot.set_webhook(url=channel.webhook_url)
    await bot.close()

def get_output_channel(channel):
    asyncio.run(set_webhook(channel))
    return TelegramOutput(channel.access_token)

TelegramInput.get_output_channel = get_output_channel
from rasa.__main__ import main
main()
"""
"""aiogram's address of Telegram is a constant that Rasa gives no setting for; and as it comes, Rasa's channel answers every message
with "Event loop is closed", since its client is made in a loop that ends before the server's begins.
"""


@dataclass(frozen=True)
class StockRasa:
    process: psutil.Process
    url: str
    seconds: float
    """from the start until it answers with its model loaded"""

    @property
    def memory(self) -> float:
        """MB"""
        return sum(p.memory_info().rss for p in (self.process, *self.process.children(recursive=True))) / 1024**2


def stock_model(folder: Path) -> Path:
    """Trained once for each state of the data and kept in `folder`."""
    files = [
        path for name in _SOURCES for path in sorted([ROOT / name, *(ROOT / name).glob("*.yml")]) if path.is_file()
    ]
    mark = hashlib.sha256(b"".join(path.read_bytes() for path in [_CONFIGURATION, *files])).hexdigest()[:12]
    model = folder / f"stock-{mark}.tar.gz"
    if model.exists():
        return model
    print("melatih Rasa bawaan … (beberapa menit, sekali)", file=sys.stderr, flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    training = subprocess.run(  # noqa: S603
        [
            *(str(NLU_PYTHON), "-m", "rasa", "train", "--config", str(_CONFIGURATION), "--domain", "domain.yml"),
            *("--data", "data/nlu", "data/rules.yml", "--out", str(folder)),
            *("--fixed-model-name", model.name[: -len(".tar.gz")]),
        ],
        cwd=ROOT,
        env={**os.environ, **QUIET_RASA},
        capture_output=True,
        text=True,
        check=False,
    )
    if training.returncode or not model.exists():
        raise RuntimeError(f"Rasa bawaan tidak terlatih: {training.stderr[-2000:]}")
    return model


@contextlib.asynccontextmanager
async def stock_rasa(
    model: Path, folder: Path, database_url: str, actions_url: str, telegram_url: str, token: str
) -> AsyncIterator[StockRasa]:
    """`database_url` is a plain `postgresql://…` of a database that is its own."""
    (port,) = free_ports(1)
    webhook = f"http://127.0.0.1:{port}/webhooks/telegram/webhook"
    launch = folder / "launch.py"
    launch.write_text(_LAUNCH, encoding="utf-8")
    endpoints, credentials = folder / "endpoints.yml", folder / "credentials.yml"
    _write(endpoints, {"action_endpoint": {"url": actions_url}, "tracker_store": {"type": "SQL", "url": database_url}})
    _write(credentials, {"telegram": {"access_token": TOKEN, "verify": BOT, "webhook_url": webhook}})
    started = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *(
            str(NLU_PYTHON),
            str(launch),
            telegram_url,
            "run",
            "--enable-api",
            "--auth-token",
            token,
            "--port",
            str(port),
        ),
        *("--interface", "127.0.0.1", "--model", str(model), "--endpoints", str(endpoints)),
        *("--credentials", str(credentials)),
        cwd=folder,
        env={**os.environ, **QUIET_RASA, "LOG_LEVEL": "ERROR"},
    )
    url = f"http://127.0.0.1:{port}"
    try:
        # 409 while no model is loaded.
        await answers(f"{url}/status?token={token}")
        yield StockRasa(psutil.Process(process.pid), url, time.monotonic() - started)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def _write(file: Path, content: Mapping[str, object]) -> None:
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
