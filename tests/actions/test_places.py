"""Where one lives: a desa tells its kecamatan."""

from __future__ import annotations

import pytest

from tests.actions.fake_backend import FakeBackend
from tests.actions.talk import Talk


async def begin(talk: Talk) -> str:
    await talk.say("mau bikin surat domisili", "ajukan_layanan", about="sk_domisili")
    return await talk.tap("Setuju, mulai")


@pytest.mark.parametrize(
    ("said", "entities"),
    [("sumokali", {}), ("Sumokali", {"desa": "Sumokali"}), ("ds sumo kali", {"desa": "Sumokali"})],
)
async def test_a_desa_is_taken_for_its_kecamatan_and_said_so(
    talk: Talk, backend: FakeBackend, said: str, entities: dict[str, str]
) -> None:
    assert "Tanya kecamatan?" in await begin(talk)
    told = await talk.say(said, **entities)
    assert "Sumokali ada di Kecamatan Candi" in told
    assert "Tanya alamat?" in told
    assert next(iter(backend.drafts.values())).answers == {"kecamatan": "Candi", "desa": "Sumokali"}


async def test_a_kecamatan_is_just_taken(talk: Talk) -> None:
    await begin(talk)
    told = await talk.say("kec. candi")
    assert "ada di Kecamatan" not in told
    assert "Tanya desa?" in told


@pytest.mark.parametrize(("said", "reason"), [("janti", "Ada di Tarik dan Waru"), ("surabaya", "Tidak ada kecamatan")])
async def test_what_names_none_or_several_is_asked_again(talk: Talk, said: str, reason: str) -> None:
    await begin(talk)
    told = await talk.say(said)
    assert reason in told
    assert "Tanya kecamatan?" in told


async def test_a_question_is_no_name(talk: Talk) -> None:
    await begin(talk)
    told = await talk.say("biayanya berapa?", "tanya_biaya", about="sk_domisili")
    assert "Rp 0" in told
    told = await talk.say("gak tau")
    assert "Tidak ada kecamatan" not in told
    assert "Tanya kecamatan?" in told
