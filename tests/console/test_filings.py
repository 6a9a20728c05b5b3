"""Filings at the desk, with the reference backend behind it."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import FormData
from sqlalchemy import select

from console.accounts import Account, Role, add_account
from console.tables import audit
from console.workspace import Workspace
from tests.backend.conftest import NIK, Client, photo
from tests.backend.test_documents import pdf
from tests.bot.fakes import Clock
from tests.console.conftest import PASSWORD, Visit, Visitor, sign_in


@pytest.fixture
async def clerk(workspace: Workspace) -> Account:
    return await add_account(workspace, "camat", "Petugas Kecamatan", Role.OFFICER, ["kecamatan"], PASSWORD)


async def acts(workspace: Workspace, subject: str) -> list[str]:
    async with workspace.engine.connect() as connection:
        query = select(audit.c.act).where(audit.c.subject == subject).order_by(audit.c.id)
        return list(await connection.scalars(query))


async def take(visitor: Visitor, number: str, token: str, to: str, **form: Any) -> tuple[int, str]:
    answer = await visitor.post(f"/console/permohonan/{number}/status", data={"csrf": token, "to": to, **form})
    return answer.status, await answer.text()


async def test_the_whole_way_of_a_filing(
    visit: Visit, clerk: Account, channel: Client, workspace: Workspace, clock: Clock
) -> None:
    number = str((await channel.file())["number"])
    visitor = await visit()
    token = await sign_in(visitor, "camat", clock)
    assert number in await (await visitor.get("/console/permohonan?state=MENUNGGU")).text()

    shown = await (await visitor.get(f"/console/permohonan/{number}")).text()
    assert NIK not in shown
    assert "3515••••••••9999" in shown
    image = await visitor.get(f"/console/permohonan/{number}/dokumen/kk/1")
    assert (image.status, image.content_type) == (200, "image/jpeg")

    assert (await take(visitor, number, token, "DIPROSES"))[0] == 200
    status, page = await take(visitor, number, token, "PERLU_PERBAIKAN", documents="kk", reason="Fotonya terpotong.")
    assert status == 200
    assert "Menunggu perbaikan warga" in page
    assert "Fotonya terpotong." in page
    await _mend(channel, number)
    for to in ("DIPROSES", "DISETUJUI"):
        assert (await take(visitor, number, token, to))[0] == 200
    form = FormData({"csrf": token})
    form.add_field("file", pdf(), filename="hasil.pdf", content_type="application/pdf")
    uploaded = await visitor.post(f"/console/permohonan/{number}/hasil", data=form)
    assert "Lihat hasil" in await uploaded.text()
    status, page = await take(visitor, number, token, "SELESAI", note="Silakan diambil.")
    assert "Silakan diambil." in page
    done = await acts(workspace, f"filing:{number}")
    assert {"membaca", "melihat dokumen", "mengubah status", "mengunggah hasil"} <= set(done)


async def test_opening_the_list_is_a_look(
    visit: Visit, clerk: Account, backend: Any, workspace: Workspace, clock: Clock
) -> None:
    visitor = await visit()
    await sign_in(visitor, "camat", clock)
    for address in ("permohonan", "permohonan?state=MENUNGGU"):
        assert (await visitor.get(f"/console/{address}")).status == 200
    assert await acts(workspace, "filings") == ["membaca"] * 2


async def test_a_result_that_is_sent_twice_is_one(
    visit: Visit, clerk: Account, channel: Client, workspace: Workspace, clock: Clock
) -> None:
    number = str((await channel.file())["number"])
    visitor = await visit()
    token = await sign_in(visitor, "camat", clock)
    for to in ("DIPROSES", "DISETUJUI", "SELESAI"):
        assert (await take(visitor, number, token, to))[0] == 200
    codes = set()
    for _ in range(2):
        form = FormData({"csrf": token})
        form.add_field("file", pdf(), filename="hasil.pdf", content_type="application/pdf")
        page = await (await visitor.post(f"/console/permohonan/{number}/hasil", data=form)).text()
        assert page.count("Dokumen hasil sudah tersedia.") == 1
        codes.add(page.split("kode keaslian <code>")[1][:14])
        assert "data-once" in page.split(f'/console/permohonan/{number}/hasil" enctype')[1].split(">")[0]
    assert len(codes) == 1


async def test_a_number_is_unmasked_by_one_audited_act(
    visit: Visit, clerk: Account, channel: Client, workspace: Workspace, clock: Clock
) -> None:
    number = str((await channel.file())["number"])
    visitor = await visit()
    token = await sign_in(visitor, "camat", clock)
    form = {"csrf": token, "field": "nik"}
    assert NIK in await (await visitor.post(f"/console/permohonan/{number}/buka", data=form)).text()
    async with workspace.engine.connect() as connection:
        (entry,) = (await connection.execute(select(audit).where(audit.c.act == "membuka samaran"))).all()
    assert (entry.account, entry.subject, entry.detail) == (clerk.id, f"filing:{number}", {"field": "nik"})
    assert NIK not in await (await visitor.get(f"/console/permohonan/{number}")).text()


async def test_another_agency_s_filing_is_refused_everywhere(
    visit: Visit, officer: Account, channel: Client, clock: Clock
) -> None:
    number = str((await channel.file())["number"])
    visitor = await visit()
    token = await sign_in(visitor, "rina", clock)
    assert number not in await (await visitor.get("/console/permohonan")).text()
    for path in ("", "/dokumen/kk/1", "/hasil"):
        assert (await visitor.get(f"/console/permohonan/{number}{path}")).status == 403
    for path in ("status", "hasil", "buka"):
        form = {"csrf": token, "to": "DIPROSES", "field": "nik"}
        assert (await visitor.post(f"/console/permohonan/{number}/{path}", data=form)).status == 403


async def test_an_officer_of_one_kecamatan_sees_its_filings_alone(
    visit: Visit, workspace: Workspace, channel: Client, clock: Clock
) -> None:
    number = str((await channel.file(kecamatan="Candi"))["number"])
    for kecamatan, status in (("candi", 200), ("waru", 403)):
        await add_account(
            workspace, kecamatan, f"Petugas {kecamatan}", Role.OFFICER, [f"kecamatan:{kecamatan}"], PASSWORD
        )
        visitor = await visit()
        await sign_in(visitor, kecamatan, clock)
        assert (number in await (await visitor.get("/console/permohonan")).text()) is (status == 200)
        assert (await visitor.get(f"/console/permohonan/{number}")).status == status
        assert (await visitor.get(f"/console/permohonan/{number}/dokumen/kk/1")).status == status


@pytest.mark.parametrize(
    ("form", "status", "told"),
    [
        ({"to": "SELESAI"}, 409, "tidak bisa ke SELESAI"),
        ({"to": "PERLU_PERBAIKAN", "documents": "kk"}, 422, "Pilih apa yang perlu diperbaiki"),
        ({"to": "PERLU_PERBAIKAN", "documents": "khayal", "reason": "buram"}, 422, "Pilih apa yang perlu diperbaiki"),
    ],
)
async def test_a_step_that_can_not_be_is_told_on_the_page(
    visit: Visit, clerk: Account, channel: Client, clock: Clock, form: dict[str, str], status: int, told: str
) -> None:
    number = str((await channel.file())["number"])
    visitor = await visit()
    token = await sign_in(visitor, "camat", clock)
    await take(visitor, number, token, "DIPROSES")
    answer = await visitor.post(f"/console/permohonan/{number}/status", data={"csrf": token, **form})
    assert answer.status == status
    assert told in await answer.text()


async def test_a_backend_that_is_down_is_a_sentence(visit: Visit, clerk: Account, clock: Clock) -> None:
    visitor = await visit()
    await sign_in(visitor, "camat", clock)
    answer = await visitor.get("/console/permohonan")
    assert answer.status == 503
    assert "Tidak ada yang hilang" in await answer.text()


async def test_a_number_that_does_not_exist(visit: Visit, clerk: Account, backend: Any, clock: Clock) -> None:
    visitor = await visit()
    await sign_in(visitor, "camat", clock)
    assert (await visitor.get("/console/permohonan/SDA-2611-7K4QXB")).status == 404


async def _mend(channel: Client, number: str) -> None:
    import base64

    from tests.backend.conftest import CONTACT

    body = {"message_id": "perbaikan-1", "document": "kk", "value": base64.b64encode(photo()).decode()}
    status, answer = await channel(
        "POST", f"/filings/{number}/corrections", json=body, headers={"Praja-Contact": CONTACT}
    )
    assert status == 200, answer
