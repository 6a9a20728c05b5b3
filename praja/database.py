"""The one database: the embedded server or one given by address, and its tables."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config

from praja.postgres import create_database, embedded_postgres
from praja.settings import Settings

__all__ = ["DatabaseUnfit", "database", "migrate", "with_driver"]

_NEEDED_BYTES = 500 * 1024 * 1024


class DatabaseUnfit(Exception):
    """The database can't be used; the message says what to do."""


@contextlib.contextmanager
def database(settings: Settings) -> Iterator[str]:
    """Yields a plain `postgresql://…`. Raises DatabaseUnfit."""
    if settings.database_url is not None:
        _check(settings.database_url)
        yield settings.database_url
        return
    settings.home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.home).free
    if free < _NEEDED_BYTES:
        raise DatabaseUnfit(
            f"Ruang disk di {settings.home} tinggal {free // 1024**2} MB, perlu {_NEEDED_BYTES // 1024**2} MB. "
            "Kosongkan ruang, atau pilih tempat lain dengan PRAJA_HOME."
        )
    with (
        _is_free(settings.home) as is_ours,
        embedded_postgres(settings.home / "database", is_ours=is_ours) as server,
    ):
        yield create_database(server, "praja")


@contextlib.contextmanager
def _is_free(home: Path) -> Iterator[bool]:
    """Whether nobody runs the embedded server of this home but us, for as long as the block lasts."""
    with (home / "database.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def migrate(url: str) -> None:
    """Bring every table to this version of the code."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["url"] = with_driver(url)
    command.upgrade(config, "head")


def with_driver(url: str) -> str:
    """SQLAlchemy's name for the same address."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def _check(url: str) -> None:
    try:
        with psycopg.connect(url, connect_timeout=5):
            pass
    except psycopg.Error as error:
        raise DatabaseUnfit(f"PRAJA_DATABASE_URL tidak bisa dihubungi: {str(error).splitlines()[0]}") from None
