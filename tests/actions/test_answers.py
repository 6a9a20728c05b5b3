"""Questions about a service, answered from the catalogue; and what is offered where it isn't sure which one is meant."""

from __future__ import annotations

from typing import Any

import pytest

from tests.actions.conftest import Clock
from tests.actions.talk import Talk


def titles(talk: Talk) -> list[str]:
    return [title for _, title in talk.choices]


def about(*guesses: tuple[str, float]) -> list[dict[str, Any]]:
    (best, confidence), *others = guesses
    alternatives = [{"value": name, "confidence": value} for name, value in others]
    return [{"entity": "layanan", "value": best, "confidence_entity": confidence, "alternatives": alternatives}]


@pytest.mark.parametrize("said", ["bs diwakilkan?", "sk umum iso diwakilno bojoku ta", "bisa diurus suami gak?"])
async def test_whether_somebody_else_may_do_it(talk: Talk, said: str) -> None:
    told = await talk.say(said, "tanya_prosedur", about="sk_umum")
    assert "keluarga tanpa surat kuasa" in told
    assert "Bawa berkas asli" not in told
    assert ("mulai:sk_umum:wakil", "Ajukan untuk dia") in talk.choices


async def test_of_a_referral_that_is_not_known(talk: Talk) -> None:
    assert "belum ada dalam data kami" in await talk.say("bisa diwakilkan?", "tanya_prosedur", about="paspor")


async def test_the_steps_are_told_to_who_asks_for_them(talk: Talk) -> None:
    assert "Bawa berkas asli" in await talk.say("caranya gimana", "tanya_prosedur", about="sk_umum")


async def test_a_rejection_that_has_not_happened(talk: Talk) -> None:
    told = await talk.say("lek ditolak yok opo?", "tanya_prosedur", about="sk_umum")
    assert "tidak langsung menolak" in told


async def test_next_best_services_are_offered_beside_the_answer(talk: Talk) -> None:
    unsure = about(("sk_umum", 0.6), ("paspor", 0.3), ("konsultasi_hukum", 0.02))
    intent = {"intent": {"name": "tanya_biaya", "confidence": 0.9}, "entities": unsure}
    assert "Rp 0" in await talk.turn(intent, "bayar brp", {})
    assert ("niat:tanya_biaya:paspor", "Paspor") in talk.choices
    assert "Konsultasi hukum" not in titles(talk)


async def test_with_two_alike_it_is_asked_which(talk: Talk) -> None:
    unsure = about(("sk_umum", 0.4), ("paspor", 0.35))
    intent = {"intent": {"name": "tanya_biaya", "confidence": 0.9}, "entities": unsure}
    assert "layanan yang mana" in await talk.turn(intent, "bayar brp", {})
    assert titles(talk) == ["Sk umum", "Paspor", "Layanan lain"]


async def test_hours_with_the_break_and_whether_it_is_open_now(talk: Talk, clock: Clock) -> None:
    told = await talk.say("dispenduk buka jam brp", "tanya_jam_layanan")
    assert "istirahat 12.00-13.00" in told
    assert "Sekarang buka, sampai 16.00." in told
    clock.now = clock.now.replace(hour=20)
    assert "buka lagi Rabu, 25 November 2026" in await talk.say("dispenduk buka jam brp", "tanya_jam_layanan")


async def test_hours_of_the_day_that_is_asked_about(talk: Talk) -> None:
    told = await talk.say("natal dispenduk buka?", "tanya_jam_layanan", tanggal="2026-12-25")
    assert "tutup, Hari Raya Natal" in told
    assert "Senin-Kamis" not in told
