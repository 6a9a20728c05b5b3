"""The pages behind one-time links, from the message that brings one to what is kept of it, as a phone's browser follows them."""

from __future__ import annotations

import json

import httpx
import pytest

from backend.catalogue import Catalogue
from praja.rehearsal import Person, Rehearsal
from tests.stack.citizen import (
    CHANNELS,
    file_service,
    fill_to_number,
    fill_until,
    hear_later,
    new_nik,
    new_phone,
    said,
)
from tests.stack.conversation import Picture, SentPicture
from tests.stack.papers import paper
from tests.stack.running import OFFICER_TOKEN, Running
from tests.stack.web_page import link_in, open_page

pytestmark = [pytest.mark.verify, pytest.mark.parametrize("channel", CHANNELS)]


def test_a_document_is_sent_by_its_link(stack: Running, catalogue: Catalogue, channel: str) -> None:
    phone, rehearsal = new_phone(stack, channel), _rehearsal(catalogue)
    fill_until(phone, rehearsal, phone.say("ktp saya hilang"), "surat_kehilangan")
    told = said(phone.tap("Lewat tautan"))
    page = open_page(link_in(told))
    assert page.status == 200
    assert "Surat kehilangan" in page.words

    refused = page.send(files=[paper(SentPicture(kind=Picture.PROGRAM))])
    assert refused.status == 422
    assert "bukan foto atau PDF" in refused.words

    thanked = page.send(files=[paper(SentPicture(label="SURAT KEHILANGAN"))])
    assert thanked.status == 200
    assert "sudah kami terima" in thanked.words
    heard = hear_later(phone, "Berkas diterima: Surat kehilangan")

    again = open_page(page.url)
    assert again.action is None, "a used link takes no more"
    page.send(files=[paper(SentPicture(label="LAGI"))])
    assert not phone.later(3)

    number = fill_to_number(phone, rehearsal, heard)
    documents = {one["document"]: len(one["pages"]) for one in stack.dossier(number)["documents"]}
    assert documents == {"surat_kehilangan": 1, "kk": 1}


def test_a_finished_filing_is_rated_on_its_page(stack: Running, catalogue: Catalogue, channel: str) -> None:
    phone = new_phone(stack, channel)
    number, _ = file_service(phone, catalogue.services["sk_umum"], nik=new_nik())
    for state in ("DIPROSES", "DISETUJUI", "SELESAI"):
        stack.transition(number, state)
    page = open_page(link_in(said(hear_later(phone, "penilaian"))))
    assert number in page.words
    ratings = {name: "4" for name, values in page.controls.items() if values}
    assert len(ratings) == 9
    before = _rated(stack)

    assert page.send().status == 422, "nothing rated is nothing sent"
    assert page.send({**ratings, "saran": "sudah baik"}).status == 200
    assert _rated(stack) == before + 1
    assert open_page(page.url).action is None
    page.send(ratings)
    assert _rated(stack) == before + 1


def test_ones_own_data_are_fetched_once(stack: Running, catalogue: Catalogue, channel: str) -> None:
    phone, nik = new_phone(stack, channel), new_nik()
    number, _ = file_service(phone, catalogue.services["sk_umum"], nik=nik)
    page = open_page(link_in(said(phone.say("unduh data saya"))))
    kept = page.send()
    assert kept.content_type.startswith("application/json")
    assert number in kept.content.decode()
    assert nik in json.dumps(json.loads(kept.content))
    assert page.send().status == 410
    assert open_page(page.url).status == 410


def _rehearsal(catalogue: Catalogue) -> Rehearsal:
    return Rehearsal.of(catalogue, [catalogue.services["ktp_hilang"]], Person(nik=new_nik()))


def _rated(stack: Running) -> int:
    """How many have rated anything."""
    answer = httpx.get(
        f"{stack.backend}/api/v1/satisfaction", headers={"Authorization": f"Bearer {OFFICER_TOKEN}"}, timeout=30
    )
    return int(answer.json()["total"]["respondents"])
