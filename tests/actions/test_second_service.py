"""Two services in one message: one is begun, the other isn't forgotten."""

from __future__ import annotations

from tests.actions.talk import Talk


async def file_the_first(talk: Talk) -> str:
    await talk.tap("Setuju, mulai")
    await talk.say("sumokali")
    await talk.say("Jalan Melati 5")
    return await talk.say("kirim")


async def test_the_second_is_named_and_offered_once_the_first_is_sent(talk: Talk) -> None:
    told = await talk.say(
        "mau bikin domisili sama surat umum", "ajukan_layanan", about="sk_domisili", besides="sk_umum"
    )
    assert "Anda juga menyebut Sk umum" in told
    told = await file_the_first(talk)
    assert "sudah terkirim" in told
    assert "juga mau mengurus Sk umum" in told
    assert talk.choices == [("niat:ajukan_layanan:sk_umum", "Lanjut: Sk umum")]
    assert "Sk umum" in await talk.tap("Lanjut: Sk umum")
    assert "Tanya nik?" in await talk.tap("Ya, mulai")


async def test_a_bare_yes_goes_on_with_it(talk: Talk) -> None:
    await talk.say("mau bikin domisili sama surat umum", "ajukan_layanan", about="sk_domisili", besides="sk_umum")
    await file_the_first(talk)
    assert "Sk umum" in await talk.say("iya", "ya")
    assert "Tanya nik?" in await talk.tap("Ya, mulai")


async def test_it_is_offered_once(talk: Talk) -> None:
    await talk.say("mau bikin domisili sama surat umum", "ajukan_layanan", about="sk_domisili", besides="sk_umum")
    await file_the_first(talk)
    await talk.say("mau bikin domisili", "ajukan_layanan", about="sk_domisili")
    await talk.tap("Ya, mulai")
    await talk.say("sumokali")
    await talk.say("Jalan Mawar 7")
    assert "juga mau mengurus" not in await talk.say("kirim")


async def test_another_wish_takes_its_place(talk: Talk) -> None:
    await talk.say("mau bikin domisili sama surat umum", "ajukan_layanan", about="sk_domisili", besides="sk_umum")
    await talk.say("eh domisili saja", "ajukan_layanan", about="sk_domisili")
    assert "juga mau mengurus" not in await file_the_first(talk)


async def test_what_is_no_service_is_not_offered(talk: Talk) -> None:
    told = await talk.say("mau bikin domisili sama xyz", "ajukan_layanan", about="sk_domisili", besides="xyz")
    assert "Anda juga menyebut" not in told


async def test_a_wish_in_the_middle_of_another_filing_is_kept_too(talk: Talk) -> None:
    await talk.say("mau bikin domisili", "ajukan_layanan", about="sk_domisili")
    await talk.tap("Setuju, mulai")
    await talk.say("nanti mau bikin surat umum juga", "ajukan_layanan", about="sk_umum")
    await talk.say("sumokali")
    await talk.say("Jalan Melati 5")
    assert "juga mau mengurus Sk umum" in await talk.say("kirim")


async def test_who_goes_over_to_it_has_it(talk: Talk) -> None:
    await talk.say("mau bikin surat umum", "ajukan_layanan", about="sk_umum")
    await talk.tap("Setuju, mulai")
    await talk.say("eh mau bikin domisili dulu", "ajukan_layanan", about="sk_domisili")
    await talk.choose("mulai:sk_domisili")
    await talk.say("sumokali")
    await talk.say("Jalan Melati 5")
    assert "juga mau mengurus" not in await talk.say("kirim")


async def test_the_same_again_is_no_second(talk: Talk) -> None:
    await talk.say("mau bikin domisili", "ajukan_layanan", about="sk_domisili")
    await talk.tap("Setuju, mulai")
    await talk.say("iya domisili pak", "ajukan_layanan", about="sk_domisili")
    await talk.say("sumokali")
    await talk.say("Jalan Melati 5")
    assert "juga mau mengurus" not in await talk.say("kirim")
