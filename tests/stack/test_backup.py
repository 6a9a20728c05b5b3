"""The drill: a backup under traffic, put back where nothing was, under a new key; and everything goes on from there."""

from __future__ import annotations

import contextlib
import re
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from backend.catalogue import Catalogue
from tests.stack.citizen import SimulatorPhone, file_service, new_nik, said
from tests.stack.officer import as_operator
from tests.stack.opened import opened
from tests.stack.running import ROOT, Running, running

pytestmark = pytest.mark.verify


def praja(environment: Mapping[str, str], *arguments: str) -> str:
    """Raises AssertionError with what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "praja.command", *arguments],
        cwd=ROOT, env=dict(environment), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_was_filed_before_the_backup_is_there_after_it(
    stack: Running, catalogue: Catalogue, phone: SimulatorPhone, tmp_path: Path
) -> None:
    number, _ = file_service(phone, catalogue.services["ktp_hilang"], nik=new_nik())
    with _traffic(stack):
        made = praja(as_operator(stack), "backup", str(tmp_path / "praja.tar"))
    later, _ = file_service(SimulatorPhone(stack.url, "sesudah-cadangan"), catalogue.services["sk_umum"], nik=new_nik())
    told: list[str] = []

    def put_back(environment: Mapping[str, str]) -> None:
        told.append(praja(environment, "restore", str(tmp_path / "praja.tar")))

    old = (stack.home / "secrets" / "secret_key").read_text().strip()
    new = secrets.token_urlsafe(32)
    with running(put_back, PRAJA_SECRET_KEY=new, PRAJA_SECRET_KEYS_OLD=old) as restored:
        print(made + told[0])  # noqa: T201
        # What the backup counted at its moment is what came back, row by row (`praja restore` refuses anything else).
        assert re.findall(r"\d+ baris, \d+ dokumen", made) == re.findall(r"\d+ baris, \d+ dokumen", told[0])
        numbers = [filing["number"] for filing in restored.filings()]
        assert number in numbers
        assert later not in numbers
        same = SimulatorPhone(restored.url, phone.sender)
        same.later()
        assert number in said(same.say("punya saya sampai mana?"))
        assert restored.dossier(number) == stack.dossier(number)
        with _traffic(restored):
            print(praja(as_operator(restored), "rotate"))  # noqa: T201
        assert sum(1 for _ in opened(restored.home, new)) > 100
        assert number in said(same.say("status permohonan saya"))
        file_service(SimulatorPhone(restored.url, "sesudah-kembali"), catalogue.services["sk_umum"], nik=new_nik())


@contextlib.contextmanager
def _traffic(stack: Running) -> Iterator[None]:
    """Citizens who write as fast as they are answered."""
    over = threading.Event()
    # Other people each time: whoever is answered at the moment of a backup is so again once that claim has run out.
    names = [f"ramai-{secrets.token_hex(4)}" for _ in range(3)]
    writers = [threading.Thread(target=_write, args=(stack, name, over)) for name in names]
    for writer in writers:
        writer.start()
    try:
        time.sleep(2)
        yield
    finally:
        over.set()
        for writer in writers:
            writer.join()


def _write(stack: Running, name: str, over: threading.Event) -> None:
    phone = SimulatorPhone(stack.url, name)
    while not over.is_set():
        phone.say("ktp hilang syaratnya apa saja ya")
