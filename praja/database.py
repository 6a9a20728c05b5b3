"""The one database: the embedded server or one given by address, and its tables."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError
from sqlalchemy import NullPool, create_engine

from praja.postgres import create_database, embedded_postgres, revive
from praja.settings import Settings

__all__ = [
    "DatabaseUnfit",
    "database",
    "head_revision",
    "keep_alive",
    "knows_revision",
    "migrate",
    "note_revision",
    "with_driver",
]

_MIGRATIONS = Path(__file__).parent / "migrations"

_NEEDED_BYTES = 500 * 1024 * 1024
_LOOK_EVERY = 1.0
_LONGEST_PAUSE = 10.0


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
        embedded_postgres(_folder(settings), is_ours=is_ours) as server,
    ):
        yield create_database(server, "praja")


async def keep_alive(settings: Settings, tell: Callable[[str], None]) -> None:
    """Start the embedded server of `database` again whenever it has died, until cancelled."""
    pause = _LOOK_EVERY
    while settings.database_url is None:
        await asyncio.sleep(pause)
        try:
            if await asyncio.to_thread(revive, _folder(settings)):
                tell("basis data berhenti, dinyalakan lagi")
            pause = _LOOK_EVERY
        except RuntimeError as trouble:
            tell(f"basis data berhenti dan belum bisa dinyalakan lagi ({trouble})")
            pause = min(pause * 2, _LONGEST_PAUSE)


def _folder(settings: Settings) -> Path:
    return settings.home / "database"


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


def migrate(url: str, *, before_switch: bool = False, migrations: Path = _MIGRATIONS) -> None:
    """Bring every table to this version of the code.

    `before_switch`: only as far as the code of the version before can work on it too, for an upgrade machine by machine. A
    migration whose `phase` is `post` takes away what that code needs, so it and what follows wait until the old code is gone.

    Raises DatabaseUnfit.
    """
    config = _migrations(url, migrations)
    try:
        command.upgrade(config, _last_before_switch(config, url) if before_switch else "head")
    except (CommandError, RevisionError) as error:
        raise DatabaseUnfit(f"Tabelnya dari Praja yang lebih baru ({error}); pasang versi itu.") from None


def note_revision(url: str, revision: str) -> None:
    """Say of tables that came from elsewhere which version of the code they belong to."""
    command.stamp(_migrations(url), revision)


def head_revision() -> str | None:
    """Which tables belong to this version of the code."""
    return ScriptDirectory(str(_MIGRATIONS)).get_current_head()


def knows_revision(revision: str) -> bool:
    return any(each.revision == revision for each in ScriptDirectory(str(_MIGRATIONS)).walk_revisions())


def _last_before_switch(config: Config, url: str) -> str:
    scripts = ScriptDirectory.from_config(config)
    engine = create_engine(with_driver(url), poolclass=NullPool)
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    ahead = [*scripts.iterate_revisions("head", current or "base")][::-1]
    allowed = [*itertools.takewhile(lambda each: each.module.phase == "pre", ahead)]
    return allowed[-1].revision if allowed else current or "base"


def _migrations(url: str, folder: Path = _MIGRATIONS) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.attributes["url"] = with_driver(url)
    return config


def with_driver(url: str) -> str:
    """SQLAlchemy's name for the same address."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def _check(url: str) -> None:
    try:
        with psycopg.connect(url, connect_timeout=5):
            pass
    except psycopg.Error as error:
        raise DatabaseUnfit(
            f"PRAJA_DATABASE_URL tidak bisa dihubungi: {str(error).splitlines()[0]}. "
            "Periksa alamatnya, kata sandinya dan server itu."
        ) from None
