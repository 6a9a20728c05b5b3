"""Settings: every variable in one place, read from the environment and from `.env`; `docs/settings.md` explains them."""

from __future__ import annotations

import contextlib
import os
import secrets
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = ["ROOT", "Environment", "Settings", "SettingsUnfit", "load_settings"]

ROOT = Path(__file__).resolve().parent.parent
"""The checkout: configuration, data and models lie beside the code."""

_GENERATED = ("secret_key", "backend_token", "backend_officer_token", "backend_webhook_secret", "rasa_token")

_PATIENCE = {
    "connect_timeout": 5,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""libpq's, for connections to another machine; seconds, the last one milliseconds"""


class SettingsUnfit(Exception):
    """A setting is missing or can't be right; the message is one sentence an operator can act on."""


class Environment(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="PRAJA_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    env: Environment = Environment.DEVELOPMENT
    home: Path = ROOT / ".praja"
    models: Path = ROOT / "models"
    database_url: str | None = Field(default=None, description="None: the embedded server")
    http_host: str = "127.0.0.1"
    http_port: int = 8080
    public_url: str = "http://127.0.0.1:8080"
    log_format: Literal["json", "teks"] = "json"
    otlp_url: str | None = Field(default=None, description="None: no spans")
    inner_host: str = "127.0.0.1"
    inner_url: str | None = Field(default=None, description="how other machines reach the bot; None: its host and port")
    secret_key: str = ""
    secret_keys_old: str = Field(default="", description="comma-separated; what they sealed can still be opened")

    telegram_token: str | None = None
    telegram_api_url: str = "https://api.telegram.org"
    telegram_mode: Literal["polling", "webhook"] = "polling"
    telegram_webhook_secret: str | None = None

    whatsapp_token: str | None = None
    whatsapp_phone_number_id: str | None = None
    whatsapp_app_secret: str | None = None
    whatsapp_verify_token: str | None = None
    whatsapp_api_url: str = "https://graph.facebook.com"
    whatsapp_api_version: str = "v26.0"
    whatsapp_template: str | None = None

    backend_url: str | None = Field(default=None, description="None: the reference backend on loopback")
    backend_token: str = ""
    backend_officer_token: str = ""
    backend_webhook_secret: str = ""
    backend_poll_seconds: int = Field(default=0, ge=0, description="0: the backend tells of changes itself")
    backend_port: int = 8081
    actions_port: int = 5055
    rasa_port: int = 5005
    rasa_urls: str | None = Field(default=None, description="comma-separated; None: the one on loopback")
    rasa_token: str = ""

    desk_idle_minutes: int = Field(default=60, ge=5)
    desk_unanswered_days: int = Field(default=7, ge=1)
    chatwoot_url: str | None = Field(default=None, description="None: our own desk")
    chatwoot_token: str | None = None
    chatwoot_account: int | None = None
    chatwoot_inbox: int | None = None
    chatwoot_webhook_secret: str | None = None

    messages_a_minute: int = Field(default=30, ge=1, description="of one person who doesn't wait for the answers")
    answers_a_day: int | None = Field(default=None, ge=1, description="to one person; None: see most_answers_a_day")

    keep_messages_days: int = Field(default=90, ge=1)
    keep_files_days: int = Field(default=30, ge=1)
    keep_documents_days: int = Field(default=30, ge=1)
    keep_answers_days: int = Field(default=180, ge=1)

    proxies: str = Field(default="127.0.0.0/8,::1/128", description="comma-separated networks")

    oidc_issuer: str | None = Field(default=None, description="None: no identity provider")
    oidc_client_id: str | None = None
    oidc_client_secret: str | None = None

    @field_validator("proxies")
    @classmethod
    def _networks(cls, listed: str) -> str:
        for part in listed.split(","):
            if part.strip():
                ip_network(part.strip())
        return listed

    @field_validator("database_url")
    @classmethod
    def _patient(cls, url: str | None) -> str | None:
        """A machine that is gone says nothing: libpq itself would wait for it for hours."""
        if url is None:
            return None
        if not url.startswith("postgresql://"):
            raise ValueError("harus berbentuk postgresql://pengguna:sandi@mesin/nama")
        given = parse_qs(urlsplit(url).query)
        added = "&".join(f"{name}={value}" for name, value in _PATIENCE.items() if name not in given)
        return f"{url}{'&' if urlsplit(url).query else '?'}{added}" if added else url

    @field_validator("home", "models")
    @classmethod
    def _absolute(cls, folder: Path) -> Path:
        return folder.expanduser().resolve()

    @property
    def data(self) -> Path:
        return ROOT / "data"

    @property
    def production(self) -> bool:
        return self.env is Environment.PRODUCTION

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """What is sealed from now on is sealed with the first."""
        earlier = (key.strip() for key in self.secret_keys_old.split(","))
        return self.secret_key, *(key for key in earlier if key and key != self.secret_key)

    @property
    def proxy_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        return tuple(ip_network(part.strip()) for part in self.proxies.split(",") if part.strip())

    @property
    def most_answers_a_day(self) -> int | None:
        """Nobody is billed for what a test bed sends to its own fakes."""
        return self.answers_a_day or (2000 if self.production else None)

    @property
    def backend_address(self) -> str:
        return self.backend_url or f"http://127.0.0.1:{self.backend_port}"

    @property
    def actions_address(self) -> str:
        return f"http://127.0.0.1:{self.actions_port}"

    @property
    def rasa_addresses(self) -> tuple[str, ...]:
        listed = self.rasa_urls or f"http://127.0.0.1:{self.rasa_port}"
        return tuple(url.strip().rstrip("/") for url in listed.split(",") if url.strip())

    @property
    def bot_address(self) -> str:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.http_host, self.http_host)  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host else host}:{self.http_port}"

    @property
    def inner_address(self) -> str:
        """Where Rasa, the actions and the backend reach the bot."""
        return (self.inner_url or self.bot_address).rstrip("/")


def load_settings() -> Settings:
    """The settings, with secrets that nobody gave generated into `PRAJA_HOME/secrets` on first use.

    Raises SettingsUnfit.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "PRAJA_" + "_".join(str(part) for part in first["loc"]).upper()
        why = first["msg"].removeprefix("Value error, ")
        raise SettingsUnfit(f"{name} tidak sah: {why}. Lihat docs/settings.md.") from None
    missing = [name for name in _GENERATED if not getattr(settings, name)]
    if settings.production and missing:
        names = ", ".join(f"PRAJA_{name.upper()}" for name in missing)
        raise SettingsUnfit(f"PRAJA_ENV=production memerlukan {names}; isi dengan rahasia panjang yang acak.")
    _check_channels(settings)
    if not missing:
        return settings
    try:
        generated = {name: _generated(settings.home, name) for name in missing}
    except OSError as error:
        raise SettingsUnfit(
            f"PRAJA_HOME {settings.home} tidak bisa ditulisi ({error.strerror}); pilih folder lain atau kosongkan ruang disk."
        ) from None
    return settings.model_copy(update=generated)


def _check_channels(settings: Settings) -> None:
    required: dict[str, str | None] = {}
    if settings.whatsapp_token:
        required |= {
            "PRAJA_WHATSAPP_PHONE_NUMBER_ID": settings.whatsapp_phone_number_id,
            "PRAJA_WHATSAPP_APP_SECRET": settings.whatsapp_app_secret,
            "PRAJA_WHATSAPP_VERIFY_TOKEN": settings.whatsapp_verify_token,
        }
    if settings.telegram_token and settings.telegram_mode == "webhook":
        required |= {"PRAJA_TELEGRAM_WEBHOOK_SECRET": settings.telegram_webhook_secret}
    if settings.chatwoot_url:
        required |= {
            "PRAJA_CHATWOOT_TOKEN": settings.chatwoot_token,
            "PRAJA_CHATWOOT_ACCOUNT": str(settings.chatwoot_account or ""),
            "PRAJA_CHATWOOT_INBOX": str(settings.chatwoot_inbox or ""),
            "PRAJA_CHATWOOT_WEBHOOK_SECRET": settings.chatwoot_webhook_secret,
        }
    if settings.oidc_issuer:
        required |= {
            "PRAJA_OIDC_CLIENT_ID": settings.oidc_client_id,
            "PRAJA_OIDC_CLIENT_SECRET": settings.oidc_client_secret,
        }
    if missing := [name for name, value in required.items() if not value]:
        raise SettingsUnfit(
            f"{', '.join(missing)} wajib diisi bila kanalnya atau Chatwoot dinyalakan; lihat docs/settings.md."
        )


def _generated(home: Path, name: str) -> str:
    """Made once, readable by its owner only; several parts starting at once agree on the first one written."""
    folder = home / "secrets"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    if not path.exists():
        draft = folder / f".{name}.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(32), encoding="utf-8")
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text(encoding="utf-8").strip()
