"""Conversations at the desk, as officers' browsers see them."""

from __future__ import annotations

import asyncio
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiohttp import FormData
from sqlalchemy import select, text

from bot.desk.escalation import escalate
from bot.desk.hours import LOCAL_TIME
from bot.desk.states import lapse, open_handoff
from bot.inbox import receive
from bot.outbox import Kind, State, add
from bot.reply import Bubble
from console.accounts import Account, Role, add_account
from console.tables import audit
from console.workspace import Workspace
from tests.backend.conftest import Client
from tests.bot.fakes import Clock, update
from tests.console.conftest import PASSWORD, Visit, Visitor, sign_in

NIK = "3515085708909999"


async def waiting(workspace: Workspace, written: str = f"tolong pak, nik saya {NIK}", who: str = "ID.1") -> str:
    """A citizen who wrote, and whose conversation waits for an officer of Dispendukcapil."""
    room = workspace.room
    await receive(room.store, "whatsapp", [update(f"wamid.{uuid.uuid4()}", bsuid=who, text=written)])
    async with room.store.engine.begin() as connection:
        conversation = await connection.scalar(text("SELECT conversation FROM bot.inbox ORDER BY id DESC LIMIT 1"))
        assert isinstance(conversation, uuid.UUID)
        await open_handoff(
            connection, room, conversation, reason="petugas", service="ktp_hilang", since=room.store.clock()
        )
    return str(conversation)


async def act(visitor: Visitor, token: str, conversation: str, name: str, **form: str) -> tuple[int, str]:
    answer = await visitor.post(f"/console/percakapan/{conversation}/{name}", data={"csrf": token, **form})
    return answer.status, await answer.text()


async def looks(workspace: Workspace, subject: str) -> int:
    query = select(audit.c.id).where(audit.c.act == "membaca", audit.c.subject == subject)
    async with workspace.engine.connect() as connection:
        return len((await connection.execute(query)).all())


@pytest.fixture
async def colleague(workspace: Workspace) -> Account:
    return await add_account(workspace, "dewi", "Dewi S.", Role.OFFICER, ["dispendukcapil"], PASSWORD)


@pytest.fixture
async def stranger(workspace: Workspace) -> Account:
    return await add_account(workspace, "jaksa", "Jaksa N.", Role.OFFICER, ["kejari"], PASSWORD)


async def test_claim_answer_close(visit: Visit, officer: Account, workspace: Workspace, clock: Clock) -> None:
    conversation = await waiting(workspace)
    visitor = await visit()
    token = await sign_in(visitor, "rina", clock)
    home = await (await visitor.get("/console/")).text()
    assert conversation in home
    assert NIK not in home

    status, page = await act(visitor, token, conversation, "ambil")
    assert status == 200
    assert "Kirim" in page
    assert NIK not in page
    status, page = await act(visitor, token, conversation, "balas", text="Selamat pagi, saya bantu.")
    assert "Selamat pagi, saya bantu." in page
    async with workspace.engine.connect() as connection:
        kinds = (await connection.execute(text("SELECT kind, state FROM bot.outbox ORDER BY id"))).all()
    assert ("officer", "queued") in [tuple(kind) for kind in kinds]
    status, page = await act(visitor, token, conversation, "tutup")
    assert "sedang dijawab bot" in page
    async with workspace.engine.connect() as connection:
        acts = list(
            await connection.scalars(select(audit.c.act).where(audit.c.subject == f"conversation:{conversation}"))
        )
    assert {"mengambil", "membalas", "menutup", "membaca"} <= set(acts)


async def test_of_two_who_claim_one_gets_it_and_the_other_a_sentence(
    visit: Visit, officer: Account, colleague: Account, workspace: Workspace, clock: Clock
) -> None:
    first, second = await visit(), await visit()
    tokens = [await sign_in(first, "rina", clock), await sign_in(second, "dewi", clock)]
    for attempt in range(10):
        conversation = await waiting(workspace, who=f"ID.{attempt}")
        both = await asyncio.gather(
            act(first, tokens[0], conversation, "ambil"), act(second, tokens[1], conversation, "ambil")
        )
        assert sorted(status for status, _ in both) == [200, 409]
        assert next(page for status, page in both if status == 409).count('role="alert"') == 1


async def test_another_agency_s_conversation_is_refused_everywhere(
    visit: Visit, stranger: Account, workspace: Workspace, clock: Clock
) -> None:
    conversation = await waiting(workspace)
    visitor = await visit()
    token = await sign_in(visitor, "jaksa", clock)
    assert conversation not in await (await visitor.get("/console/?view=all")).text()
    assert (await visitor.get(f"/console/percakapan/{conversation}")).status == 403
    for part in ("naskah", "warga", "penerima", "penugasan"):
        assert (await visitor.get(f"/console/percakapan/{conversation}/{part}")).status == 403, part
    for name in ("ambil", "balas", "catat", "tutup", "lepas", "alihkan", "buka"):
        status, _ = await act(visitor, token, conversation, name, text="x", note="x", agency="kejari")
        assert status == 403, name


async def test_numbers_are_unmasked_by_one_audited_act(
    visit: Visit, officer: Account, workspace: Workspace, clock: Clock
) -> None:
    conversation = await waiting(workspace)
    visitor = await visit()
    token = await sign_in(visitor, "rina", clock)
    _, shown = await act(visitor, token, conversation, "buka")
    assert NIK in shown
    async with workspace.engine.connect() as connection:
        found = (await connection.execute(select(audit).where(audit.c.act == "membuka samaran"))).all()
    assert [(row.account, row.subject) for row in found] == [(officer.id, f"conversation:{conversation}")]


async def test_opening_the_list_is_a_look_and_its_refreshing_by_the_page_is_none(
    visit: Visit, officer: Account, workspace: Workspace, clock: Clock
) -> None:
    await waiting(workspace)
    visitor = await visit()
    await sign_in(visitor, "rina", clock)
    before = await looks(workspace, "queue")

    async def seen(path: str, **headers: str) -> int:
        assert "tolong pak" in await (await visitor.get(f"/console/{path}", headers=headers)).text()
        return await looks(workspace, "queue") - before

    assert await seen("") == 1
    for _ in range(3):
        assert await seen("antrean", **{"HX-Request": "true"}) == 1
    assert await seen("antrean") == 2, "the address opened by hand"


@pytest.mark.parametrize("part", ["naskah", "warga"])
async def test_a_part_that_is_asked_for_by_itself_is_a_look_too(
    visit: Visit, officer: Account, workspace: Workspace, clock: Clock, part: str
) -> None:
    conversation = await waiting(workspace)
    visitor = await visit()
    await sign_in(visitor, "rina", clock)

    subject = f"conversation:{conversation}"
    for _ in range(3):
        assert (await visitor.get(f"/console/percakapan/{conversation}/{part}")).status == 200
    assert await looks(workspace, subject) == 1
    clock.advance(timedelta(minutes=20))
    await visitor.get(f"/console/percakapan/{conversation}/{part}")
    assert await looks(workspace, subject) == 2


async def test_transfer_and_hand_over(
    visit: Visit, officer: Account, colleague: Account, stranger: Account, workspace: Workspace, clock: Clock
) -> None:
    conversation = await waiting(workspace)
    mine, theirs, other = await visit(), await visit(), await visit()
    token = await sign_in(mine, "rina", clock)
    token_dewi = await sign_in(theirs, "dewi", clock)
    await sign_in(other, "jaksa", clock)
    await act(mine, token, conversation, "ambil")
    status, page = await act(mine, token, conversation, "serahkan", colleague=str(colleague.id), note="lanjutkan ya")
    assert "Sedang ditangani rekan" in page
    status, page = await act(theirs, token_dewi, conversation, "alihkan", agency="kejari", note="soal hukum")
    assert (status, "Percakapan dialihkan ke Kejaksaan Negeri" in page) == (200, True)
    assert (await theirs.get(f"/console/percakapan/{conversation}")).status == 403
    assert "soal hukum" in await (await other.get(f"/console/percakapan/{conversation}")).text()


async def test_only_supervisors_reassign(
    visit: Visit, officer: Account, colleague: Account, supervisor: Account, workspace: Workspace, clock: Clock
) -> None:
    conversation = await waiting(workspace)
    mine, hers = await visit(), await visit()
    token, token_bos = await sign_in(mine, "rina", clock), await sign_in(hers, "bos", clock)
    form = {"colleague": str(colleague.id), "note": "sesuai jadwal"}
    assert (await act(mine, token, conversation, "tugaskan", **form))[0] == 403
    status, page = await act(hers, token_bos, conversation, "tugaskan", **form)
    assert status == 200
    assert "Dewi S." in page


async def test_a_failed_message_says_why_and_is_sent_again(
    visit: Visit, officer: Account, workspace: Workspace, clock: Clock
) -> None:
    conversation = await waiting(workspace)
    visitor = await visit()
    token = await sign_in(visitor, "rina", clock)
    await act(visitor, token, conversation, "ambil")
    await act(visitor, token, conversation, "balas", text="Halo")
    async with workspace.engine.begin() as connection:
        await connection.execute(
            text("UPDATE bot.outbox SET state = 'failed', error = 'recipient' WHERE kind = 'officer'")
        )
        (message,) = await connection.scalars(text("SELECT id FROM bot.outbox WHERE kind = 'officer'"))
    page = await (await visitor.get(f"/console/percakapan/{conversation}")).text()
    assert "gagal" in page
    assert "Kirim ulang" in page
    await act(visitor, token, conversation, f"ulangi/{message}")
    async with workspace.engine.connect() as connection:
        state = await connection.scalar(text("SELECT state FROM bot.outbox WHERE kind = 'officer'"))
    assert state == State.QUEUED


async def test_an_attachment_goes_to_the_citizen_and_can_be_looked_at(
    visit: Visit, officer: Account, workspace: Workspace, clock: Clock
) -> None:
    conversation = await waiting(workspace)
    visitor = await visit()
    token = await sign_in(visitor, "rina", clock)
    await act(visitor, token, conversation, "ambil")
    form = FormData({"csrf": token, "text": "Ini contohnya"})
    form.add_field("file", b"%PDF-1.4 contoh", filename="contoh.pdf", content_type="application/pdf")
    page = await (await visitor.post(f"/console/percakapan/{conversation}/balas", data=form)).text()
    assert "contoh.pdf" in page
    address = page.split('class="attachment" href="')[1].split('"')[0]
    assert await (await visitor.get(address)).read() == b"%PDF-1.4 contoh"


async def test_what_is_written_by_citizens_is_never_markup(
    visit: Visit, officer: Account, workspace: Workspace, clock: Clock
) -> None:
    conversation = await waiting(workspace, "<script>alert(1)</script>")
    visitor = await visit()
    await sign_in(visitor, "rina", clock)
    page = await (await visitor.get(f"/console/percakapan/{conversation}")).text()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


async def test_a_change_is_on_the_stream(visit: Visit, officer: Account, workspace: Workspace, clock: Clock) -> None:
    conversation = await waiting(workspace)
    visitor = await visit()
    await sign_in(visitor, "rina", clock)
    async with visitor.get(f"/console/siaran?conversation={conversation}") as stream:
        assert (await stream.content.readline()).startswith(b"retry")
        await _all_asked_again(stream)
        async with workspace.engine.begin() as connection:
            await add(connection, workspace.store, uuid.UUID(conversation), Kind.DESK, [Bubble("halo")])
            await connection.execute(text("SELECT pg_notify('praja_changed', :c)"), {"c": conversation})
        await _heard(stream, "percakapan")


async def test_a_page_that_is_new_asks_for_everything_again(visit: Visit, officer: Account, clock: Clock) -> None:
    visitor = await visit()
    await sign_in(visitor, "rina", clock)
    async with visitor.get("/console/siaran?conversation=") as stream:
        await _all_asked_again(stream)


async def test_nothing_of_other_agencies_is_on_the_stream(
    visit: Visit, stranger: Account, workspace: Workspace, clock: Clock
) -> None:
    visitor = await visit()
    await sign_in(visitor, "jaksa", clock)
    async with visitor.get("/console/siaran?conversation=") as stream:
        await _all_asked_again(stream)
        await waiting(workspace)
        with pytest.raises(TimeoutError):
            # Longer than the queue's next change is kept back.
            async with asyncio.timeout(3):
                await _next_event(stream)


@pytest.mark.parametrize("path", ["bukan-uuid", "00000000-0000-4000-8000-000000000000"])
async def test_a_conversation_that_does_not_exist(visit: Visit, officer: Account, clock: Clock, path: str) -> None:
    visitor = await visit()
    await sign_in(visitor, "rina", clock)
    assert (await visitor.get(f"/console/percakapan/{path}")).status == 404


async def _all_asked_again(stream: Any) -> None:
    """What every stream begins with."""
    async with asyncio.timeout(60):
        assert [await _next_event(stream), await _next_event(stream)] == ["antrean", "percakapan"]


async def _heard(stream: Any, event: str) -> None:
    """Waits until it is; others may come before it."""
    async with asyncio.timeout(60):
        while await _next_event(stream) != event:
            pass


async def _next_event(stream: Any) -> str:
    while True:
        line = (await stream.content.readline()).decode()
        if line.startswith("event: "):
            return line.removeprefix("event: ").strip()


async def test_the_page_keeps_the_conversation_and_a_page_that_is_gone_loses_it(
    visit: Visit, officer: Account, workspace: Workspace, clock: Clock
) -> None:
    conversation = await waiting(workspace)
    visitor = await visit()
    token = await sign_in(visitor, "rina", clock)
    await act(visitor, token, conversation, "ambil")
    clock.advance(workspace.room.rules.lease * 0.9)
    async with visitor.get(f"/console/siaran?conversation={conversation}") as stream:
        await stream.content.readline()
        await _held(workspace, workspace.store.clock() + workspace.room.rules.lease - timedelta(seconds=1))
    clock.advance(workspace.room.rules.lease * 0.9)
    assert await lapse(workspace.room) == 0
    clock.advance(workspace.room.rules.lease)
    assert await lapse(workspace.room) == 1
    assert "Ambil percakapan ini" in await (await visitor.get(f"/console/percakapan/{conversation}")).text()


async def test_a_filing_is_offered_and_the_conversation_is_the_bot_s(
    visit: Visit, officer: Account, workspace: Workspace, backend: Any, clock: Clock
) -> None:
    conversation = await waiting(workspace)
    visitor = await visit()
    token = await sign_in(visitor, "rina", clock)
    await act(visitor, token, conversation, "ambil")
    shown = await (await visitor.get(f"/console/percakapan/{conversation}")).text()
    assert "Tawarkan pengajuan" in shown
    assert (await act(visitor, token, conversation, "tawarkan", service="khayal"))[0] == 422
    service = (await workspace.backend.services())[0]
    status, page = await act(visitor, token, conversation, "tawarkan", service=service.id)
    assert status == 200
    assert "sedang dijawab bot" in page
    assert "Mulai mengisi" in page
    async with workspace.engine.connect() as connection:
        acts = list(
            await connection.scalars(select(audit.c.act).where(audit.c.subject == f"conversation:{conversation}"))
        )
    assert "menawarkan pengajuan" in acts


async def test_what_the_backend_knows_of_the_citizen_comes_beside_the_page(
    visit: Visit, officer: Account, workspace: Workspace, channel: Client, clock: Clock
) -> None:
    conversation = await waiting(workspace)
    number = str((await channel.file(contact=conversation))["number"])
    await channel.open(contact=conversation)
    visitor = await visit()
    token = await sign_in(visitor, "rina", clock)
    _, page = await act(visitor, token, conversation, "ambil")
    assert number not in page
    known = await (await visitor.get(f"/console/percakapan/{conversation}/warga?service=surat_uji")).text()
    assert "Minta warga melanjutkan" in known
    assert f"Permohonan {number} sedang diproses." in known, "a canned reply"


async def test_a_conversation_opens_while_the_backend_is_down(
    visit: Visit, officer: Account, workspace: Workspace, clock: Clock
) -> None:
    conversation = await waiting(workspace)
    visitor = await visit()
    token = await sign_in(visitor, "rina", clock)
    status, page = await act(visitor, token, conversation, "ambil")
    assert (status, "Kirim" in page) == (200, True)
    known = await visitor.get(f"/console/percakapan/{conversation}/warga")
    assert (known.status, "sedang tidak menjawab" in await known.text()) == (200, True)


async def test_a_service_is_not_offered_while_the_backend_is_down(
    visit: Visit, officer: Account, workspace: Workspace, clock: Clock
) -> None:
    conversation = await waiting(workspace)
    visitor = await visit()
    token = await sign_in(visitor, "rina", clock)
    await act(visitor, token, conversation, "ambil")
    status, page = await act(visitor, token, conversation, "tawarkan", service="ktp_hilang")
    assert status == 503
    assert "sedang tidak menjawab" in page


async def test_only_supervisors_write_quality_notes_and_reports_list_them(
    visit: Visit, officer: Account, supervisor: Account, workspace: Workspace, clock: Clock
) -> None:
    conversation = await waiting(workspace)
    mine, hers = await visit(), await visit()
    token, token_bos = await sign_in(mine, "rina", clock), await sign_in(hers, "bos", clock)
    await act(mine, token, conversation, "ambil")
    assert (await act(hers, token_bos, conversation, "mutu", note="belum"))[0] == 409
    await act(mine, token, conversation, "tutup")
    assert (await act(mine, token, conversation, "mutu", note="bagus sekali"))[0] == 403
    status, page = await act(hers, token_bos, conversation, "mutu", note="Sapaannya baik sekali.")
    assert status == 200
    assert "Catatan mutu" in page
    assert "Sapaannya baik sekali." in await (await hers.get("/console/laporan")).text()


async def test_the_stream_says_who_is_typing_but_not_to_other_agencies(
    visit: Visit, officer: Account, colleague: Account, stranger: Account, workspace: Workspace, clock: Clock
) -> None:
    conversation = await waiting(workspace)
    typist, reader, other = await visit(), await visit(), await visit()
    token = await sign_in(typist, "rina", clock)
    await sign_in(reader, "dewi", clock)
    await sign_in(other, "jaksa", clock)
    await act(typist, token, conversation, "ambil")
    address = f"/console/siaran?conversation={conversation}"
    async with reader.get(address) as stream, other.get(address) as foreign:
        await _all_asked_again(stream)
        await _all_asked_again(foreign)
        await act(typist, token, conversation, "mengetik")
        await _heard(stream, "mengetik")
        assert (await stream.content.readline()).decode() == "data: Rina W.\n"
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await _next_event(foreign)


@pytest.mark.parametrize("path", ["percakapan/bukan-uuid", "tidak-ada", "permohonan/x/dokumen/y/z/w"])
async def test_what_is_not_there_is_a_page_in_the_reader_s_language(
    visit: Visit, officer: Account, clock: Clock, path: str
) -> None:
    visitor = await visit()
    await sign_in(visitor, "rina", clock)
    answer = await visitor.get(f"/console/{path}")
    assert answer.status == 404
    assert "Kembali ke percakapan" in await answer.text()
    assert "Not Found" not in await answer.text()


async def test_who_waits_too_long_is_marked_in_the_queue_and_on_the_board(
    visit: Visit, officer: Account, supervisor: Account, workspace: Workspace, clock: Clock
) -> None:
    clock.advance(datetime(2027, 3, 1, 9, 0, tzinfo=LOCAL_TIME) - clock())
    await waiting(workspace)
    mine, hers = await visit(), await visit()
    await sign_in(mine, "rina", clock)
    await sign_in(hers, "bos", clock)
    clock.advance(workspace.room.standard.nudge)
    assert "segera dibalas" in await (await mine.get("/console/antrean")).text()
    clock.advance(workspace.room.standard.escalate - workspace.room.standard.nudge)
    assert await escalate(workspace.room) == 1
    assert "terlalu lama" in await (await mine.get("/console/antrean")).text()
    board = await (await hers.get("/console/papan")).text()
    assert "1 perlu penyelia" in board
    assert "dinaikkan" in board


async def _held(workspace: Workspace, until: datetime) -> None:
    """Waits until the lease lasts so long."""
    lease = text("SELECT officer_lease_until FROM bot.conversations")
    async with asyncio.timeout(60), workspace.engine.connect() as connection:
        while (await connection.execute(lease)).scalar_one() < until:
            await connection.rollback()
            await asyncio.sleep(0.02)
