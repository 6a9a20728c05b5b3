"""`praja chat`: the simulator's phone in a terminal."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import mimetypes
import sys
from pathlib import Path
from typing import Any

import aiohttp

__all__ = ["chat"]

_HELP = "Tulis pesan, nomor pilihan, atau /kirim BERKAS untuk mengirim foto. Ctrl-D untuk keluar."
_ABSENT = (aiohttp.ClientError, TimeoutError, ValueError)
"""Nobody is there, or not a bot of ours."""


async def chat(url: str, sender: str) -> int:
    """Talk until end of input. What arrives in between (a status, an officer) is shown too."""
    try:
        async with aiohttp.ClientSession(base_url=url) as session:
            await _talk(_Phone(session, sender))
    except _ABSENT:
        print(f"Bot di {url} tidak menjawab; nyalakan dulu dengan `make up`.", file=sys.stderr)
        return 1
    return 0


async def _talk(phone: _Phone) -> None:
    await phone.catch_up()
    print(_HELP)
    watcher = asyncio.create_task(phone.watch())
    try:
        while (line := await asyncio.to_thread(_read)) is not None:
            if line.strip():
                await phone.say(line.strip())
    finally:
        watcher.cancel()


class _Phone:
    def __init__(self, session: aiohttp.ClientSession, sender: str) -> None:
        self._session = session
        self._sender = sender
        self._choices: list[dict[str, str]] = []
        self._last = 0
        self._busy = asyncio.Lock()

    async def catch_up(self) -> None:
        """Skip what an earlier conversation left."""
        for message in await self._newer():
            self._last = max(self._last, int(message["id"]))

    async def watch(self) -> None:
        while True:
            await asyncio.sleep(1)
            # It may be back before anything is said.
            with contextlib.suppress(*_ABSENT):
                async with self._busy:
                    self._show(await self._newer())

    async def say(self, line: str) -> None:
        body: dict[str, Any] = {"sender": self._sender}
        if line.startswith("/kirim "):
            file = await asyncio.to_thread(_file, Path(line.removeprefix("/kirim ").strip()))
            if file is None:
                print("Berkas itu tidak ada.")
                return
            body["file"] = file
        elif line.isdigit() and 1 <= int(line) <= len(self._choices):
            body["choice"] = self._choices[int(line) - 1]["id"]
        else:
            body["text"] = line
        async with self._busy, self._session.post("/simulator/messages", json=body) as response:
            if response.status != 200:
                print(f"(tidak terkirim: {response.status} {await response.text()})")
                return
            self._show((await response.json())["replies"])

    async def _newer(self) -> list[dict[str, Any]]:
        params = {"sender": self._sender, "after": str(self._last)}
        async with self._session.get("/simulator/messages", params=params) as response:
            response.raise_for_status()
            return list((await response.json())["replies"])

    def _show(self, replies: list[dict[str, Any]]) -> None:
        for reply in replies:
            if int(reply["id"]) <= self._last:
                continue
            self._last = int(reply["id"])
            self._choices = reply["choices"]
            print(f"\n{reply['text']}")
            for number, choice in enumerate(self._choices, 1):
                print(f"  [{number}] {choice['title']}")
        if replies:
            print("> ", end="", flush=True)


def _file(path: Path) -> dict[str, str] | None:
    path = path.expanduser()
    if not path.is_file():
        return None
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return {"name": path.name, "content_type": kind, "data": base64.b64encode(path.read_bytes()).decode()}


def _read() -> str | None:
    try:
        return input("> ")
    except EOFError:
        return None
