"""The actions server: rasa-sdk's webhook, with our actions registered one by one."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from rasa_sdk.endpoint import create_app
from rasa_sdk.executor import ActionExecutor
from sanic import Sanic

from actions.action import FORM, DialogueAction, Resources
from actions.answers import Answer
from actions.backend import Backend, BackendDown
from actions.catalogue import Catalogue
from actions.filing import Agree, Disagree, File, Resume, Stop
from actions.form import AskNext, TakeAnswer
from actions.offices import Offices
from actions.sayings import ListServices, NotUnderstood, Repeat, Say
from actions.status import TellStatus
from actions.texts import Texts
from actions.turn import IncomingFile

__all__ = ["ActionsSettings", "serve"]


@dataclass(frozen=True)
class ActionsSettings:
    data: Path
    host: str
    port: int
    backend_url: str
    backend_token: str
    rasa_token: str
    """what the bot wants to see before it gives out a citizen's file"""


def serve(settings: ActionsSettings) -> None:
    """Serve until SIGTERM. One process: Sanic's own workers would outlive a kill and keep the port."""
    warnings.filterwarnings(
        "ignore", message="Your versions of rasa and rasa_sdk", category=UserWarning
    )  # tried together
    executor = _Executor()
    app = create_app(executor)
    app.config.KEEP_ALIVE_TIMEOUT = 120
    app.config.ACCESS_LOG = False

    async def open_resources(app: Sanic[Any, Any]) -> None:
        app.ctx.session = aiohttp.ClientSession()
        for action in _actions(settings, app.ctx.session):
            executor.register_action(action)

    async def close_resources(app: Sanic[Any, Any]) -> None:
        await app.ctx.session.close()

    app.before_server_start(open_resources)
    app.after_server_stop(close_resources)
    app.run(host=settings.host, port=settings.port, single_process=True, motd=False)


class _Executor(ActionExecutor):
    def update_and_return_domain(self, payload: dict[str, Any], action_name: str) -> dict[str, Any]:
        """No domain is sent and none is asked for: 20 kB a call that no action of ours reads."""
        return {}


def _actions(settings: ActionsSettings, session: aiohttp.ClientSession) -> list[DialogueAction]:
    backend = Backend(settings.backend_url, settings.backend_token, session)
    resources = Resources(
        backend=backend,
        catalogue=Catalogue(backend, settings.data),
        offices=Offices(settings.data),
        texts=Texts(settings.data),
    )

    async def fetch(file: IncomingFile) -> bytes:
        headers = {"Authorization": f"Bearer {settings.rasa_token}"}
        try:
            async with session.get(file.url, headers=headers, timeout=aiohttp.ClientTimeout(total=8)) as response:
                if not response.ok:
                    raise BackendDown(f"file: {response.status}")
                return await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise BackendDown(f"file: {type(error).__name__}") from None

    return [
        Say("action_salam", resources, "salam", menu=True),
        Say("action_terima_kasih", resources, "terima_kasih"),
        Say("action_pamit", resources, "pamit"),
        Say("action_bantuan", resources, "bantuan", menu=True),
        Say("action_tanya_bot", resources, "tanya_bot"),
        Say("action_umpan_balik", resources, "umpan_balik"),
        Say("action_luar_topik", resources, "di_luar_topik", menu=True),
        Say("action_darurat", resources, "darurat"),
        Say("action_pengaduan", resources, "pengaduan"),
        Say("action_privasi", resources, "privasi"),
        Say("action_petugas", resources, "petugas", handoff="diminta"),
        ListServices("action_daftar_layanan", resources),
        Answer("action_jawab", resources),
        File("action_ajukan", resources),
        Resume("action_lanjutkan", resources),
        Agree("action_ya", resources),
        Disagree("action_tidak", resources),
        Stop("action_batal", resources),
        Repeat("action_ulangi", resources),
        TellStatus("action_status", resources),
        NotUnderstood("action_tidak_paham", resources),
        AskNext("action_ask_isian", resources),
        TakeAnswer(f"validate_{FORM}", resources, fetch),
    ]
