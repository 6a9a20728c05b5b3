"""What an officer works with: masked until one field is asked for, and every page of the documents."""

from __future__ import annotations

from tests.backend.conftest import NIK, Client


async def test_answers_are_masked_but_the_one_that_is_revealed(channel: Client, officer: Client) -> None:
    number = (await channel.file())["number"]
    status, dossier = await officer("GET", f"/filings/{number}/dossier")
    assert status == 200
    shown = {answer["field"]: answer for answer in dossier["answers"]}
    assert (shown["nik"]["value"], shown["nik"]["masked"]) == (NIK[:4] + "•" * 8 + NIK[-4:], True)
    assert (shown["nama"]["value"], shown["nama"]["masked"]) == ("Siti Nur Aminah", False)

    _, dossier = await officer("GET", f"/filings/{number}/dossier?reveal=nik")
    shown = {answer["field"]: answer for answer in dossier["answers"]}
    assert (shown["nik"]["value"], shown["nik"]["masked"]) == (NIK, False)
    assert shown["hp"]["masked"]


async def test_documents_page_by_page(channel: Client, officer: Client) -> None:
    number = (await channel.file())["number"]
    _, dossier = await officer("GET", f"/filings/{number}/dossier")
    document = dossier["documents"][0]
    status, content = await officer("GET", f"/filings/{number}/documents/{document['document']}/1")
    assert (status, len(content)) == (200, document["pages"][0]["size"])
    for wrong in ("kk/9", "kk/x", "tidak_ada/1", "kk/-1"):
        assert (await officer("GET", f"/filings/{number}/documents/{wrong}"))[0] == 404


async def test_citizens_and_their_channel_see_none_of_it(channel: Client) -> None:
    number = (await channel.file())["number"]
    assert (await channel("GET", f"/filings/{number}/dossier"))[0] == 403
    assert (await channel("GET", f"/filings/{number}/documents/kk/1"))[0] == 403
