"""`praja promote` and `praja rollback`: another model goes live, on every server of Rasa or on none."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from learning.live_model import Kind, LiveModel, LiveModelBusy
from nlu.fingerprint import made_of, made_of_model
from praja.settings import ROOT

__all__ = [
    *("GateRefused", "NotBack", "NotLive", "Probe", "Servers"),
    *("promote", "read_probes", "read_reasons", "rollback", "settle"),
]

_LOADING_SECONDS = 120.0
_RESTARTING_SECONDS = 60.0
"""In which a server that the supervisor starts anew is back; it would come back with the model before."""


class NotLive(Exception):
    """The model before is live as it was; the message is Indonesian and says why."""


class GateRefused(NotLive):
    """It is worse than the live one."""


class NotBack(NotLive):
    """And some server doesn't serve the live one."""


@dataclass(frozen=True)
class Probe:
    text: str
    intent: str
    service: str | None


class Servers:
    """Those of `PRAJA_RASA_URLS`."""

    def __init__(self, urls: Sequence[str], token: str, *, restarting: float = _RESTARTING_SECONDS) -> None:
        self._urls = urls
        self._headers = {"Authorization": f"Bearer {token}"}
        self._restarting = restarting

    async def switch(self, model: Path, probes: Sequence[Probe], *, but_absent: bool = False) -> int:
        """Every server loads it, tries the probes and puts it in the live one's place; how many have.

        0 where none runs. Raises NotLive when any refuses or stays away (`but_absent`: that one is left alone): those
        that have switched go back; NotBack when one of them can't.
        """
        switched: list[tuple[str, str]] = []
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_LOADING_SECONDS)) as session:
            running = await asyncio.gather(*(self._runs(session, url) for url in self._urls))
            if not any(running):
                return 0
            for url in itertools.compress(self._urls, running) if but_absent else self._urls:
                try:
                    switched.append((url, await self._load(session, url, model, probes)))
                except NotLive as problem:
                    lost = [back for back, previous in switched if not await self._returns(session, back, previous)]
                    if lost:
                        raise NotBack(
                            f"{problem}\nServer ini belum kembali ke model sebelumnya; nyalakan ulang: {', '.join(lost)}"
                        ) from None
                    raise
        return len(switched)

    def __len__(self) -> int:
        return len(self._urls)

    async def _runs(self, session: aiohttp.ClientSession, url: str) -> bool:
        try:
            async with session.get(url):
                return True
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def _load(self, session: aiohttp.ClientSession, url: str, model: Path, probes: Sequence[Probe]) -> str:
        """The path of the model it served before. Raises NotLive."""
        body = {
            "model_file": str(model),
            "probes": [{"text": probe.text, "intent": probe.intent, "service": probe.service} for probe in probes],
        }
        deadline = asyncio.get_running_loop().time() + self._restarting
        while True:
            try:
                status, answer = await self._post(session, url, body)
                break
            except aiohttp.ClientConnectorError:
                if asyncio.get_running_loop().time() >= deadline:
                    raise NotLive(f"Rasa di {url} tidak berjalan.") from None
                await asyncio.sleep(0.5)
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                raise NotLive(f"Rasa di {url} tidak menjawab dengan benar ({type(error).__name__}).") from None
        if status == 200:
            return str(answer["previous"])
        raise NotLive(f"Rasa di {url} menolak model ini ({status}):\n{_why(answer)}")

    async def _returns(self, session: aiohttp.ClientSession, url: str, previous: str) -> bool:
        try:
            await self._load(session, url, Path(previous), [])
        except NotLive:
            return False
        return True

    async def _post(
        self, session: aiohttp.ClientSession, url: str, body: Mapping[str, Any]
    ) -> tuple[int, Mapping[str, Any]]:
        async with session.post(f"{url}/webhooks/praja/model", json=body, headers=self._headers) as response:
            answer = await response.json()
            if not isinstance(answer, dict) or (response.status == 200 and "previous" not in answer):
                raise ValueError("not as agreed")
            return response.status, answer


async def promote(
    model: Path,
    models: Path,
    servers: Servers,
    gate: Callable[[Path, Path | None], Sequence[str] | None],
    clock: Callable[[], datetime],
    *,
    probes: Sequence[Probe],
    override: str | None = None,
    watched: timedelta = timedelta(0),
    serves: Callable[[Path], bool] | None = None,
) -> int:
    """Make it live where `gate(candidate, live)` gives no reasons against it, or against them with `override`.

    It is on probation for `watched`, where it takes another's place on running servers. How many servers have switched.
    Raises GateRefused, NotLive, LiveModelBusy, and what the gate raises.
    """
    if override is not None and not override.strip():
        raise NotLive("--override memerlukan alasan.")
    _check(model, models, serves or _serves_here)
    live = LiveModel(models)
    with live.changing(wait=False):
        current = live.current()
        if current == model:
            raise NotLive(f"{model.name} sudah hidup.")
        reasons = await asyncio.to_thread(gate, model, current)
        if reasons and override is None:
            listed = "\n".join(f"- {reason}" for reason in reasons)
            raise GateRefused(f"{model.name} tidak boleh hidup:\n{listed}")
        switched = await _switch(live, servers, model, probes)
        kind = Kind.OVERRIDDEN if reasons else Kind.PROMOTED if current else Kind.FIRST
        now = clock()
        until = now + watched if watched and switched and current else None
        live.set(model, now, kind, (override or "").strip(), until)
        _settle_if_sure(live, servers, switched)
        return switched


async def rollback(
    models: Path,
    servers: Servers,
    now: datetime,
    *,
    reason: str = "",
    only: str | None = None,
    serves: Callable[[Path], bool] | None = None,
) -> Path:
    """Make the model live that was so before; its path. It has served already, so nothing is asked of it.

    A server that is down holds it up no longer than it takes the others: it takes the live model when it starts.

    `only`: no further than from this one, if it is still live.

    Raises NotLive, LiveModelBusy.
    """
    live = LiveModel(models)
    with live.changing(wait=False):
        model, current = live.before(), live.current()
        if only is not None and (current is None or current.name != only):
            raise NotLive(f"{only} tidak hidup lagi; tidak ada yang diubah.")
        if model is None:
            raise NotLive("Tidak ada model sebelumnya yang bisa dikembalikan.")
        if not (serves or _serves_here)(model):
            raise NotLive(f"{model.name} dibuat dari program atau konfigurasi yang lain; tidak bisa melayani lagi.")
        switched = await _switch(live, servers, model, [], but_absent=True)
        live.set(model, now, Kind.ROLLED_BACK, reason.strip())
        _settle_if_sure(live, servers, switched)
        return model


async def settle(models: Path, servers: Servers) -> bool:
    """Where a server may serve another model, since a change was cut off or it wasn't there, all serve the live one again.

    Whether that was so, and they do. Raises NotLive.
    """
    live = LiveModel(models)
    try:
        with live.changing(wait=False):
            current = live.current()
            if not live.is_unsettled or current is None:
                return False
            if await servers.switch(current, [], but_absent=True) < len(servers):
                return False
            live.settle()
            return True
    except LiveModelBusy:
        # Not cut off: somebody is in the middle of it.
        return False


def read_probes(data: Path) -> Sequence[Probe]:
    """Of `data/gerbang.yml`."""
    written = yaml.safe_load((data / "gerbang.yml").read_text("utf-8"))["uji_awal"]
    return [Probe(each["teks"], each["maksud"], each.get("layanan")) for each in written]


def read_reasons(report: Path) -> Sequence[str]:
    """Of the gate's last report."""
    reasons: Sequence[str] = json.loads(report.read_text("utf-8"))["reasons"]
    return reasons


async def _switch(
    live: LiveModel, servers: Servers, model: Path, probes: Sequence[Probe], *, but_absent: bool = False
) -> int:
    """Unsettled from then on until it is written down, or all have gone back. Raises NotLive."""
    live.unsettle()
    try:
        return await servers.switch(model, probes, but_absent=but_absent)
    except NotBack:
        raise
    except NotLive:
        live.settle()
        raise


def _settle_if_sure(live: LiveModel, servers: Servers, switched: int) -> None:
    """Else `settle` sees to it: one that was down, or started anew while others were loading, may have the model before."""
    if switched == len(servers) == 1:
        live.settle()


def _check(model: Path, models: Path, serves: Callable[[Path], bool]) -> None:
    if model.parent != models or not model.exists():
        raise NotLive(f"Model harus ada di {models}; {model} tidak.")
    if not serves(model):
        raise NotLive(f"{model.name} dibuat dari program atau konfigurasi yang lain; `praja train` dulu.")


def _serves_here(model: Path) -> bool:
    made = made_of_model(model)
    return made is not None and made.serves(made_of(ROOT))


def _why(answer: Mapping[str, Any]) -> str:
    failed = answer.get("failed")
    if not isinstance(failed, list):
        return str(answer.get("error", ""))
    return "\n".join(f"- “{each['text']}” seharusnya {each['expected']}, keluar {each['found']}" for each in failed)
