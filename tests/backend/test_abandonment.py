"""Which question made people stop, without a word of theirs."""

from __future__ import annotations

from backend.server import BackendSettings
from tests.backend.conftest import Client, Clock
from tests.backend.test_retention import tidied


async def test_where_filings_were_left(
    channel: Client, officer: Client, settings: BackendSettings, clock: Clock
) -> None:
    await channel.file(contact="sent")
    for contact in ("one", "two"):
        draft = await channel.open(contact=contact)
        await channel.answer(draft, "nik", "3515085708909999")
    await channel.fill(await channel.open(contact="complete"))
    clock.advance(days=8)
    await tidied(settings, clock)
    status, shown = await officer("GET", "/abandonment")
    assert status == 200
    (service,) = shown["services"]
    assert (service["begun"], service["submitted"], service["expired"]) == (4, 1, 3)
    assert next((left["item"], left["count"]) for left in service["left_at"]) == ("nama", 2)
    assert sum(left["count"] for left in service["left_at"]) == 3


async def test_it_is_for_officers(channel: Client) -> None:
    assert (await channel("GET", "/abandonment"))[0] == 403
