"""Who sees a filing, and how filings are listed."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest

from backend.filing_number import draw_filing_number
from tests.backend.conftest import CONTACT, Client, Clock

WRONG = {"Praja-Proof": "0000", "Praja-Contact": "other"}


async def test_its_contact_and_officers_see_it(channel: Client, officer: Client) -> None:
    filing = await channel.file()
    path = f"/filings/{filing['number']}"
    assert await channel("GET", f"{path}?contact={CONTACT}") == (200, filing)
    assert await channel("GET", path, headers={"Praja-Contact": CONTACT}) == (200, filing)
    assert await channel("GET", path.lower().replace("-", ""), headers={"Praja-Contact": CONTACT}) == (200, filing)
    assert await officer("GET", path) == (200, filing)


@pytest.mark.parametrize("proof", ["9999", "7890"], ids=["nik", "phone"])
async def test_another_contact_needs_proof(channel: Client, proof: str) -> None:
    filing = await channel.file()
    path = f"/filings/{filing['number']}"
    status, body = await channel("GET", f"{path}?contact=other")
    assert (status, body["type"]) == (403, "proof-needed")
    assert "Siti" not in str(body)
    assert (await channel("GET", path, headers=WRONG))[1]["type"] == "proof-wrong"
    assert await channel("GET", path, headers={"Praja-Proof": proof, "Praja-Contact": "other"}) == (200, filing)


@pytest.mark.parametrize("proof", ["", "99", "3515085708909999", "٩٩٩٩".encode().decode("latin-1")])
async def test_odd_proof_proves_nothing(channel: Client, proof: str) -> None:
    filing = await channel.file()
    status, _ = await channel("GET", f"/filings/{filing['number']}", headers={**WRONG, "Praja-Proof": proof})
    assert status in (403, 422)


async def test_five_tries_an_hour(channel: Client, clock: Clock) -> None:
    filing = await channel.file()
    path = f"/filings/{filing['number']}"
    right = {**WRONG, "Praja-Proof": "9999"}
    tries = await asyncio.gather(*(channel("GET", path, headers=WRONG) for _ in range(9)))
    assert sorted(status for status, _ in tries) == [403] * 5 + [429] * 4
    assert (await channel("GET", path, headers=right))[0] == 429
    assert (await channel("GET", path, headers={**right, "Praja-Contact": "third"}))[0] == 200
    assert (await channel("GET", f"{path}?contact={CONTACT}"))[0] == 200
    clock.advance(minutes=61)
    assert (await channel("GET", path, headers=right))[0] == 200
    for _ in range(5):
        assert (await channel("GET", path, headers=WRONG))[0] == 403, "success begins a new count"


async def test_many_numbers_are_not_each_tried_a_little(channel: Client, clock: Clock) -> None:
    numbers = [(await channel.file(contact=f"warga-{i}"))["number"] for i in range(6)]
    tries = [await channel("GET", f"/filings/{number}", headers=WRONG) for number in numbers for _ in range(4)]
    assert [status for status, _ in tries] == [403] * 20 + [429] * 4
    # A right answer is no guess, however often it is given.
    right = {"Praja-Contact": "rukun tetangga", "Praja-Proof": "9999"}
    for number in numbers * 5:
        assert (await channel("GET", f"/filings/{number}", headers=right))[0] == 200


async def test_many_contacts_do_not_share_the_guessing_of_one_number(channel: Client) -> None:
    filing = await channel.file()
    path = f"/filings/{filing['number']}"
    statuses = [(await channel("GET", path, headers={**WRONG, "Praja-Contact": f"penebak-{i}"}))[0] for i in range(45)]
    assert statuses == [403] * 40 + [429] * 5
    assert (await channel("GET", f"{path}?contact={CONTACT}"))[0] == 200


async def test_a_number_nobody_has_answers_like_somebody_elses(channel: Client, officer: Client, clock: Clock) -> None:
    theirs = (await channel.file())["number"]
    nobodys = draw_filing_number(clock().date())
    for headers in ({"Praja-Contact": "other"}, *[WRONG] * 6):
        answers = [await channel("GET", f"/filings/{number}", headers=headers) for number in (theirs, nobodys)]
        assert answers[0] == answers[1]
    assert (await officer("GET", f"/filings/{nobodys}"))[0] == 404
    mistyped = theirs[:-1] + ("0" if theirs[-1] != "0" else "1")
    assert (await channel("GET", f"/filings/{mistyped}"))[0] == 404


@pytest.mark.parametrize(
    ("method", "action", "request_"),
    [
        ("GET", "", {}),
        ("POST", "/cancel", {"json": {"reason": "batal"}}),
        ("POST", "/corrections", {"json": {"message_id": "m", "field": "nama", "value": "X Y"}}),
        ("GET", "/result", {}),
    ],
)
async def test_a_number_alone_opens_nothing(
    channel: Client, method: str, action: str, request_: dict[str, Any]
) -> None:
    filing = await channel.file()
    assert (await channel(method, f"/filings/{filing['number']}{action}", **request_))[0] == 403


@pytest.mark.parametrize(
    ("action", "body", "status"),
    [
        ("cancel", {"reason": "batal"}, 200),
        # Let in, though there is nothing to mend or to confirm.
        ("corrections", {"message_id": "m", "field": "nama", "value": "X Y"}, 409),
        ("confirmations", {"message_id": "m", "resolved": True}, 409),
    ],
)
async def test_the_body_may_say_for_whom_it_is_asked(
    channel: Client, action: str, body: dict[str, Any], status: int
) -> None:
    path = f"/filings/{(await channel.file())['number']}/{action}"
    for contact, expected in ((None, 403), ("other", 403), (5, 422), (CONTACT, status)):
        assert (await channel("POST", path, json={**body, "contact": contact}))[0] == expected
    assert (await channel("POST", f"{path}?contact=other", json={**body, "contact": CONTACT}))[0] == 403


async def test_lists_are_newest_first_and_paged(channel: Client, officer: Client, clock: Clock) -> None:
    draft_count = 23
    numbers = []
    for index in range(draft_count):
        filing = await channel.file(contact=CONTACT if index % 2 else "other", nik=f"35150857089{index + 1:05d}")
        numbers.append(filing["number"])
        if index % 3:
            clock.advance(minutes=1)
    _, first = await officer("GET", "/filings")
    _, second = await officer("GET", f"/filings?after={first['next']}")
    assert (len(first["filings"]), len(second["filings"]), second["next"]) == (20, 3, None)
    listed = [*first["filings"], *second["filings"]]
    assert {filing["number"] for filing in listed} == set(numbers)
    assert [filing["submitted_at"] for filing in listed] == sorted(
        (filing["submitted_at"] for filing in listed), reverse=True
    )
    _, own = await channel("GET", f"/filings?contact={CONTACT}")
    assert {filing["number"] for filing in own["filings"]} == set(numbers[1::2])
    assert (await officer("GET", "/filings?after=nonsense"))[0] == 422


@pytest.mark.parametrize(
    "cursor",
    [
        ["2026-11-24T00:00:00+00:00", "SDA-2611-7K4QXB\0"],
        ["2026-11-24T00:00:00+00:00", "\ud800"],
        ["2026-11-24", "SDA-2611-7K4QXB"],
        ["0001-01-01T00:00:00+14:00", "SDA-2611-7K4QXB"],
        ["9999-12-31T23:59:59-14:00", "SDA-2611-7K4QXB"],
        [5, 5], {"a": 1, "b": 2}, ["x"], None, "ab",
    ],
)  # fmt: skip
async def test_a_made_up_page_is_refused_or_empty(channel: Client, officer: Client, cursor: object) -> None:
    await channel.file()
    after = base64.urlsafe_b64encode(json.dumps(cursor).encode()).decode()
    status, _ = await officer("GET", f"/filings?after={after}")
    assert status in (200, 422)


async def test_lists_are_filtered(channel: Client, officer: Client) -> None:
    candi = await channel.file()
    taman = await channel.file(contact="other", kecamatan="Taman", desa="Simoangin-angin")
    await officer.move(taman["number"], "DIPROSES")

    async def listed(client: Client, query: str) -> list[str]:
        status, body = await client("GET", f"/filings?{query}")
        assert status == 200
        return [filing["number"] for filing in body["filings"]]

    assert await listed(officer, "state=DIPROSES") == [taman["number"]]
    assert await listed(officer, "office=Kantor Kecamatan Candi") == [candi["number"]]
    assert await listed(officer, "service=paspor") == []
    assert await listed(officer, "contact=other&service=surat_uji") == [taman["number"]]
    assert await listed(channel, f"contact={CONTACT}&state=DIPROSES") == []
    assert (await channel("GET", "/filings"))[0] == 422
