"""What is no longer needed goes, what is needed stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from backend.retention import tidy
from backend.server import BackendSettings, make_workspace
from backend.workspace import Retention
from tests.backend.conftest import CONTACT, NIK, Client, Clock, photo
from tests.backend.tables import everything_kept, files_kept
from tests.backend.test_people import finished
from tests.backend.test_transitions import OWNER, bring


async def tidied(settings: BackendSettings, clock: Clock) -> None:
    workspace = make_workspace(settings, clock)
    await tidy(workspace)
    await workspace.engine.dispose()


async def test_expired_drafts_are_emptied(channel: Client, settings: BackendSettings, clock: Clock) -> None:
    await channel.file(contact="filed")
    expired = await channel.open(contact="expired")
    await channel.fill(expired)
    await channel.send(await channel.open(contact="replaced"), "kk", photo())
    clock.advance(days=8)
    await channel.open(contact="replaced")
    await channel.fill(await channel.open(contact="young"))

    await tidied(settings, clock)

    with psycopg.connect(settings.database_url) as connection:
        rows = connection.execute("SELECT contact, state, content IS NULL FROM backend.drafts").fetchall()
        kept = {row[0].hex for row in connection.execute("SELECT id FROM backend.files").fetchall()}
    assert set(rows) == {
        ("filed", "submitted", False),
        (None, "expired", True),
        ("replaced", "open", False),
        ("young", "open", False),
    }
    assert {path.name for path in (settings.home / "documents").glob("??/*")} == kept
    assert len(kept) == 2
    assert (await channel("GET", f"/drafts/{expired}"))[0] == 410


async def test_documents_go_before_answers(
    channel: Client, officer: Client, settings: BackendSettings, clock: Clock
) -> None:
    number = await finished(channel, officer)
    path = f"/filings/{number}"
    clock.advance(days=30, seconds=-1)
    await tidied(settings, clock)
    assert len(files_kept(settings)) == 2
    clock.advance(seconds=1)
    await tidied(settings, clock)
    assert len(files_kept(settings)) == 1
    assert (await channel("GET", f"{path}/result", headers=OWNER))[0] == 200
    assert (await officer("GET", f"{path}/dossier"))[1]["documents"] == []
    assert (await channel("GET", f"/people/{CONTACT}"))[1]["filings"][0]["kept_until"] == "2027-05-23"

    clock.advance(days=150, seconds=-1)
    await tidied(settings, clock)
    assert NIK in everything_kept(settings)
    clock.advance(seconds=1)
    await tidied(settings, clock)
    kept = everything_kept(settings)
    assert [told for told in (NIK, "Siti", "+6281234567890", CONTACT) if told in kept] == []
    assert files_kept(settings) == set()
    assert number in kept
    status, body = await officer("GET", path)
    assert (status, body["state"], body["result"]) == (200, "SELESAI", None)


@pytest.mark.parametrize("state", ["MENUNGGU", "DIPROSES", "PERLU_PERBAIKAN", "DISETUJUI"])
async def test_what_is_open_is_kept(
    channel: Client, officer: Client, settings: BackendSettings, clock: Clock, state: str
) -> None:
    number = await bring(channel, officer, state)
    before = await channel("GET", f"/filings/{number}", headers=OWNER)
    clock.advance(days=1000)
    await tidied(settings, clock)
    assert await channel("GET", f"/filings/{number}", headers=OWNER) == before
    assert len(files_kept(settings)) == 1


async def test_how_long_is_a_setting(channel: Client, officer: Client, settings: BackendSettings, clock: Clock) -> None:
    await bring(channel, officer, "DITOLAK")
    clock.advance(days=2)
    await tidied(replace(settings, retention=Retention(timedelta(days=3), timedelta(days=4))), clock)
    assert len(files_kept(settings)) == 1
    await tidied(replace(settings, retention=Retention(timedelta(days=1), timedelta(days=4))), clock)
    assert files_kept(settings) == set()
    assert NIK in everything_kept(settings)
    await tidied(replace(settings, retention=Retention(timedelta(days=1), timedelta(days=2))), clock)
    assert NIK not in everything_kept(settings)


async def test_what_a_crash_left_is_found_and_nothing_else_is_touched(
    channel: Client, settings: BackendSettings, clock: Clock
) -> None:
    await channel.file()
    (named,) = files_kept(settings)
    workspace = make_workspace(settings, clock)
    lost = (await workspace.keep_file(photo())).id
    foreign = uuid4()
    workspace.store.write(foreign, b"of another database")
    await tidy(workspace)
    assert files_kept(settings) == {named, lost.hex, foreign.hex}, "an upload may still be under way"
    clock.advance(hours=1)
    await tidy(workspace)
    await workspace.engine.dispose()
    assert files_kept(settings) == {named, foreign.hex}


async def test_a_deletion_that_was_cut_short_is_made_good(
    channel: Client, settings: BackendSettings, clock: Clock
) -> None:
    draft = await channel.open()
    await channel.fill(draft)
    (identifier,) = files_kept(settings)
    with psycopg.connect(settings.database_url) as connection:
        connection.execute("DELETE FROM backend.files")
    clock.advance(hours=1)
    await tidied(settings, clock)
    assert files_kept(settings) == set()
    assert identifier not in everything_kept(settings).replace("-", "")
