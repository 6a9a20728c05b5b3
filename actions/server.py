"""The actions server: rasa-sdk's webhook, with our actions registered one by one."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
from rasa_sdk.endpoint import create_app
from rasa_sdk.executor import ActionExecutor, ActionExecutorRunResult
from sanic import Request, Sanic

from actions.action import FORM, DialogueAction, Resources
from actions.answers import Answer
from actions.backend import Backend, BackendDown
from actions.bot import Bot
from actions.catalogue import Catalogue
from actions.correction import Correction, StartCorrection
from actions.filing import Agree, Complain, Disagree, File, Greet, Resume, Stop
from actions.form import AskNext, TakeAnswer
from actions.offices import Offices
from actions.result import GiveResult
from actions.rights import Rights
from actions.sayings import Emergency, ListServices, NotUnderstood, OffTopic, Repeat, Say
from actions.states import States
from actions.status import TellStatus
from actions.texts import Texts
from actions.turn import FileLost, IncomingFile
from actions.withdrawal import Withdraw
from journal import TURN_HEADER, begin_turn, span

__all__ = ["ActionsSettings", "dialogue_actions", "serve"]

_logger = logging.getLogger(__name__)
_LOCAL = ZoneInfo("Asia/Jakarta")


@dataclass(frozen=True)
class ActionsSettings:
    data: Path
    host: str
    port: int
    backend_url: str
    backend_token: str
    rasa_token: str
    """what the bot wants to see before it gives out a citizen's file, a link, or erases what it keeps"""
    bot_url: str


def serve(settings: ActionsSettings) -> None:
    """Serve until SIGTERM. One process: Sanic's own workers would outlive a kill and keep the port."""
    warnings.filterwarnings(
        "ignore", message="Your versions of rasa and rasa_sdk", category=UserWarning
    )  # tried together
    executor = _Executor()
    app = create_app(executor)
    app.config.KEEP_ALIVE_TIMEOUT = 120
    app.config.ACCESS_LOG = False

    async def note_turn(request: Request) -> None:
        begin_turn(request.headers.get(TURN_HEADER))

    async def open_resources(app: Sanic[Any, Any]) -> None:
        app.ctx.session = aiohttp.ClientSession()
        for action in dialogue_actions(settings, app.ctx.session):
            executor.register_action(action)

    async def close_resources(app: Sanic[Any, Any]) -> None:
        await app.ctx.session.close()

    app.on_request(note_turn)
    app.before_server_start(open_resources)
    app.after_server_stop(close_resources)
    app.run(host=settings.host, port=settings.port, single_process=True, motd=False)


class _Executor(ActionExecutor):
    async def run(self, action_call: dict[str, Any], *more: Any, **further: Any) -> ActionExecutorRunResult | None:
        started = time.monotonic()
        try:
            with span(str(action_call.get("next_action"))):
                return await super().run(action_call, *more, **further)
        finally:
            _logger.info("%s in %.0f ms", action_call.get("next_action"), 1000 * (time.monotonic() - started))

    def update_and_return_domain(self, payload: dict[str, Any], action_name: str) -> dict[str, Any]:
        """No domain is sent and none is asked for: 20 kB a call that no action of ours reads."""
        return {}


def _local_now() -> datetime:
    return datetime.now(_LOCAL)


def dialogue_actions(
    settings: ActionsSettings, session: aiohttp.ClientSession, clock: Callable[[], datetime] = _local_now
) -> list[DialogueAction]:
    backend = Backend(settings.backend_url, settings.backend_token, session, States(settings.data))
    resources = Resources(
        backend=backend,
        catalogue=Catalogue(backend, settings.data),
        offices=Offices(settings.data),
        texts=Texts(settings.data),
        bot=Bot(settings.bot_url, settings.rasa_token, session),
        clock=clock,
    )

    async def fetch(file: IncomingFile) -> bytes:
        headers = {"Authorization": f"Bearer {settings.rasa_token}"}
        try:
            async with session.get(file.url, headers=headers, timeout=aiohttp.ClientTimeout(total=8)) as response:
                if response.status == 404:
                    raise FileLost
                if not response.ok:
                    raise BackendDown(f"file: {response.status}")
                return await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise BackendDown(f"file: {type(error).__name__}") from None

    status, withdraw = TellStatus("action_status", resources), Withdraw("action_cabut", resources)
    result, rights = GiveResult("action_hasil", resources), Rights("action_privasi", resources)
    mend, correction = StartCorrection("action_perbaiki", resources), Correction(resources, fetch)
    file = File("action_ajukan", resources)
    after = {
        "cabut": withdraw,
        "data": rights,
        "hasil": result,
        "konfirmasi": status,
        "niat": file,
        "perbaiki": mend,
        "status": status,
    }
    return [
        Greet("action_salam", resources),
        Say("action_terima_kasih", resources, "terima_kasih"),
        Say("action_pamit", resources, "pamit"),
        Say("action_bantuan", resources, "bantuan", menu=True),
        Say("action_tanya_bot", resources, "tanya_bot"),
        Say("action_umpan_balik", resources, "umpan_balik"),
        OffTopic("action_luar_topik", resources, "di_luar_topik", menu=True),
        Emergency("action_darurat", resources, "darurat"),
        Complain("action_pengaduan", resources),
        Say("action_petugas", resources, "petugas", handoff="diminta"),
        ListServices("action_daftar_layanan", resources),
        Answer("action_jawab", resources),
        file,
        Resume("action_lanjutkan", resources),
        Agree("action_ya", resources, after),
        Disagree("action_tidak", resources, after),
        Stop("action_batal", resources, withdraw),
        Repeat("action_ulangi", resources),
        status,
        mend,
        withdraw,
        result,
        rights,
        NotUnderstood("action_tidak_paham", resources),
        AskNext("action_ask_isian", resources, correction),
        TakeAnswer(f"validate_{FORM}", resources, fetch, correction),
    ]
