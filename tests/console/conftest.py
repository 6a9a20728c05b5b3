"""The console on a database of its own, as browsers reach it."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import aiohttp
import pyotp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import create_engine, make_url
from sqlalchemy.schema import CreateSchema

from backend.server import BackendSettings, create_app
from backend.tables import metadata as backend_metadata
from bot.desk.agencies import Agencies
from bot.desk.own import OwnDesk
from bot.desk.room import DeskRoom, DeskRules
from bot.desk.standard import read_standard
from bot.notices import Notices
from bot.store import Store
from bot.tables import metadata as bot_metadata
from bot.texts import Texts
from console.accounts import Account, Role, add_account
from console.app import PREFIX, create_console, open_workspace
from console.settings import ConsoleSettings, PasswordCost
from console.tables import metadata
from console.workspace import Workspace
from praja.ports import free_ports
from tests.backend.conftest import CATALOGUE, Client
from tests.bot.fakes import Clock, PaperChannel
from tests.fakes.tables import empty_tables, make_tables

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data"
FAKE_PRAJA = ROOT / "tests" / "fakes" / "praja.py"
PASSWORD = "kuda makan rumput hijau"

Visitor = TestClient[web.Request, web.Application]
Visit = Callable[[], Awaitable[Visitor]]


@pytest.fixture(scope="session")
def console_tables(postgres_server: str) -> str:
    """The room's tables and the bot's, in one database, as they are outside."""
    address = make_tables(postgres_server, metadata)
    engine = create_engine(make_url(address).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        connection.execute(CreateSchema(str(bot_metadata.schema), if_not_exists=True))
        bot_metadata.create_all(connection)
    engine.dispose()
    return address


@pytest.fixture(scope="session")
def backend_tables(postgres_server: str) -> str:
    return make_tables(postgres_server, backend_metadata)


@pytest.fixture
def backend_port() -> int:
    (port,) = free_ports(1)
    return port


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def backend(
    backend_tables: str, backend_port: int, tmp_path: Path, clock: Clock
) -> AsyncIterator[TestClient[Any, Any]]:
    """The reference backend itself, with the small catalogue of its tests."""
    empty_tables(backend_tables, backend_metadata)
    settings = BackendSettings(
        database_url=backend_tables,
        home=tmp_path,
        data=CATALOGUE,
        secret_key="kunci-uji",
        token="token-kanal",
        officer_token="token-petugas",
        webhook_url="http://127.0.0.1:9/",
        webhook_secret="rahasia",
        host="127.0.0.1",
        port=backend_port,
    )
    async with TestClient(TestServer(create_app(settings, clock), port=backend_port)) as client:
        yield client


@pytest.fixture
def channel(backend: TestClient[Any, Any]) -> Client:
    """A citizen's side of it."""
    return Client(backend, "token-kanal")


@pytest.fixture
async def workspace(console_tables: str, clock: Clock, backend_port: int, tmp_path: Path) -> AsyncIterator[Workspace]:
    """Its backend runs where the test asks for it, and is down elsewhere."""
    empty_tables(console_tables, metadata)
    empty_tables(console_tables, bot_metadata)
    settings = ConsoleSettings(
        secret_key="kunci-uji",
        data=DATA,
        public_url="http://127.0.0.1:8080",
        backend_url=f"http://127.0.0.1:{backend_port}",
        backend_officer_token="token-petugas",
        models=tmp_path / "models",
        command=("env", f"PYTHONPATH={ROOT}", sys.executable, str(FAKE_PRAJA)),
        root=tmp_path,
        proxies=(ip_network("127.0.0.0/8"),),
        # What a guess costs is nothing that these tests are about, and each signs people in.
        password_cost=PasswordCost(passes=1, memory=64, lanes=1),
    )
    store = Store.open(console_tables, settings.secret_key, clock)
    notices = Notices(console_tables)
    channel = PaperChannel()
    texts, agencies, standard = Texts(DATA), Agencies(DATA), read_standard(DATA)
    room = DeskRoom(store, texts, agencies, standard, {channel.name: channel}, {}, notices, OwnDesk(), DeskRules())
    listening = asyncio.create_task(notices.run())
    await notices.listening.wait()
    async with aiohttp.ClientSession() as session:
        yield open_workspace(settings, room, session)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await store.engine.dispose()


@pytest.fixture
async def visit(workspace: Workspace) -> AsyncIterator[Visit]:
    """Each call is another browser."""
    app = web.Application()
    app.add_subapp(PREFIX, create_console(workspace))
    server = TestServer(app)
    await server.start_server()
    clients: list[Visitor] = []

    async def come() -> Visitor:
        clients.append(TestClient(server))
        return clients[-1]

    yield come
    for client in clients:
        await client.session.close()
    await server.close()


@pytest.fixture
async def officer(workspace: Workspace) -> Account:
    return await add_account(workspace, "rina", "Rina W.", Role.OFFICER, ["dispendukcapil"], PASSWORD)


@pytest.fixture
async def supervisor(workspace: Workspace) -> Account:
    return await add_account(workspace, "bos", "Bu Penyelia", Role.SUPERVISOR, ["dispendukcapil"], PASSWORD)


@pytest.fixture
async def admin(workspace: Workspace) -> Account:
    return await add_account(workspace, "kepala", "Kepala Admin", Role.ADMIN, [], PASSWORD)


async def token_of(visitor: Visitor, path: str) -> str:
    """The page's CSRF token."""
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', await (await visitor.get(path)).text())
    assert found is not None
    return found[1]


async def unseen(visitor: Visitor, account: Account) -> dict[str, str]:
    """What the form of that account carries without showing it, as a browser sends it."""
    page = await (await visitor.get("/console/akun/semua")).text()
    form = page.split(f'action="/console/akun/semua/{account.id}"')[1].split("</form>")[0]
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))


async def sign_in(visitor: Visitor, username: str, clock: Clock, password: str = PASSWORD) -> str:
    """As a person does the first time; gives the CSRF token of the session."""
    answer = await visitor.post("/console/masuk", data={"username": username, "password": password})
    text = await answer.text()
    assert answer.url.path == "/console/masuk/daftar", text
    secret = re.search(r'name="secret" value="([A-Z2-7]{32})"', text)
    token = re.search(r'name="csrf" value="([0-9a-f]{64})"', text)
    assert secret is not None
    assert token is not None
    code = pyotp.TOTP(secret[1]).at(int(clock().timestamp()))
    entered = await visitor.post("/console/masuk/daftar", data={"csrf": token[1], "secret": secret[1], "code": code})
    assert entered.url.path == "/console/", await entered.text()
    return await token_of(visitor, "/console/")
