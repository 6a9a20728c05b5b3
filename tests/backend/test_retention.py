"""What is no longer needed goes, what is needed stays."""

from __future__ import annotations

import psycopg

from backend.retention import tidy
from backend.server import BackendSettings, make_workspace
from tests.backend.conftest import Client, Clock, photo


async def test_expired_drafts_are_emptied(channel: Client, settings: BackendSettings, clock: Clock) -> None:
    await channel.file(contact="filed")
    expired = await channel.open(contact="expired")
    await channel.fill(expired)
    await channel.send(await channel.open(contact="replaced"), "kk", photo())
    clock.advance(days=8)
    await channel.open(contact="replaced")
    await channel.fill(await channel.open(contact="young"))

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
    assert {path.name for path in (settings.home / "documents").glob("??/*")} == kept
    assert len(kept) == 2
    assert (await channel("GET", f"/drafts/{expired}"))[0] == 410
