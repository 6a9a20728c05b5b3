"""How a filing stands: one's own without its number, another person's with a second proof, and what can be done then."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.actions.conftest import Clock
from tests.actions.fake_backend import FakeBackend
from tests.actions.fake_bot import FakeBot
from tests.actions.fake_filings import filing, issued
from tests.actions.talk import Talk


def titles(talk: Talk) -> list[str]:
    return [title for _, title in talk.choices]


@pytest.fixture
def number() -> str:
    """One whose check character fits."""
    return issued("7K4QX")


def has(backend: FakeBackend, *filings: dict[str, object]) -> None:
    backend.sent.by_number |= {str(each["number"]): each for each in filings}


async def ask(talk: Talk, text: str = "punya saya sampai mana", **entities: str) -> str:
    return await talk.say(text, "cek_status", **entities)


class TestOwn:
    async def test_the_only_one_is_told_without_itsissued(self, talk: Talk, backend: FakeBackend, number: str) -> None:
        has(backend, filing(number, talk.conversation))
        told = await ask(talk)
        for part in (number, "Sk umum", "menunggu diperiksa", "Desa Suko", "Rabu, 25 November 2026"):
            assert part in told
        assert titles(talk) == ["Cabut"]

    async def test_when_it_will_be_done_is_told_of_ones_own(
        self, talk: Talk, backend: FakeBackend, number: str
    ) -> None:
        has(backend, filing(number, talk.conversation))
        told = await talk.say("kapan selesainya?", "tanya_lama_proses", about="sk_umum")
        assert f"{number}: Paling lambat selesai Rabu, 25 November 2026" in told
        backend.sent.by_number[number]["state"] = "SELESAI"
        assert number not in await talk.say("kapan selesainya?", "tanya_lama_proses", about="sk_umum")

    async def test_none(self, talk: Talk) -> None:
        assert "Belum ada permohonan" in await ask(talk)

    async def test_several_are_offered_by_short_titles(self, talk: Talk, backend: FakeBackend) -> None:
        has(
            backend,
            filing(issued("AAAAA"), talk.conversation, submitted_at="2026-11-19T10:00:00+07:00"),
            filing(issued("BBBBB"), talk.conversation, service="paspor"),
            filing(issued("CCCCC"), talk.conversation, submitted_at="2026-11-18T10:00:00+07:00"),
        )
        await ask(talk)
        assert titles(talk) == ["Paspor", f"Sk umum {issued('AAAAA')[-6:]}", f"Sk umum {issued('CCCCC')[-6:]}"]
        assert all(len(title) <= 20 for title in titles(talk))
        assert issued("CCCCC") in await talk.tap(titles(talk)[2])

    async def test_of_a_rejection_the_rejected_one_is_meant(self, talk: Talk, backend: FakeBackend) -> None:
        has(
            backend,
            filing(issued("AAAAA"), talk.conversation, "DIBATALKAN"),
            filing(issued("BBBBB"), talk.conversation, "DITOLAK"),
        )
        assert "ditolak" in await ask(talk, "kenapa ditolak?")
        assert "Ajukan lagi" in titles(talk)

    async def test_the_named_service_is_meant(self, talk: Talk, backend: FakeBackend) -> None:
        has(
            backend,
            filing(issued("AAAAA"), talk.conversation),
            filing(issued("BBBBB"), talk.conversation, service="paspor"),
        )
        assert issued("BBBBB") in await talk.say("paspor saya sampai mana", "cek_status", about="paspor")
        assert issued("AAAAA") not in await talk.say("paspor saya sampai mana", "cek_status", about="paspor")

    async def test_those_of_the_other_channel_too(self, talk: Talk, backend: FakeBackend, number: str) -> None:
        has(backend, filing(number, "percakapan-lain"))
        assert "Belum ada" in await ask(talk)
        talk.linked = ("percakapan-lain",)
        assert number in await ask(talk)
        assert number in await ask(talk, number, nomor_permohonan=number)

    async def test_a_shared_contact_is_what_brings_them_here(self, talk: Talk) -> None:
        assert "aplikasi lain" in await talk.send(contact={"phone": "+6281234567890"})
        assert titles(talk) == ["Cek status"]

    async def test_what_is_wrong_is_asked_of_the_one_that_came_back(self, talk: Talk, backend: FakeBackend) -> None:
        fix = [{"field": "hp", "reason": "tidak aktif"}]
        has(
            backend,
            filing(issued("AAAAA"), talk.conversation),
            filing(issued("BBBBB"), talk.conversation, "PERLU_PERBAIKAN", fix=fix),
        )
        assert "tidak aktif" in await ask(talk, "apa yang salah?")

    async def test_lateness_is_said_honestly(self, talk: Talk, backend: FakeBackend, clock: Clock, number: str) -> None:
        has(backend, filing(number, talk.conversation, "DIPROSES"))
        clock.now += timedelta(days=4)
        told = await ask(talk)
        assert "lewat 3 hari" in told
        assert "Tanya petugas" in titles(talk)

    async def test_why_it_was_rejected_and_how_to_go_on(self, talk: Talk, backend: FakeBackend, number: str) -> None:
        entries = [
            {"at": "2026-11-20T10:00:00+07:00", "state": "MENUNGGU", "note": None},
            {"at": "2026-11-21T03:05:00+00:00", "state": "DITOLAK", "note": "KK bukan milik pemohon"},
        ]
        has(backend, filing(number, talk.conversation, "DITOLAK", chronology=entries))
        told = await ask(talk, "kok ditolak")
        assert "Alasan petugas: KK bukan milik pemohon" in told
        assert "- 21 November, 10.05: ditolak" in told
        assert titles(talk) == ["Ajukan lagi", "Tanya petugas"]

    async def test_a_rejection_that_has_not_happened(self, talk: Talk, backend: FakeBackend) -> None:
        assert "tidak langsung menolak" in await ask(talk, "kalau ditolak gimana?")

    @pytest.mark.parametrize(
        ("foreign", "said"), [("Menunggu Verifikasi", "menunggu diperiksa"), ("di_meja_camat", "di meja camat")]
    )
    async def test_states_of_a_districts_own_system(
        self, talk: Talk, backend: FakeBackend, number: str, foreign: str, said: str
    ) -> None:
        has(backend, filing(number, talk.conversation, foreign))
        assert f"Status: {said}" in await ask(talk)

    async def test_a_form_goes_on_without_the_choices(self, talk: Talk, backend: FakeBackend, number: str) -> None:
        has(backend, filing(number, talk.conversation))
        talk.slots["draf"] = "draf-9"
        assert number in await ask(talk)
        assert titles(talk) == []


class TestAnothersNumber:
    @pytest.fixture(autouse=True)
    def theirs(self, backend: FakeBackend, number: str) -> None:
        has(backend, filing(number, "orang-lain"))

    async def test_the_proof_is_asked_for_and_is_the_next_message(self, talk: Talk, number: str) -> None:
        told = await ask(talk, number, nomor_permohonan=number)
        assert "empat angka terakhir" in told
        assert "Desa Suko" not in told
        told = await talk.say("nik 9999")
        assert "menunggu diperiksa" in told
        assert titles(talk) == []

    async def test_number_and_proof_in_one_message(self, talk: Talk, number: str) -> None:
        assert "menunggu diperiksa" in await ask(talk, f"cek {number} 9999", nomor_permohonan=number)

    async def test_it_never_tells_whether_there_is_such_aissued(self, talk: Talk, number: str) -> None:
        free = issued("ZZZZZ")
        asked = [(await ask(talk, n, nomor_permohonan=n)).replace(n, "") for n in (number, free)]
        wrong = [(await ask(talk, f"{n} 1234", nomor_permohonan=n)).replace(n, "") for n in (number, free)]
        assert asked[0] == asked[1]
        assert wrong[0] == wrong[1]

    async def test_wrong_digits_may_be_mended_five_times(self, talk: Talk, number: str) -> None:
        await ask(talk, number, nomor_permohonan=number)
        for _ in range(5):
            assert "tidak cocok" in await talk.say("1234")
        assert "lima kali" in await talk.say("9999")

    async def test_digits_nobody_asked_for_are_ordinary(self, talk: Talk) -> None:
        assert "belum paham" in await talk.say("9999")

    async def test_slip_of_the_finger(self, talk: Talk, number: str) -> None:
        wrong = number[:-1] + ("A" if number[-1] != "A" else "B")
        assert "salah ketik" in await ask(talk, wrong, nomor_permohonan=wrong)


class TestComplaint:
    @pytest.fixture(autouse=True)
    def done(self, talk: Talk, backend: FakeBackend, number: str) -> None:
        has(backend, filing(number, talk.conversation, "SELESAI", mode="pengaduan", service="pengaduan"))

    @pytest.mark.parametrize(
        ("said", "intent", "closed"),
        [
            pytest.param("sudah beres", "cek_status", True, id="in words"),
            pytest.param("Ya, sudah beres", "cek_status", True, id="as the notification has it"),
            pytest.param("belum beres", "cek_status", False, id="not settled"),
            pytest.param("durung beres, mek ditambal separo", "cek_status", False, id="with what is left"),
            pytest.param("iya", "ya", True, id="a bare yes to the question"),
            pytest.param("durung", "tidak", False, id="a bare no to the question"),
        ],
    )
    async def test_settled_or_not(
        self, talk: Talk, backend: FakeBackend, number: str, said: str, intent: str, closed: bool
    ) -> None:
        assert "Sudah beres?" in await ask(talk)
        told = await talk.say(said, intent)
        view = backend.sent.by_number[number]
        assert (view["confirmed"], view["state"]) == ((True, "SELESAI") if closed else (False, "DIPROSES"))
        assert ("kami tutup" in told) == closed

    @pytest.mark.parametrize(
        ("said", "intent", "state"),
        [
            pytest.param("belum", "tidak", "DIPROSES", id="no"),
            pytest.param("durung", "tidak", "DIPROSES", id="no in Javanese"),
            pytest.param("sudah", "ya", "SELESAI", id="yes"),
            pytest.param("ya, wis beres", "ya", "SELESAI", id="yes in full"),
        ],
    )
    async def test_by_a_word_to_the_notification(
        self, talk: Talk, backend: FakeBackend, number: str, said: str, intent: str, state: str
    ) -> None:
        assert number in await talk.say(said, intent)
        assert backend.sent.by_number[number]["state"] == state

    @pytest.mark.parametrize(("said", "intent"), [("oke", "ya"), ("tidak", "tidak")])
    async def test_what_may_mean_something_else_is_asked(
        self, talk: Talk, backend: FakeBackend, number: str, said: str, intent: str
    ) -> None:
        assert "Sudah beres?" in await talk.say(said, intent)
        assert (backend.sent.by_number[number]["confirmed"], backend.sent.by_number[number]["state"]) == (
            False,
            "SELESAI",
        )

    async def test_by_the_notifications_choice_twice(self, talk: Talk, bot: FakeBot, number: str) -> None:
        told = await talk.choose(f"konfirmasi:{number}:ya")
        assert "kami tutup" in told
        assert "nilai penanganannya" in told
        assert bot.links[0]["kind"] == "penilaian"
        assert "tidak sedang menunggu" in await talk.choose(f"konfirmasi:{number}:ya")

    async def test_the_survey_is_given_to_the_conversation_that_complained(
        self, talk: Talk, backend: FakeBackend, bot: FakeBot, number: str
    ) -> None:
        backend.sent.by_number[number]["contact"] = "percakapan-lain"
        talk.linked = ("percakapan-lain",)
        assert "nilai penanganannya" in await talk.choose(f"konfirmasi:{number}:ya")
        assert [each["conversation"] for each in bot.links] == ["percakapan-lain"]

    async def test_words_without_such_a_complaint_are_a_question(
        self, talk: Talk, backend: FakeBackend, number: str
    ) -> None:
        backend.sent.by_number[number]["confirmed"] = True
        assert "selesai" in await ask(talk, "sudah beres")
