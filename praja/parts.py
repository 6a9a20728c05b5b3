"""The parts of a running Praja: how each is started, with what environment, and how one sees that it answers."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from praja.settings import ROOT, Settings

__all__ = [
    "NLU_PYTHON",
    "QUIET_RASA",
    "Part",
    "environment",
    "known_parts",
    "parts",
    "rasa_database_url",
    "rasa_environment",
]

NLU_PYTHON = ROOT / "nlu" / ".venv" / "bin" / "python"

QUIET_RASA: Mapping[str, str] = {
    "PYTHONPATH": str(ROOT),
    "PYTHONWARNINGS": "ignore",
    "RASA_TELEMETRY_ENABLED": "false",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "LOG_LEVEL": "WARNING",
}
"""Whatever runs in Rasa's environment: finds our rooms, tells nobody, and keeps its warnings to itself."""


@dataclass(frozen=True)
class Part:
    name: str
    command: Sequence[str]
    health: str
    """answers 200 once the part can work"""
    port: int
    setting: str
    """the variable that moves its port, named when the port is taken"""
    host: str = "127.0.0.1"
    """where it listens"""


def parts(settings: Settings) -> list[Part]:
    """In the order they are started; they are stopped in the reverse one."""
    elsewhere = {"backend": settings.backend_url, "rasa": settings.rasa_urls}
    return [part for part in known_parts(settings) if elsewhere.get(part.name) is None]


def known_parts(settings: Settings) -> list[Part]:
    """Those that run elsewhere too, as they would here."""
    run = (sys.executable, "-m", "praja.command", "run")
    return [
        Part(
            "backend",
            (*run, "backend"),
            f"http://127.0.0.1:{settings.backend_port}/healthz",
            settings.backend_port,
            "PRAJA_BACKEND_PORT",
            settings.inner_host,
        ),
        Part(
            "actions",
            (*run, "actions"),
            f"{settings.actions_address}/health",
            settings.actions_port,
            "PRAJA_ACTIONS_PORT",
        ),
        Part(
            "rasa",
            (*run, "rasa"),
            f"http://127.0.0.1:{settings.rasa_port}/status?token={quote(settings.rasa_token)}",
            settings.rasa_port,
            "PRAJA_RASA_PORT",
            settings.inner_host,
        ),
        Part(
            "bot",
            (*run, "bot"),
            f"{settings.bot_address}/healthz",
            settings.http_port,
            "PRAJA_HTTP_PORT",
            settings.http_host,
        ),
    ]


def environment(settings: Settings, database_url: str) -> Mapping[str, str]:
    """What every part is started with: the settings as they came out, so all parts agree on generated secrets."""
    given = {
        f"PRAJA_{name.upper()}": str(value)
        for name, value in settings.model_dump(mode="json").items()
        if value is not None
    }
    return {**os.environ, **given, "PRAJA_DATABASE_URL": database_url, "PYTHONUNBUFFERED": "1"}


def rasa_environment(settings: Settings, database_url: str) -> Mapping[str, str]:
    return {
        **environment(settings, database_url),
        "PRAJA_RASA_DATABASE_URL": rasa_database_url(database_url),
        "PRAJA_ACTIONS_URL": f"{settings.actions_address}/webhook",
        **QUIET_RASA,
        # One thread a library: more of them only wait for each other on a small machine.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "SANIC_WORKERS": "1",
    }


def rasa_database_url(database_url: str) -> str:
    """The same database, in the schema that belongs to Rasa."""
    separator = "&" if "?" in database_url else "?"
    return f"{database_url}{separator}options={quote('-csearch_path=rasa')}"
