"""Each misconfiguration is found once, by a sentence that says what to do; a good set-up has none."""

from __future__ import annotations

import fcntl
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import holidays
import psycopg
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from identity import Seal
from learning.live_model import Kind, LiveModel
from praja.database import head_revision
from praja.doctor import examine
from praja.doctor.configuration import look_at_configuration
from praja.doctor.problem import Patient
from praja.settings import Environment, Settings
from tests.fakes.telegram import FakeTelegram
from tests.fakes.whatsapp import FakeWhatsApp

KEY = "kFm3lJr0T8y0pZ5qkQx2"
CHANNEL, OFFICER, RASA = "t0k3n-kanal-k9s8d7f6g5h4", "t0k3n-petugas-z1x2c3v4b5", "t0k3n-r4s4-q1w2e3r4t5y6"


@dataclass
class Servers:
    """Backend, Rasa and the bot's public door, as good as the settings say."""

    channel: str = CHANNEL
    officer: str = OFFICER
    rasa: str = RASA
    has_model: bool = True
    is_public: bool = True
    url: str = field(default="", init=False)

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.get("/api/v1/services", self._services),
                web.get("/api/v1/filings", self._filings),
                web.get("/status", self._status),
                web.get("/healthz", self._healthz),
            ]
        )
        return app

    async def _services(self, request: web.Request) -> web.Response:
        return _guarded(request, self.channel)

    async def _filings(self, request: web.Request) -> web.Response:
        return _guarded(request, self.officer)

    async def _status(self, request: web.Request) -> web.Response:
        if request.query.get("token") != self.rasa:
            return web.json_response({}, status=401)
        return web.json_response({}, status=200 if self.has_model else 409)

    async def _healthz(self, request: web.Request) -> web.Response:
        return web.Response(status=200 if self.is_public else 502)


def _guarded(request: web.Request, token: str) -> web.Response:
    return web.json_response({}, status=200 if request.headers.get("Authorization") == f"Bearer {token}" else 401)


@dataclass
class Setup:
    """A good one, until a test spoils it."""

    settings: Settings
    whatsapp: FakeWhatsApp
    telegram: FakeTelegram
    servers: Servers
    new_database: Callable[..., str]
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def change(self, **settings: Any) -> None:
        self.settings = self.settings.model_copy(update=settings)

    def own_database(self) -> str:
        """One that may be written to."""
        url = self.new_database(self.settings.database_url)
        self.change(database_url=url)
        return url

    async def found(self) -> list[str]:
        problems = await examine(self.settings, self.now)
        assert all(problem.sentence[0].isupper() for problem in problems)
        assert all(problem.sentence.endswith((".", ")", "true")) for problem in problems), problems
        return [problem.id for problem in problems]


@pytest.fixture
async def setup(
    new_database: Callable[..., str], all_tables: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Setup]:
    monkeypatch.chdir(tmp_path)
    # Joint leave of the year to come is known by the calendar's next release only.
    monkeypatch.setattr(
        holidays, "country_holidays", lambda *_, years, **__: {date(years, 1, 2): "cuti"} if years < 2090 else {}
    )
    servers = Servers()
    async with (
        FakeWhatsApp(token="t0k3n-wa") as whatsapp,
        FakeTelegram(token="123456:abc") as telegram,
        TestServer(servers.app()) as server,
    ):
        servers.url = str(server.make_url("")).rstrip("/")
        settings = Settings(
            home=tmp_path / "home", models=tmp_path / "models", database_url=all_tables, secret_key=KEY,
            backend_token=CHANNEL, backend_officer_token=OFFICER, rasa_token=RASA, backend_webhook_secret="w3bh00k-m9n8b7v6c5",
            backend_url=servers.url, rasa_urls=servers.url, public_url=servers.url, http_port=0, actions_port=0,
            whatsapp_token="t0k3n-wa", whatsapp_phone_number_id=whatsapp.phone_number_id, whatsapp_app_secret="4pp-s3cr3t",
            whatsapp_verify_token="v3r1fy-a1s2d3f4", whatsapp_api_url=whatsapp.url, telegram_token="123456:abc",
            telegram_api_url=telegram.url,
        )  # fmt: skip
        settings.home.mkdir()
        yield Setup(settings, whatsapp, telegram, servers, new_database)


@pytest.fixture
def is_running(setup: Setup) -> Iterator[None]:
    with (setup.settings.home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


async def test_a_good_set_up_has_none(setup: Setup) -> None:
    assert await setup.found() == []


@pytest.mark.usefixtures("is_running")
async def test_one_that_runs_has_none_either(setup: Setup) -> None:
    assert await setup.found() == []


def _expiring(setup: Setup) -> None:
    setup.whatsapp.token_expires_at = int((setup.now + timedelta(days=3)).timestamp())


def _webhook_fails(setup: Setup) -> None:
    setup.change(telegram_mode="webhook", telegram_webhook_secret="w3bh00k_t3l3")
    setup.telegram.webhook = f"{setup.settings.public_url}/webhooks/telegram"
    setup.telegram.last_error = "Wrong response from the webhook: 502 Bad Gateway"


def _sealed_otherwise(setup: Setup) -> None:
    with psycopg.connect(setup.own_database()) as connection:
        connection.execute(
            "INSERT INTO bot.inbox (channel, external_id, raw, received_at) VALUES ('simulator', '1', %s, now())",
            (Seal("kunci lain", "bot.inbox").seal(b"{}"),),
        )


def _older_tables(setup: Setup) -> None:
    assert head_revision() != "0001"
    with psycopg.connect(setup.own_database()) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda s: s.change(whatsapp_token="lama"), "whatsapp-token"),
        (lambda s: s.change(whatsapp_phone_number_id="6281234500001"), "whatsapp-number"),
        (lambda s: s.change(whatsapp_api_url="http://127.0.0.1:9"), "whatsapp-unreachable"),
        (_expiring, "whatsapp-token-expires"),
        (lambda s: s.change(telegram_token="1:lain"), "telegram-token"),
        (lambda s: s.change(telegram_api_url="http://127.0.0.1:9"), "telegram-unreachable"),
        (lambda s: setattr(s.telegram, "webhook", "https://tempat.lain/webhook"), "telegram-webhook-elsewhere"),
        (_webhook_fails, "telegram-webhook-fails"),
        (lambda s: s.telegram.pending.extend([{"update_id": 1}] * 1001), "telegram-pending"),
        (lambda s: setattr(s, "now", s.now + timedelta(minutes=2)), "clock"),
        (lambda s: setattr(s.servers, "channel", "lain"), "backend-token"),
        (lambda s: setattr(s.servers, "officer", "lain"), "backend-token"),
        (lambda s: s.change(backend_url="http://127.0.0.1:9"), "backend-unreachable"),
        (lambda s: setattr(s.servers, "rasa", "lain"), "rasa-token"),
        (lambda s: setattr(s.servers, "has_model", False), "rasa-without-model"),
        (lambda s: s.change(rasa_urls="http://127.0.0.1:9"), "rasa-unreachable"),
        (lambda s: s.change(database_url="postgresql://praja@127.0.0.1:9/praja"), "database-unreachable"),
        (_sealed_otherwise, "secret-key"),
        (_older_tables, "database-tables"),
        (lambda s: s.change(backend_webhook_secret=CHANNEL), "secret-shared"),
        (lambda s: s.change(secret_keys_old="kunci lama"), "rotation-unfinished"),
    ],
)  # fmt: skip
async def test_each_is_found_once(setup: Setup, spoil: Callable[[Setup], object], problem: str) -> None:
    spoil(setup)
    assert await setup.found() == [problem]


@pytest.mark.usefixtures("is_running")
async def test_a_public_address_that_leads_nowhere(setup: Setup) -> None:
    setup.servers.is_public = False
    assert await setup.found() == ["public-url-unreachable"]


async def test_a_port_that_somebody_has(setup: Setup) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        setup.change(http_port=taken.getsockname()[1])
        assert await setup.found() == ["port"]


async def test_holidays_that_nobody_has_decreed_yet(setup: Setup) -> None:
    setup.change(whatsapp_token=None, telegram_token=None)
    setup.now = datetime(2090, 3, 1, tzinfo=UTC)
    assert await setup.found() == ["holidays"]


async def test_no_model_or_one_of_another_program(setup: Setup) -> None:
    setup.change(rasa_urls=None, rasa_port=0)
    assert await setup.found() == ["model-missing"]
    archive = setup.settings.models / "lama.tar.gz"
    archive.parent.mkdir()
    archive.write_bytes(b"")
    LiveModel(setup.settings.models).set(archive, setup.now, Kind.FIRST)
    assert await setup.found() == ["model-other"]


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        ({}, []),
        ({"secret_key": "pendek"}, ["secret-short"]),
        ({"rasa_token": "ganti-rahasia-ini-dengan-yang-lain"}, ["secret-of-example"]),
        ({"whatsapp_token": None, "telegram_token": None}, ["no-channel"]),
        ({"public_url": "http://layanan.example.go.id"}, ["public-url-plain"]),
        ({"public_url": "https://127.0.0.1"}, ["public-url-local"]),
        ({"whatsapp_api_url": "http://127.0.0.1:9"}, ["provider-simulated"]),
    ],
)
async def test_what_production_must_not_have(setup: Setup, change: dict[str, Any], problems: list[str]) -> None:
    random = "a9B8c7D6e5F4g3H2i1J0k9L8m7N6"
    names = ("secret_key", "backend_token", "backend_officer_token", "backend_webhook_secret", "rasa_token")
    names = (*names, "whatsapp_verify_token", "telegram_webhook_secret")
    setup.change(
        env=Environment.PRODUCTION, public_url="https://layanan.example.go.id", whatsapp_api_url="https://graph.facebook.com",
        telegram_api_url="https://api.telegram.org", **{name: f"{random}{position}" for position, name in enumerate(names)},
    )  # fmt: skip
    setup.change(**change)
    patient = Patient(setup.settings, None, setup.now, is_running=False)  # type: ignore[arg-type]
    assert [problem.id for problem in await look_at_configuration(patient)] == problems
