"""Anyone can ask whether a document is ours, and learns no more than that."""

from __future__ import annotations

import re
from typing import Any

from tests.backend.conftest import Client, Clock
from tests.backend.test_complaints import complain, finish
from tests.backend.test_documents import pdf
from tests.backend.test_people import erase, finished


async def code_of(officer: Client, number: str) -> str:
    return str((await officer("GET", f"/filings/{number}"))[1]["result"]["code"])


async def verify(channel: Client, code: str, contact: str = "anyone") -> tuple[int, Any]:
    return await channel("GET", f"/verifications/{code}?contact={contact}")


async def test_a_code_tells_what_was_issued(channel: Client, officer: Client) -> None:
    number = await finished(channel, officer)
    code = await code_of(officer, number)
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}", code)
    told = {
        "number": number,
        "service": "surat_uji",
        "office": "Kantor Kecamatan Candi",
        "issued_on": "2026-11-24",
        "applicant": "Siti A.",
    }
    assert await verify(channel, code) == (200, told)
    assert await verify(channel, code.lower().replace("-", "").replace("0", "o").replace("1", "l")) == (200, told)


async def test_what_is_no_code_of_ours_is_404(channel: Client, officer: Client) -> None:
    code = await code_of(officer, await finished(channel, officer))
    mistyped = ("0" if code[0] != "0" else "1") + code[1:]
    for text in (mistyped, "AAAA-AAAA-AAAA", "SDA-2611-7K4QXB", "٣٣٣٣-٣٣٣٣-٣٣٣٣", "x"):
        assert (await verify(channel, text))[0] == 404
    assert (await channel("GET", f"/verifications/{code}"))[0] == 422, "whoever asks is named"


async def test_a_later_document_has_a_later_code(channel: Client, officer: Client, clock: Clock) -> None:
    number = await finished(channel, officer)
    first = await code_of(officer, number)
    clock.advance(days=1)
    await officer("PUT", f"/filings/{number}/result", data=pdf(pages=2))
    second = await code_of(officer, number)
    assert (await verify(channel, first))[0] == 404
    assert (await verify(channel, second))[1]["issued_on"] == "2026-11-25"


async def test_twenty_tries_an_hour(channel: Client, officer: Client, clock: Clock) -> None:
    code = await code_of(officer, await finished(channel, officer))
    for _ in range(20):
        assert (await verify(channel, "AAAA-AAAA-AAAA"))[0] == 404
    assert (await verify(channel, code))[1]["type"] == "too-many-tries"
    assert (await verify(channel, code, "another"))[0] == 200
    clock.advance(minutes=61)
    assert (await verify(channel, code))[0] == 200


async def test_who_complained_is_not_told(channel: Client, officer: Client) -> None:
    number = (await complain(channel, "rahasia"))["number"]
    await finish(officer, number)
    await officer("PUT", f"/filings/{number}/result", data=pdf())
    status, body = await verify(channel, await code_of(officer, number))
    assert (status, body["applicant"]) == (200, "pemohon yang dirahasiakan")


async def test_a_document_stays_genuine_when_its_owner_is_erased(channel: Client, officer: Client) -> None:
    code = await code_of(officer, await finished(channel, officer))
    await erase(channel)
    status, body = await verify(channel, code)
    assert (status, body["applicant"]) == (200, "pemohon yang datanya sudah dihapus")
