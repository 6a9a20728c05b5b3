"""Whose filing and whose data it is, on real channels: a second proof, one's own number, another channel, being forgotten."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from backend.catalogue import Catalogue
from praja.rehearsal import Person, Rehearsal
from tests.stack.citizen import (
    CHANNELS,
    file_service,
    fill_to_number,
    fill_until,
    new_nik,
    new_phone,
    said,
    titles_of,
)
from tests.stack.running import Running

pytestmark = pytest.mark.verify


@pytest.mark.parametrize("channel", CHANNELS)
def test_somebody_elses_filing_needs_a_second_proof(stack: Running, catalogue: Catalogue, channel: str) -> None:
    nik = new_nik()
    number, _ = file_service(new_phone(stack, channel), catalogue.services["sk_umum"], nik=nik)

    stranger = new_phone(stack, channel)
    assert "empat angka terakhir" in said(stranger.say(f"status {number}"))
    assert "tidak cocok" in said(stranger.say(_wrong(nik)))
    told = said(stranger.say(nik[-4:]))
    assert number in told
    assert "menunggu" in told
    assert "Siti" not in told, "the proof shows how it stands, not whose it is"
    assert titles_of(stranger.later(0.1)) == []

    in_one = said(new_phone(stack, channel).say(f"cek status {number} {nik[-4:]}"))
    assert "menunggu" in in_one


@pytest.mark.parametrize("channel", CHANNELS)
def test_after_five_wrong_proofs_even_the_right_one_must_wait(
    stack: Running, catalogue: Catalogue, channel: str
) -> None:
    nik = new_nik()
    number, _ = file_service(new_phone(stack, channel), catalogue.services["sk_umum"], nik=nik)
    guesser = new_phone(stack, channel)
    guesser.say(f"status {number}")
    for _ in range(5):
        assert "tidak cocok" in said(guesser.say(_wrong(nik)))
    refused = said(guesser.say(nik[-4:]))
    assert "satu jam lagi" in refused
    assert "menunggu" not in refused
    assert "satu jam lagi" in said(guesser.say(f"cek status {number} {nik[-4:]}"))
    assert "menunggu" in said(new_phone(stack, channel).say(f"cek status {number} {nik[-4:]}"))


@pytest.mark.parametrize("channel", CHANNELS)
def test_ones_own_number_is_given_by_a_tap(stack: Running, catalogue: Catalogue, channel: str) -> None:
    phone, nik = new_phone(stack, channel), new_nik()
    rehearsal = _rehearsal(catalogue, nik)
    heard = fill_until(phone, rehearsal, phone.say("mau bikin surat keterangan umum desa"), "hp")
    if channel == "simulator":
        assert "Pakai nomor ini" not in titles_of(heard), "nobody knows the number of this phone yet"
        heard = phone.send_contact(phone.own_number)
    else:
        heard = phone.tap("Pakai nomor ini")
    assert "kecamatan" in said(heard)
    number = fill_to_number(phone, rehearsal, heard)
    (answer,) = [one for one in stack.dossier(number, reveal="hp")["answers"] if one["field"] == "hp"]
    assert _digits(answer["value"]).endswith(_digits(phone.own_number)[2:])


def test_a_draft_goes_on_in_another_channel_of_the_same_number(stack: Running, catalogue: Catalogue) -> None:
    first, nik = new_phone(stack, "whatsapp"), new_nik()
    rehearsal = _rehearsal(catalogue, nik)
    fill_until(first, rehearsal, first.say("mau bikin surat keterangan umum desa"), "kecamatan")

    second = new_phone(stack, "telegram")
    assert "Lanjutkan isian" not in titles_of(second.say("halo"))
    second.send_contact(first.own_number)
    assert "Lanjutkan isian" in titles_of(second.say("halo"))
    heard = second.tap("Lanjutkan isian")
    if (agree := next((title for title in titles_of(heard) if title.startswith("Setuju")), None)) is not None:
        heard = second.tap(agree)
    assert "kecamatan" in said(heard)
    number = fill_to_number(second, rehearsal, heard)
    mine = [filing for filing in stack.filings() if str(filing["applicant"]["nik"]).endswith(nik[-4:])]
    assert [filing["number"] for filing in mine] == [number]
    assert number in said(first.say("cek status")), "it is one person's on both"


@pytest.mark.parametrize("channel", CHANNELS)
def test_one_is_forgotten_when_one_wants_it(stack: Running, catalogue: Catalogue, channel: str) -> None:
    phone, nik = new_phone(stack, channel), new_nik()
    number, _ = file_service(phone, catalogue.services["sk_umum"], nik=nik)
    for state in ("DIPROSES", "DISETUJUI", "SELESAI"):
        stack.transition(number, state)
        time.sleep(1)
    rehearsal = Rehearsal.of(catalogue, [catalogue.services["ktp_hilang"]], Person(nik=nik))
    fill_until(phone, rehearsal, phone.say("ktp saya hilang, mau ngajuin"), "nama")

    assert number in said(phone.say("data apa saja yang disimpan?"))
    asked = phone.say("hapus data saya")
    assert "tidak bisa dikembalikan" in said(asked)
    done = said(phone.tap("Ya, hapus"))
    assert "hapus" in done

    _wait_until(lambda: stack.filing(number)["applicant"]["nik"] is None)
    assert "Siti" not in str(stack.dossier(number))
    assert "Lanjutkan isian" not in titles_of(phone.say("halo"))
    assert "Siti" not in said(phone.say("data apa saja yang disimpan?"))
    # And a new beginning is one: consent is asked for, nothing is known.
    heard = phone.say("mau bikin surat keterangan umum desa")
    assert any(title.startswith("Setuju") for title in titles_of(heard)), titles_of(heard)


def _rehearsal(catalogue: Catalogue, nik: str) -> Rehearsal:
    return Rehearsal.of(catalogue, [catalogue.services["sk_umum"]], Person(nik=nik))


def _wait_until(happened: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.5)


def _wrong(nik: str) -> str:
    return f"{(int(nik[-4:]) + 1) % 10000:04d}"


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))
