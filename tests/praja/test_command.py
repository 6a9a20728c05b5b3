"""Whatever goes wrong at the command line is a sentence and a code."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy.exc import ProgrammingError

from learning.live_model import Kind, LiveModel
from praja.database import DatabaseUnfit, migrate
from praja.failure import sentence
from praja.ports import free_ports
from tests.stack.checkout import check_out

PORTS = ("HTTP", "BACKEND", "ACTIONS", "RASA")
NOBODY = "postgresql://praja@127.0.0.1:1/praja"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = check_out(tmp_path / "checkout")
    (folder / "models" / "a.tar.gz").touch()
    return folder


@pytest.fixture
def said(checkout: Path, tmp_path: Path) -> Callable[..., str]:
    """What `praja` says on standard error of a failure."""
    ports = {f"PRAJA_{name}_PORT": str(port) for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True)}

    def run(*words: str, typed: str = "", **settings: str) -> str:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PRAJA_")},
            **ports,
            "PRAJA_HOME": str(tmp_path / "home"),
            **settings,
        }
        ended = subprocess.run(
            [sys.executable, "-m", "praja.command", *words],
            cwd=checkout, env=environment, input=typed, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert ended.returncode == 1, ended.stderr
        assert ended.stderr
        assert "Traceback" not in ended.stderr
        return ended.stderr

    return run


@pytest.mark.parametrize(
    ("role", "file"),
    [
        ("actions", "teks/percakapan.yml"),
        ("backend", "layanan/akta_kelahiran.yml"),
        ("bot", "teks/saluran.yml"),
        ("worker", "meja.yml"),
        ("console", "latihan.yml"),
    ],
)
def test_what_is_wrong_in_data(checkout: Path, said: Callable[..., str], all_tables: str, role: str, file: str) -> None:
    path = checkout / "data" / file
    path.write_text(path.read_text() + "\nsalah: [\n")
    told = said("run", role, PRAJA_DATABASE_URL=all_tables)
    assert "line" in told or "akta_kelahiran.yml:" in told


@pytest.mark.parametrize(
    ("role", "name"),
    [("backend", "BACKEND"), ("actions", "ACTIONS"), ("rasa", "RASA"), ("bot", "HTTP"), ("console", "HTTP")],
)
def test_a_taken_port(said: Callable[..., str], all_tables: str, role: str, name: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = {f"PRAJA_{name}_PORT": str(taken.getsockname()[1])}
        assert f"PRAJA_{name}_PORT" in said("run", role, PRAJA_DATABASE_URL=all_tables, **port)


@pytest.mark.parametrize(
    "words",
    [("migrate",), ("check",), ("up",)],
    ids=" ".join,
)
def test_a_database_that_does_not_answer(said: Callable[..., str], words: Sequence[str]) -> None:
    # No Rasa of its own: nothing has to be trained first.
    assert "PRAJA_DATABASE_URL tidak bisa dihubungi" in said(
        *words, PRAJA_DATABASE_URL=NOBODY, PRAJA_RASA_URLS="http://127.0.0.1:1"
    )


def test_back_from_a_model_that_is_not_live_any_more(checkout: Path, said: Callable[..., str]) -> None:
    models = checkout / "models"
    for name in ("a", "b"):
        (models / f"{name}.tar.gz").touch()
        LiveModel(models).set(models / f"{name}.tar.gz", datetime.now(UTC), Kind.PROMOTED)
    told = said("rollback", "--only", "c.tar.gz", PRAJA_MODELS=str(models))
    assert "c.tar.gz tidak hidup lagi; tidak ada yang diubah" in told
    assert LiveModel(models).current() == models / "b.tar.gz"


def test_one_token_for_two_roles(said: Callable[..., str], all_tables: str) -> None:
    tokens = {"PRAJA_BACKEND_TOKEN": "sama", "PRAJA_BACKEND_OFFICER_TOKEN": "sama"}
    assert "PRAJA_BACKEND_OFFICER_TOKEN" in said("run", "backend", PRAJA_DATABASE_URL=all_tables, **tokens)


def test_tables_of_a_later_version(empty_database: str) -> None:
    migrate(empty_database)
    with psycopg.connect(empty_database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'besok'")
    for before_switch in (False, True):
        with pytest.raises(DatabaseUnfit, match="lebih baru"):
            migrate(empty_database, before_switch=before_switch)


@pytest.fixture
async def leaving_bot() -> AsyncIterator[str]:
    """Its address; it goes away at the first message."""

    async def give(request: web.Request) -> web.Response:
        return web.json_response({"replies": []})

    async def leave(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        raise ConnectionResetError

    app = web.Application()
    app.router.add_get("/simulator/messages", give)
    app.router.add_post("/simulator/messages", leave)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


async def test_a_bot_that_goes_away_while_one_chats(said: Callable[..., str], leaving_bot: str) -> None:
    told = await asyncio.to_thread(said, "chat", "--url", leaving_bot, typed="halo\n")
    assert f"{leaving_bot} tidak menjawab" in told


def test_an_address_to_chat_with_that_is_none(said: Callable[..., str]) -> None:
    assert "localhost:8080 tidak menjawab" in said("chat", "--url", "localhost:8080")


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        (PermissionError(13, "Permission denied", "/srv/praja"), "Gagal: /srv/praja: Permission denied."),
        (OSError(28, "No space left on device"), "Gagal: No space left on device."),
        (PermissionError("folder itu milik orang lain"), "Gagal: folder itu milik orang lain."),
        (TimeoutError(), "Kesalahan yang tidak terduga (TimeoutError)"),
        (KeyError("3515072909950001"), "Kesalahan yang tidak terduga (KeyError)"),
        (psycopg.errors.InsufficientPrivilege("ditolak\nLINE 1: SELECT"), "Basis data tidak bisa dipakai: ditolak. "),
        (psycopg.DataError("bukan uuid: 3515072909950001"), "Basis data tidak bisa dipakai: bukan uuid: "),
        (
            ProgrammingError("SELECT 3515072909950001", {}, Exception("ditolak")),
            "Basis data tidak bisa dipakai: ditolak. ",
        ),
    ],
    ids=repr,
)
def test_what_nobody_has_foreseen(problem: Exception, told: str) -> None:
    assert sentence(problem).startswith(told)
    assert "3515072909950001" not in sentence(problem)
