"""What is no longer needed goes, what is needed stays."""

from __future__ import annotations

import os
from uuid import uuid4

import psycopg

from backend.calendar import LOCAL_TIME
from backend.retention import tidy
from backend.server import BackendSettings, make_workspace
from tests.backend.conftest import Client, Clock, photo


async def test_expired_drafts_are_emptied_and_orphans_deleted(
    channel: Client, settings: BackendSettings, clock: Clock
) -> None:
    folder = settings.home / "documents"
    filing = await channel.file(contact="filed")
    expired = await channel.open(contact="expired")
    await channel.fill(expired)
    replaced = await channel.open(contact="replaced")
    await channel.send(replaced, "kk", photo())
    orphan = folder / "ab" / uuid4().hex
    unfinished = folder / "ab" / f"{uuid4().hex}.part"
    for path in (orphan, unfinished):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    clock.advance(days=8)
    await channel.open(contact="replaced")
    await channel.fill(await channel.open(contact="young"))
    for path in folder.glob("??/*"):
        os.utime(path, (clock().timestamp() - 90_000,) * 2)
    young = folder / "ab" / uuid4().hex
    young.write_bytes(b"")
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
    assert (await channel("GET", f"/drafts/{expired}"))[0] == 410
    assert clock().astimezone(LOCAL_TIME).isoformat() > filing["submitted_at"]
