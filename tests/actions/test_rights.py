"""Rights over one's own data, and what is said before anything is erased."""

from __future__ import annotations

import pytest

from tests.actions.fake_backend import FakeBackend
from tests.actions.fake_bot import FakeBot
from tests.actions.fake_filings import filing, issued
from tests.actions.talk import Talk

OPEN, DONE = issued("7K4QX"), issued("AAAAA")


@pytest.fixture(autouse=True)
def filings(talk: Talk, backend: FakeBackend) -> None:
    backend.sent.by_number = {
        OPEN: filing(OPEN, talk.conversation, "DIPROSES"),
        DONE: filing(DONE, talk.conversation, "SELESAI"),
    }
    backend.consents[talk.conversation] = "2026-11"


async def ask(talk: Talk, text: str) -> str:
    return await talk.say(text, "privasi_data")


async def test_what_is_stored_and_until_when(talk: Talk) -> None:
    told = await ask(talk, "data apa yang disimpan?")
    for part in (OPEN, DONE, "sampai Kamis, 20 Mei 2027", "persetujuan Anda, Selasa, 24 November 2026"):
        assert part in told


async def test_download_by_a_link_that_opens_once(talk: Talk, bot: FakeBot) -> None:
    assert "https://praja.example/" in await ask(talk, "unduh data saya")
    assert bot.links == [{"kind": "data", "conversation": talk.conversation, "subject": {}}]


async def test_the_other_channels_data_have_a_link_of_their_own(talk: Talk, bot: FakeBot) -> None:
    talk.linked = ("percakapan-lain",)
    told = await ask(talk, "unduh data saya")
    assert "2 berkas" in told
    assert [each["conversation"] for each in bot.links] == [talk.conversation, "percakapan-lain"]
    for number in (1, 2):
        assert f"https://praja.example/unggah/{number}" in told


async def test_nothing_is_erased_before_it_is_confirmed(talk: Talk, backend: FakeBackend, bot: FakeBot) -> None:
    told = await ask(talk, "hapus data saya")
    assert "tidak bisa dikembalikan" in told
    assert OPEN in told
    assert "masih diproses" in told
    assert backend.sent.erased == bot.erased == []
    told = await talk.tap("Ya, hapus")
    assert "sekarang juga" in told
    assert OPEN in told
    assert DONE not in told
    assert backend.sent.erased == bot.erased == [talk.conversation]
    assert talk.slots["layanan"] is None


async def test_a_bare_yes_confirms_and_a_bare_no_does_not(talk: Talk, backend: FakeBackend) -> None:
    await ask(talk, "hapus data saya")
    await talk.say("gak jadi deh", "tidak")
    await talk.say("ya", "ya")
    assert backend.sent.erased == []
    await ask(talk, "hapus data saya")
    await talk.say("ya", "ya")
    assert backend.sent.erased == [talk.conversation]


async def test_the_other_channel_is_erased_too(talk: Talk, backend: FakeBackend, bot: FakeBot) -> None:
    talk.linked = ("percakapan-lain",)
    await talk.choose("data:hapus:ya")
    assert backend.sent.erased == bot.erased == [talk.conversation, "percakapan-lain"]


async def test_in_the_middle_of_a_form_it_ends(talk: Talk, backend: FakeBackend) -> None:
    await talk.choose("mulai:sk_umum")
    assert talk.form_is_open
    await ask(talk, "hapus data saya?")
    await talk.choose("data:hapus:ya")
    assert not talk.form_is_open
    assert talk.slots["draf"] is None


async def test_consent_is_withdrawn_after_a_word_of_warning(talk: Talk, backend: FakeBackend) -> None:
    assert "tidak diproses lagi" in await ask(talk, "saya mencabut persetujuan atas data pribadi saya")
    assert backend.sent.withdrawn == []
    assert "sudah dicabut" in await talk.say("ya", "ya")
    assert backend.sent.withdrawn == [talk.conversation]


async def test_a_question_about_privacy_is_answered_with_the_rights(talk: Talk) -> None:
    told = await ask(talk, "data saya aman ga?")
    assert "tersandi" in told
    assert [title for _, title in talk.choices] == ["Lihat data saya", "Unduh data saya", "Hapus data saya"]


async def test_a_backend_that_is_away_erases_nothing_and_says_so(
    talk: Talk, backend: FakeBackend, bot: FakeBot
) -> None:
    backend.down = True
    assert "tidak bisa dihubungi" in await talk.choose("data:hapus:ya")
    assert bot.erased == []
