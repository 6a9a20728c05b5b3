"""Several persons in one message are read as people write them, and nobody is taken for somebody else."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backend.persons import Person, PersonsUnclear, read_persons, write_persons

TODAY = date(2026, 11, 24)
BUDI, RINA, SRI = "3515081708909999", "3515085708929999", "3515085708859999"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (f"Budi Santoso {BUDI}, Rina Wati {RINA}.", f"Budi Santoso {BUDI}; Rina Wati {RINA}"),
        (f"budi {BUDI} sama rina {RINA}", f"budi {BUDI}; rina {RINA}"),
        (f"budi {BUDI} karo rina {RINA} dan sri {SRI}", f"budi {BUDI}; rina {RINA}; sri {SRI}"),
        (f"budi {BUDI} rina {RINA}", f"budi {BUDI}; rina {RINA}"),
        (f"{BUDI} Budi\n{RINA} Rina", f"Budi {BUDI}; Rina {RINA}"),
        (f"NIK {BUDI} nama Budi, NIK {RINA} nama Rina", f"Budi {BUDI}; Rina {RINA}"),
        (f"Budi\n{BUDI}\n\nRina\n{RINA}", f"Budi {BUDI}; Rina {RINA}"),
        (f"Budi, Rina\n{BUDI}, {RINA}", f"Budi {BUDI}; Rina {RINA}"),
        (f"1. Nama: Budi NIK: {BUDI}\n2. Nama: Rina NIK: {RINA}", f"Budi {BUDI}; Rina {RINA}"),
        (f"- Budi = {BUDI}\n- Rina = {RINA}", f"Budi {BUDI}; Rina {RINA}"),
        ("Budi 3515 0817 0890 9999, Rina 351508-570892-9999", f"Budi {BUDI}; Rina {RINA}"),
        (f"Budi {BUDI} anak, Rina {RINA} istri.", f"Budi {BUDI} anak; Rina {RINA} istri"),
        (f"Budi {BUDI} anak kandung Rina {RINA} istri", f"Budi {BUDI} anak kandung; Rina {RINA} istri"),
        (f"bapak Budi {BUDI} ibu Rina {RINA}", f"bapak Budi {BUDI}; ibu Rina {RINA}"),
        (f"Saksi 1: Budi {BUDI}, saksi 2: Rina {RINA}", f"Saksi 1: Budi {BUDI}; saksi 2: Rina {RINA}"),
        (f"Nur Aini, S.Pd. {BUDI}, Rina, ST {RINA}", f"Nur Aini, S.Pd. {BUDI}; Rina, ST {RINA}"),
        (
            f"Budi {BUDI} anak, Jl. Mawar 3 RT 02 RW 05, Rina {RINA} istri",
            f"Budi {BUDI} anak, Jl. Mawar 3 RT 02 RW 05; Rina {RINA} istri",
        ),
        (f"Budi {BUDI} hp 081234567890; Rina {RINA}", f"Budi {BUDI} hp 081234567890; Rina {RINA}"),
        (f"Budi Santoso {BUDI} 0001234567899", f"Budi Santoso {BUDI} 0001234567899"),
    ],
)
def test_people_write_it_in_many_ways(text: str, written: str) -> None:
    persons = read_persons(text, today=TODAY)
    assert write_persons(persons) == written
    assert read_persons(written, today=TODAY) == persons


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("Budi", "NIK-nya belum ada"),
        (f"Budi {BUDI}, Rina", "NIK untuk Rina"),
        (f"Rina, Budi {BUDI}", "NIK untuk Rina"),
        (f"Budi sama rina {BUDI} {RINA}", "NIK untuk Budi"),
        (f"Budi {BUDI}, Rina 35150857089299", "NIK Rina belum benar"),
        (f"Budi {BUDI}, Rina 351508570892999912", "18 angka"),
        (f"Budi {BUDI}, Rina 3515089908929999", "NIK Rina belum benar"),
        (f"Budi {BUDI}, Rina {BUDI}", "sama dengan"),
        (BUDI, "Nama untuk NIK urutan ke-1"),
        (f"{BUDI} {RINA}", "Nama untuk NIK urutan ke-1"),
        (f"Budi {BUDI}, {RINA}", "Nama untuk NIK urutan ke-2"),
        (f"{BUDI} Budi, {RINA}", "Nama untuk NIK urutan ke-2"),
        (f"B {BUDI}", "belum lengkap"),
    ],
)
def test_who_lacks_something_is_named(text: str, hint: str) -> None:
    with pytest.raises(PersonsUnclear) as refused:
        read_persons(text, today=TODAY)
    assert hint in str(refused.value)
    assert BUDI not in str(refused.value).split("contoh:")[0]


NAMES = st.lists(
    st.sampled_from(["Budi", "Siti", "Nur", "Aini", "Slamet", "Rahmawati", "M.", "Al-Fatih", "Ma'ruf", "bin", "Ali"]),
    min_size=1,
    max_size=4,
).map(" ".join).filter(lambda name: sum(map(str.isalpha, name)) > 2 and not name.endswith("."))  # fmt: skip
NIKS = st.builds(
    "351508{:02}{:02}{:02}{:04}".format,
    st.integers(1, 28) | st.integers(41, 68),
    st.integers(1, 12),
    st.integers(30, 99),
    st.integers(1, 9999),
)
FAMILIES = st.lists(
    st.tuples(NAMES, NIKS), min_size=1, max_size=6, unique_by=(lambda pair: pair[0], lambda pair: pair[1])
)
SPACED = st.sampled_from([(16,), (4, 4, 4, 4), (6, 6, 4)])
BETWEEN = st.sampled_from([", ", "\n", "; ", " dan ", " sama ", " & ", " ,", ".\n"])


@example(
    family=[("Budi", "3515080101300002"), ("M. Budi", "3515080101300001")],
    between=", ", spaced=(16,), inside="\n", nik_first=True, numbered=False,
)  # fmt: skip
@given(FAMILIES, BETWEEN, SPACED, st.sampled_from([" ", "\n", ": ", " NIK ", " - "]), st.booleans(), st.booleans())
def test_every_person_keeps_the_own_nik(
    family: list[tuple[str, str]],
    between: str,
    spaced: tuple[int, ...],
    inside: str,
    nik_first: bool,
    numbered: bool,
) -> None:
    if inside == "\n" and between == "\n" and nik_first:
        inside = " "
    written = []
    for position, (name, nik) in enumerate(family, start=1):
        digits, start = [], 0
        for width in spaced:
            digits.append(nik[start : start + width])
            start += width
        pair = (" ".join(digits), name) if nik_first else (name, " ".join(digits))
        written.append((f"{position}. " if numbered else "") + inside.join(pair))
    persons = read_persons(between.join(written), today=TODAY)
    assert [(person.name, person.nik) for person in persons] == family


@given(st.text(st.sampled_from("ab A,;\n.:-()0123456789"), max_size=80) | st.text(max_size=60), FAMILIES)
def test_nothing_that_was_written_is_lost(noise: str, family: list[tuple[str, str]]) -> None:
    text = ", ".join(f"{name} {nik}" for name, nik in family) + " " + noise
    try:
        written = write_persons(read_persons(text, today=TODAY))
    except PersonsUnclear as unclear:
        assert str(unclear).endswith((".", "?"))  # noqa: PT017 - either outcome is right
        return
    kept = [character for character in written.casefold() if character.isalnum()]
    for word in (word for word in "".join(c if c.isalnum() else " " for c in noise.casefold()).split()):
        if word not in ("nama", "nik", "no", "nomor", "dan", "sama", "karo", "serta", "ambek"):
            assert all(character in kept for character in word if not character.isdigit())


PERSONS = st.builds(Person, NAMES, NIKS, st.sampled_from(["", "anak", "Desa Suko RT 2"]))


@given(st.lists(PERSONS, min_size=1, max_size=5, unique_by=lambda person: person.nik))
def test_what_is_kept_is_read_as_itself(persons: list[Person]) -> None:
    assert read_persons(write_persons(persons), today=TODAY) == persons
