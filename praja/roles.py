"""`praja run ROLE`: one part in the foreground, for the supervisor and for many machines."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import aiohttp
import uvloop
from aiohttp import web

from journal import send_spans, write_lines
from praja.parts import NLU_PYTHON, known_parts, rasa_environment
from praja.settings import ROOT, Settings, SettingsUnfit
from praja.staff import console_settings
from praja.supervisor import check_ports
from praja.training import serving_model

if TYPE_CHECKING:
    from bot.desk.chatwoot import ChatwootSettings
    from bot.desk.room import DeskRoom
    from bot.server import Console, Role

__all__ = ["run_role"]

_BOT_ROLES: Mapping[str, tuple[Role, ...]] = {
    "bot": ("http", "worker", "sender", "console"),
    "worker": ("worker",),
    "sender": ("sender",),
    "console": ("console",),
}
"""`run bot` is enough by itself; the others add capacity beside it."""

_YOUNG_OBJECTS = 20_000
"""between two looks for garbage in circles; Python's 700 are reached several times in a turn"""

_SANIC_ENDED = "Experienced exception while trying to serve"


def run_role(role: str, settings: Settings) -> int:
    """Serve until SIGTERM. Raises SettingsUnfit, PortTaken, and what is wrong with `data/`."""
    gc.set_threshold(_YOUNG_OBJECTS)
    write_lines(role, as_json=settings.log_format == "json")
    if settings.otlp_url:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        send_spans(role, OTLPSpanExporter(endpoint=f"{settings.otlp_url.rstrip('/')}/v1/traces"))
    for name in ("rasa_sdk", "sanic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    listening = "bot" if role == "console" else role
    check_ports([part for part in known_parts(settings) if part.name == listening])
    match role:
        case "actions":
            _actions(settings)
        case "rasa":
            _rasa(settings, _database(settings))
        case "backend":
            uvloop.run(_backend(settings, _database(settings)))
        case _:
            uvloop.run(_bot(settings, _database(settings), _BOT_ROLES[role]))
    return 0


def _database(settings: Settings) -> str:
    if settings.database_url is None:
        raise SettingsUnfit(
            "PRAJA_DATABASE_URL belum diatur; `praja up` mengaturnya sendiri, `praja run` memerlukannya."
        )
    # One that doesn't answer yet is waited for: machines come up in any order.
    return settings.database_url


def _actions(settings: Settings) -> None:
    from actions.server import ActionsSettings, serve

    # With a traceback, of what comes out of `serve` all the same.
    logging.getLogger("sanic.error").addFilter(lambda record: record.msg != _SANIC_ENDED)
    serve(
        ActionsSettings(
            data=settings.data,
            host="127.0.0.1",
            port=settings.actions_port,
            backend_url=settings.backend_address,
            backend_token=settings.backend_token,
            rasa_token=settings.rasa_token,
            bot_url=settings.inner_address,
        )
    )


def _rasa(settings: Settings, database_url: str) -> None:
    model = serving_model(settings.models)
    if model is None:
        raise SettingsUnfit(
            f"Belum ada model di {settings.models}; jalankan `praja train`, lalu `praja promote MODEL`."
        )
    command = [
        str(NLU_PYTHON),
        "-m",
        "nlu.server",
        "--host",
        settings.inner_host,
        "--port",
        str(settings.rasa_port),
        "--model",
        str(model),
    ]
    os.chdir(ROOT)
    os.execve(command[0], command, dict(rasa_environment(settings, database_url)))  # noqa: S606


async def _backend(settings: Settings, database_url: str) -> None:
    from backend.server import BackendSettings, serve
    from backend.workspace import Retention

    if settings.backend_token == settings.backend_officer_token:
        raise SettingsUnfit("PRAJA_BACKEND_TOKEN dan PRAJA_BACKEND_OFFICER_TOKEN harus berbeda.")
    await serve(
        BackendSettings(
            database_url=database_url,
            home=settings.home,
            data=settings.data,
            secret_key=settings.secret_keys,
            token=settings.backend_token,
            officer_token=settings.backend_officer_token,
            webhook_url=f"{settings.inner_address}/webhooks/backend",
            webhook_secret=settings.backend_webhook_secret,
            host=settings.inner_host,
            port=settings.backend_port,
            retention=Retention(
                documents=timedelta(days=settings.keep_documents_days),
                answers=timedelta(days=settings.keep_answers_days),
            ),
        )
    )


def _chatwoot(settings: Settings) -> ChatwootSettings | None:
    if not settings.chatwoot_url:
        return None
    from bot.desk.chatwoot import ChatwootSettings

    return ChatwootSettings(
        url=settings.chatwoot_url,
        token=settings.chatwoot_token or "",
        account=settings.chatwoot_account or 0,
        inbox=settings.chatwoot_inbox or 0,
        webhook_secret=settings.chatwoot_webhook_secret or "",
    )


async def _bot(settings: Settings, database_url: str, roles: Collection[Role]) -> None:
    from bot.channels.telegram import TelegramSettings
    from bot.channels.whatsapp import WhatsAppSettings
    from bot.desk.room import DeskRules
    from bot.flood import FloodLimits
    from bot.server import BotSettings, serve
    from praja.check import inspect

    whatsapp = telegram = None
    if settings.whatsapp_token:
        whatsapp = WhatsAppSettings(
            token=settings.whatsapp_token,
            phone_number_id=settings.whatsapp_phone_number_id or "",
            app_secret=settings.whatsapp_app_secret or "",
            verify_token=settings.whatsapp_verify_token or "",
            api_url=settings.whatsapp_api_url,
            api_version=settings.whatsapp_api_version,
            window_template=(settings.whatsapp_template, "id") if settings.whatsapp_template else None,
        )
    if settings.telegram_token:
        telegram = TelegramSettings(
            token=settings.telegram_token,
            api_url=settings.telegram_api_url,
            mode=settings.telegram_mode,
            webhook_secret=settings.telegram_webhook_secret or "",
            webhook_url=f"{settings.public_url}/webhooks/telegram",
        )
    await serve(
        BotSettings(
            database_url=database_url,
            secret_key=settings.secret_keys,
            data=settings.data,
            host=settings.http_host,
            port=settings.http_port,
            production=settings.production,
            rasa_urls=settings.rasa_addresses,
            rasa_token=settings.rasa_token,
            backend_url=settings.backend_address,
            backend_webhook_secret=settings.backend_webhook_secret,
            # Rasa servers of other machines have their actions beside them.
            actions_url=settings.actions_address if settings.rasa_urls is None else None,
            internal_url=settings.inner_address,
            whatsapp=whatsapp,
            telegram=telegram,
            backend_token=settings.backend_token,
            public_url=settings.public_url,
            flood=FloodLimits(settings.messages_a_minute, settings.most_answers_a_day),
            keep_messages=timedelta(days=settings.keep_messages_days),
            keep_files=timedelta(days=settings.keep_files_days),
            backend_poll=timedelta(seconds=settings.backend_poll_seconds),
            folders={"home": settings.home, "models": settings.models},
            inspect=lambda: inspect(database_url, datetime.now(UTC)),
            chatwoot=_chatwoot(settings),
            desk=DeskRules(
                idle=timedelta(minutes=settings.desk_idle_minutes),
                unanswered=timedelta(days=settings.desk_unanswered_days),
            ),
        ),
        roles,
        _console(settings),
    )


def _console(settings: Settings) -> Console:
    from console.app import PREFIX, create_console, open_workspace

    def pages(room: DeskRoom, session: aiohttp.ClientSession) -> Mapping[str, web.Application]:
        return {PREFIX: create_console(open_workspace(console_settings(settings), room, session))}

    return pages
