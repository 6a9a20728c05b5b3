"""Offices that every kecamatan and desa has: whose a conversation is, and who sees it."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from bot.desk.agencies import Agencies, covers
from bot.desk.listing import counts, listing
from bot.desk.officer import DeskRefused, Officer, Refusal
from bot.desk.places import Place
from bot.desk.presence import come, is_staffed
from bot.desk.states import claim, transfer
from tests.bot.conftest import Room
from tests.bot.desk.people import MONDAY, at
from tests.bot.fakes import update
from tests.fakes.rasa import FakeRasa, reply

AGENCIES = Agencies(Path(__file__).parents[3] / "data")
SEDATI = Officer("sari", "Sari", frozenset({"kecamatan:sedati"}))
WARU = Officer("wahyu", "Wahyu", frozenset({"kecamatan:waru"}))
EVERYWHERE = Officer("koko", "Koko", frozenset({"kecamatan"}))
BETRO = Officer("bima", "Bima", frozenset({"desa:sedati/betro"}))


@pytest.mark.parametrize(
    ("office", "kecamatan", "desa", "agency"),
    [
        ("kecamatan", "Sedati", None, "kecamatan:sedati"),
        ("kecamatan", None, "Betro", "kecamatan:sedati"),
        ("kecamatan", None, "Tropodo", "kecamatan"),  # one in Waru, one in Krian
        ("kecamatan", "Kediri", None, "kecamatan"),
        ("desa", "Sedati", "Betro", "desa:sedati/betro"),
        ("desa", None, "betro", "desa:sedati/betro"),
        ("desa", None, "Tropodo", "desa"),
        ("desa", "Waru", "Tropodo", "desa:waru/tropodo"),
        ("desa", "Waru", "Betro", "desa"),  # which isn't there
        ("desa", "Sedati", None, "desa"),
        ("dispendukcapil", "Sedati", "Betro", "dispendukcapil"),
    ],
)
def test_the_agency_of_a_place(office: str, kecamatan: str | None, desa: str | None, agency: str) -> None:
    assert AGENCIES.at(office, Place(kecamatan, desa)) == agency
    assert agency in AGENCIES


def test_local_agencies_are_named_as_filings_name_their_office_and_no_two_alike() -> None:
    assert AGENCIES["kecamatan:sedati"].name == "Kantor Kecamatan Sedati"
    assert AGENCIES["desa:sedati/betro"].name == "Kantor Desa Betro"
    assert AGENCIES["desa:waru/tropodo"].name == "Kantor Desa Tropodo (Waru)"
    assert AGENCIES["desa:sidoarjo/bulusidokare"].name == "Kantor Kelurahan Bulusidokare"
    local = AGENCIES.local()
    assert len(local) == 18 + 346 == len({agency.id for agency in local}) == len({agency.name for agency in local})
    assert "kecamatan:kediri" not in AGENCIES


def test_who_has_a_kind_of_office_has_those_of_every_place() -> None:
    assert covers({"kecamatan"}, "kecamatan:sedati")
    assert covers({"kecamatan:sedati"}, "kecamatan:sedati")
    assert not covers({"kecamatan:sedati"}, "kecamatan:waru")
    assert not covers({"kecamatan:sedati"}, "kecamatan")
    assert not covers({"kecamatan:sedati"}, "desa:sedati/betro")


def _understands(body: dict[str, Any]) -> dict[str, Any]:
    """Rasa that finds places, and whose `petugas` means what it says."""
    text = body["text"]
    named = [("kecamatan", name) for name in ("Sedati", "Waru") if name in text]
    named += [("desa", name) for name in ("Betro", "Tropodo") if name in text]
    frame = {
        "intent": "informasi",
        "confidence": 0.9,
        "service": None,
        "service_confidence": None,
        "in_form": False,
        "entities": [{"entity": entity, "value": value} for entity, value in named],
    }
    service = "dispensasi_nikah" if "nikah" in text else "sk_domisili"
    handoff = {"reason": "diminta", "service": service} if "petugas" in text else None
    return reply("Baik.", frame=frame, handoff=handoff)


async def _asks(room: Room, rasa: FakeRasa, *texts: str) -> uuid.UUID:
    rasa.answer = _understands
    who = f"ID.{uuid.uuid4().hex[:8]}"
    for number, text in enumerate(texts):
        await room.receive(update(f"{who}-{number}", bsuid=who, text=text))
        await room.work_off()
    conversation: uuid.UUID = await room.value(
        "SELECT conversation FROM bot.inbox WHERE external_id = :external", external=f"{who}-0"
    )
    return conversation


async def _seen(room: Room, officer: Officer) -> list[uuid.UUID]:
    return [item.conversation for item in await listing(room.desk(), officer, view="queued")]


async def test_an_officer_of_one_kecamatan_sees_its_own_and_nobody_else_s(room: Room, rasa: FakeRasa) -> None:
    at(room, MONDAY)
    desk = room.desk()
    sedati = await _asks(room, rasa, "saya di Sedati", "petugas, soal nikah")
    waru = await _asks(room, rasa, "petugas, soal nikah di Waru")
    somewhere = await _asks(room, rasa, "petugas, soal nikah")
    assert await _seen(room, SEDATI) == [sedati]
    assert await _seen(room, WARU) == [waru]
    assert await _seen(room, EVERYWHERE) == [sedati, waru, somewhere]
    assert await _seen(room, BETRO) == []
    with pytest.raises(DeskRefused) as refused:
        await claim(desk, WARU, sedati)
    assert refused.value.reason is Refusal.OUT_OF_SCOPE
    await claim(desk, SEDATI, sedati)
    await claim(desk, EVERYWHERE, waru)
    # Whoever answers for all of them asks where the citizen lives, and hands the conversation on.
    await claim(desk, EVERYWHERE, somewhere)
    await transfer(desk, EVERYWHERE, somewhere, agency="kecamatan:waru", note="Warga Waru")
    assert await _seen(room, WARU) == [somewhere]


async def test_a_desa_is_told_apart_from_one_of_the_same_name(room: Room, rasa: FakeRasa) -> None:
    at(room, MONDAY)
    tropodo = Officer("tia", "Tia", frozenset({"desa:waru/tropodo"}))
    betro = await _asks(room, rasa, "desa Betro", "petugas")
    either = await _asks(room, rasa, "desa Tropodo", "petugas")
    one = await _asks(room, rasa, "kecamatan Waru", "desa Tropodo", "petugas")
    assert await _seen(room, BETRO) == [betro]
    assert await _seen(room, tropodo) == [one]
    assert await _seen(room, Officer("dina", "Dina", frozenset({"desa"}))) == [betro, either, one]


async def test_a_place_is_staffed_by_its_own_officers_and_by_those_of_all_places(room: Room, rasa: FakeRasa) -> None:
    at(room, MONDAY)
    desk = room.desk()

    async def staffed(agency: str) -> bool:
        async with desk.store.engine.connect() as connection:
            return await is_staffed(connection, desk, agency)

    await come(desk, SEDATI, available=True)
    assert [await staffed(agency) for agency in ("kecamatan:sedati", "kecamatan:waru", "kecamatan")] == [
        True,
        False,
        False,
    ]
    assert [(count.agency, count.on_duty) for count in await counts(desk, SEDATI)] == [("kecamatan:sedati", 1)]
    await come(desk, EVERYWHERE, available=True)
    assert await staffed("kecamatan:waru")
    await _asks(room, rasa, "petugas, soal nikah di Waru")
    assert [(count.agency, count.queued, count.on_duty) for count in await counts(desk, EVERYWHERE)] == [
        ("kecamatan", 0, 1),
        ("kecamatan:sedati", 0, 2),
        ("kecamatan:waru", 1, 1),
    ]
