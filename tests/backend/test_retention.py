"""What is no longer needed goes, what is needed stays."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4

import psycopg

from backend.retention import tidy
from backend.server import BackendSettings, make_workspace
from tests.backend.conftest import Client, Clock, photo


def stray(folder: Path, ending: str) -> Path:
    identifier = uuid4().hex
    path = folder / identifier[:2] / (identifier + ending)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"")
    return path


async def test_expired_drafts_are_emptied_and_orphans_deleted(
    channel: Client, settings: BackendSettings, clock: Clock
) -> None:
    folder = settings.home / "documents"
    await channel.file(contact="filed")
    expired = await channel.open(contact="expired")
    await channel.fill(expired)
    replaced = await channel.open(contact="replaced")
    await channel.send(replaced, "kk", photo())
    orphan, unfinished, young = (stray(folder, ending) for ending in ("", ".part", ""))
    clock.advance(days=8)
    await channel.open(contact="replaced")
    await channel.fill(await channel.open(contact="young"))
    for path in folder.glob("??/*"):
        os.utime(path, (clock().timestamp() - 90_000,) * 2)
    os.utime(young, (clock().timestamp() - 3600,) * 2)

    workspace = make_workspace(settings, clock)
    await tidy(workspace)
    await workspace.engine.dispose()

    with psycopg.connect(settings.database_url) as connection:
        rows = connection.execute("SELECT contact, state, content IS NULL FROM backend.drafts").fetchall()
        kept = {row[0].hex for row in connection.execute("SELECT id FROM backend.files").fetchall()}
    assert set(rows) == {
        ("filed", "submitted", False),
        ("expired", "expired", True),
        ("replaced", "expired", True),
        ("replaced", "open", False),
        ("young", "open", False),
    }
    assert {path.name for path in folder.glob("??/*")} == {*kept, young.name}
    assert len(kept) == 2
    assert not orphan.exists()
    assert not unfinished.exists()
    assert (await channel("GET", f"/drafts/{expired}"))[0] == 410
