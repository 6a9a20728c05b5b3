"""Labels that people propose, rename, merge and split, and what becomes of the messages that bear them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path, PosixPath
from typing import Self

import pytest
from sqlalchemy import select, text

from console.accounts import Account, Role, add_account
from console.review.label_changes import (
    LabelRefused,
    Wording,
    changes_now,
    decide_proposal,
    labels_now,
    list_changes,
    merge,
    propose,
    rename,
    split,
    undo_change,
    write_changes,
)
from console.review.labels import Intent
from console.review.opinions import Label, decide, final_labels, open_reviews
from console.review.reviewed_set import draft, make_set
from console.tables import audit
from console.workspace import Workspace
from learning.data_set import learned
from learning.label_changes import LabelChange, Subject, read_label_changes, write_label_changes
from tests.bot.fakes import Clock
from tests.console.conftest import DATA, PASSWORD, Visit, sign_in
from tests.console.test_review import picked, until_waiting

WORDING = Wording("Tanya denda", "bertanya denda keterlambatan", "Biaya layanan: Tanya biaya.")
INTENT, SERVICE = Subject.INTENT, Subject.SERVICE


@pytest.fixture
def writable(workspace: Workspace, tmp_path: Path) -> Workspace:
    """A checkout of one's own with a few messages, since it is written to."""
    data = tmp_path / "data"
    (data / "nlu").mkdir(parents=True)
    for name in ("pamit.yml", "salam.yml"):
        shutil.copy(DATA / "nlu" / name, data / "nlu")
    return replace(
        workspace, review=replace(workspace.review, data=data, known=type(workspace.review.known)(data), may_write=True)
    )


async def number_of_last(workspace: Workspace) -> int:
    return (await list_changes(workspace.review))[-1].id


class TestProposals:
    async def test_another_admin_accepts(self, workspace: Workspace, supervisor: Account, admin: Account) -> None:
        await propose(workspace, supervisor, INTENT, "tanya_denda", WORDING)
        assert "tanya_denda" not in (await labels_now(workspace.review)).intents
        await decide_proposal(workspace, admin, await number_of_last(workspace), accepted=True)
        labels = await labels_now(workspace.review)
        assert labels.intents["tanya_denda"].arti == WORDING.meaning
        assert labels.awaited == {(INTENT, "tanya_denda")}
        with pytest.raises(LabelRefused, match="sudah diputus"):
            await decide_proposal(workspace, admin, await number_of_last(workspace), accepted=False)

    async def test_one_s_own_waits_for_somebody_else(self, workspace: Workspace, admin: Account) -> None:
        await propose(workspace, admin, SERVICE, "sewa_gedung", WORDING)
        with pytest.raises(LabelRefused, match="admin lain"):
            await decide_proposal(workspace, admin, await number_of_last(workspace), accepted=True)

    async def test_declined_it_may_be_proposed_again(
        self, workspace: Workspace, supervisor: Account, admin: Account
    ) -> None:
        for _ in range(2):
            await propose(workspace, supervisor, SERVICE, "sewa_gedung", WORDING)
            await decide_proposal(workspace, admin, await number_of_last(workspace), accepted=False)
        assert "sewa_gedung" not in (await labels_now(workspace.review)).services

    @pytest.mark.parametrize("label", ["salam", "Salam Baru", "ab", "../x", "x" * 41])
    async def test_what_can_be_no_new_label(self, workspace: Workspace, admin: Account, label: str) -> None:
        with pytest.raises(LabelRefused):
            await propose(workspace, admin, INTENT, label, WORDING)

    @pytest.mark.parametrize("name", ["", "x" * 81, "a\0b", "\ud83d"])
    def test_what_can_be_no_wording(self, name: str) -> None:
        with pytest.raises(LabelRefused):
            Wording(name, "arti", "batas")

    async def test_what_the_program_does_not_know_is_not_learned(
        self, workspace: Workspace, supervisor: Account, admin: Account
    ) -> None:
        await propose(workspace, supervisor, INTENT, "tanya_denda", WORDING)
        await decide_proposal(workspace, admin, await number_of_last(workspace), accepted=True)
        await decide(workspace, admin, await picked(workspace, "telat kena denda xyz"), Label("tanya_denda", None))
        made = await draft(workspace.review)
        assert (made.examples, made.awaited) == ([], [(INTENT, "tanya_denda", 1)])
        # A developer has added it.
        known = workspace.review.labels
        intents = {**known.intents, "tanya_denda": Intent(id="tanya_denda", nama="Denda", arti="x", batas="y")}
        room = replace(workspace.review, labels=replace(known, intents=intents))
        assert [example.intent for example in (await draft(room)).examples] == ["tanya_denda"]
        assert (await labels_now(room)).awaited == set()


class TestChanges:
    async def test_another_name_is_shown_and_nothing_moves(self, workspace: Workspace, admin: Account) -> None:
        await rename(workspace, admin, INTENT, "tanya_biaya", WORDING)
        labels = await labels_now(workspace.review)
        assert (labels.named("tanya_biaya"), labels.intents["tanya_biaya"].batas) == (WORDING.name, WORDING.border)
        assert (await changes_now(workspace.review)).changes == []
        await undo_change(workspace, admin, await number_of_last(workspace))
        assert (await labels_now(workspace.review)).named("tanya_biaya") == "Tanya biaya"

    async def test_merged_all_examples_move_and_back(self, writable: Workspace, admin: Account) -> None:
        await decide(writable, admin, await picked(writable, "sampai nanti xyz"), Label("pamit", None))
        await merge(writable, admin, INTENT, "pamit", "salam")
        assert "pamit" not in (await labels_now(writable.review)).intents
        assert [one.label.intent for one in await final_labels(writable.review)] == ["salam"]
        assert {example.intent for example in learned(writable.review.data)} == {"salam"}
        assert await make_set(writable, admin) is not None
        assert {example.intent for example in learned(writable.review.data)} == {"salam"}
        number = next(each.id for each in await list_changes(writable.review))
        await undo_change(writable, admin, number)
        assert "pamit" in (await labels_now(writable.review)).intents
        assert [one.label.intent for one in await final_labels(writable.review)] == ["pamit"]
        assert {example.intent for example in learned(writable.review.data)} == {"pamit", "salam"}
        with pytest.raises(LabelRefused, match="sudah dibatalkan"):
            await undo_change(writable, admin, number)

    async def test_what_waits_for_judgement_is_shown_by_the_labels_of_now(
        self, workspace: Workspace, admin: Account
    ) -> None:
        await picked(workspace, "gratis ya")
        await merge(workspace, admin, INTENT, "tanya_biaya", "tanya_syarat")
        (waiting,) = await open_reviews(workspace.review, admin)
        assert waiting.intent == "tanya_syarat"

    async def test_a_file_of_another_console_is_left_alone(self, writable: Workspace) -> None:
        folder = writable.review.data / "tinjauan"
        write_label_changes(folder, [LabelChange(INTENT, "pamit", "salam")])
        await write_changes(writable.review)
        assert (folder / "_label.yml").exists()

    async def test_merged_twice(self, workspace: Workspace, admin: Account) -> None:
        await merge(workspace, admin, SERVICE, "ktp_hilang", "ktp_rusak")
        await merge(workspace, admin, SERVICE, "ktp_rusak", "kk")
        labels = await labels_now(workspace.review)
        assert not {"ktp_hilang", "ktp_rusak"} & set(labels.services)
        assert (await changes_now(workspace.review)).now(SERVICE, "ktp_hilang") == "kk"

    async def test_split_the_chosen_examples_move(self, writable: Workspace, admin: Account) -> None:
        moving = next(example.text for example in learned(writable.review.data) if example.intent == "salam")
        messages = await picked(writable, "halo halo xyz", "halo lagi xyz")
        await decide(writable, admin, messages, Label("salam", None))
        await split(writable, admin, INTENT, "salam", "pamit", [moving, "halo halo xyz"])
        assert [one.label.intent for one in await final_labels(writable.review)] == ["pamit", "salam"]
        now = {example.text: example.intent for example in learned(writable.review.data)}
        assert now[moving] == "pamit"
        assert "salam" in now.values()
        written = (writable.review.data / "tinjauan" / "_label.yml").read_text()
        assert moving not in written

    async def test_a_split_waits_until_the_program_knows_where_to(
        self, writable: Workspace, supervisor: Account, admin: Account
    ) -> None:
        await propose(writable, supervisor, INTENT, "tanya_denda", WORDING)
        await decide_proposal(writable, admin, await number_of_last(writable), accepted=True)
        await split(writable, admin, INTENT, "salam", "tanya_denda", ["halo"])
        assert not (writable.review.data / "tinjauan").exists()
        known = writable.review.labels
        intents = {**known.intents, "tanya_denda": Intent(id="tanya_denda", nama="Denda", arti="x", batas="y")}
        await write_changes(replace(writable.review, labels=replace(known, intents=intents)))
        assert "tanya_denda" in (writable.review.data / "tinjauan" / "_label.yml").read_text()

    @pytest.mark.parametrize(
        ("label", "target"), [("salam", "salam"), ("salam", "khayal"), ("khayal", "salam"), ("darurat", "salam")]
    )
    async def test_what_can_not_be_merged(self, workspace: Workspace, admin: Account, label: str, target: str) -> None:
        with pytest.raises(LabelRefused):
            await merge(workspace, admin, INTENT, label, target)

    async def test_who_changed_what_is_in_the_audit_log(self, workspace: Workspace, admin: Account) -> None:
        await merge(workspace, admin, INTENT, "pamit", "salam")
        await undo_change(workspace, admin, await number_of_last(workspace))
        async with workspace.engine.connect() as connection:
            acts = list(await connection.scalars(select(audit.c.act).where(audit.c.subject == "label:pamit")))
        assert acts == ["mengubah label", "membatalkan perubahan label"]
        (change,) = await list_changes(workspace.review)
        assert (change.who, change.undone_by) == ("Kepala Admin", "Kepala Admin")


class TestAtOnce:
    @contextlib.asynccontextmanager
    async def both_have_read(self, workspace: Workspace) -> AsyncIterator[None]:
        """What two begin inside goes on when both wait: for what they are to write, or for one another."""
        async with workspace.engine.begin() as connection:
            await connection.execute(text("LOCK TABLE console.label_changes IN SHARE MODE"))
            yield
            await until_waiting(workspace, 2)

    async def test_a_proposal_is_decided_once(self, workspace: Workspace, supervisor: Account, admin: Account) -> None:
        other = await add_account(workspace, "wakil", "Wakil Admin", Role.ADMIN, [], PASSWORD)
        await propose(workspace, supervisor, INTENT, "tanya_denda", WORDING)
        number = await number_of_last(workspace)
        async with self.both_have_read(workspace):
            deciding = [
                asyncio.create_task(decide_proposal(workspace, who, number, accepted=accepted))
                for who, accepted in ((admin, True), (other, False))
            ]
        refused = [str(each) for each in await asyncio.gather(*deciding, return_exceptions=True) if each is not None]
        assert refused == ["Usul itu sudah diputus."]

    @pytest.mark.parametrize("target", ["salam", "tanya_biaya"])
    async def test_a_label_is_merged_once(self, workspace: Workspace, admin: Account, target: str) -> None:
        async with self.both_have_read(workspace):
            merging = [
                asyncio.create_task(merge(workspace, admin, INTENT, "pamit", each)) for each in ("salam", target)
            ]
        refused = [str(each) for each in await asyncio.gather(*merging, return_exceptions=True) if each is not None]
        assert refused == ["Label pamit tidak ada; pilih dari daftar."]
        assert len(await list_changes(workspace.review)) == 1

    async def test_a_change_is_undone_once(self, workspace: Workspace, admin: Account) -> None:
        await merge(workspace, admin, INTENT, "pamit", "salam")
        number = await number_of_last(workspace)
        async with self.both_have_read(workspace):
            undoing = [asyncio.create_task(undo_change(workspace, admin, number)) for _ in range(2)]
        refused = [str(each) for each in await asyncio.gather(*undoing, return_exceptions=True) if each is not None]
        assert refused == ["Perubahan itu sudah dibatalkan."]

    async def test_an_older_list_never_takes_the_place_of_a_newer(self, writable: Workspace, admin: Account) -> None:
        reached, let_go = threading.Event(), threading.Event()

        class Folder(PosixPath):
            """What is written into it waits."""

            def __truediv__(self, name: str | os.PathLike[str]) -> Self:
                if name == "_label.yml":
                    reached.set()
                    assert let_go.wait(30)
                return super().__truediv__(name)

        slow = replace(writable, review=replace(writable.review, data=Folder(writable.review.data)))
        first = asyncio.create_task(merge(slow, admin, INTENT, "pamit", "salam"))
        assert await asyncio.to_thread(reached.wait, 30)
        second = asyncio.create_task(merge(writable, admin, INTENT, "tanya_biaya", "tanya_syarat"))
        await until_waiting(writable, instead=second)
        let_go.set()
        await asyncio.gather(first, second)
        written = read_label_changes(writable.review.data / "tinjauan").changes
        assert [change.label for change in written] == ["pamit", "tanya_biaya"]


class TestPages:
    async def test_supervisors_propose_and_admins_change(
        self, visit: Visit, workspace: Workspace, supervisor: Account, admin: Account, clock: Clock
    ) -> None:
        visitor = await visit()
        token = await sign_in(visitor, "bos", clock)
        form = {
            "csrf": token, "subject": "layanan", "label": "sewa_gedung", "name": "Sewa gedung",
            "meaning": "menyewa gedung", "border": "Izin keramaian.",
        }  # fmt: skip
        assert (await visitor.post("/console/tinjauan/label", data={**form, "name": ""})).status == 422
        shown = await (await visitor.post("/console/tinjauan/label", data=form)).text()
        assert "Usul menunggu" in shown
        detail = "/console/tinjauan/label/niat/pamit"
        for path in ("usul/1", "perubahan/1/batal", "niat/pamit/nama", "niat/pamit/gabung", "niat/pamit/pecah"):
            answer = await visitor.post(f"/console/tinjauan/label/{path}", data={"csrf": token})
            assert answer.status == 403, path
        visitor = await visit()
        token = await sign_in(visitor, "kepala", clock)
        number = await number_of_last(workspace)
        shown = await (
            await visitor.post(f"/console/tinjauan/label/usul/{number}", data={"csrf": token, "accepted": "ya"})
        ).text()
        assert "menunggu bot mengenalnya" in shown
        found = await (await visitor.get(f"{detail}?cari=jumpa")).text()
        assert "sampai jumpa" in found
        moved = await visitor.post(
            f"{detail}/pecah", data={"csrf": token, "target": "salam", "example": "sampai jumpa"}
        )
        assert moved.status == 200
        merged = await (await visitor.post(f"{detail}/gabung", data={"csrf": token, "target": "salam"})).text()
        assert "digabung ke salam" in merged
        assert (await visitor.get(detail)).status == 404
        assert "pamit" in await (await visitor.get("/console/tinjauan/label.yml")).text()
        number = await number_of_last(workspace)
        await visitor.post(f"/console/tinjauan/label/perubahan/{number}/batal", data={"csrf": token})
        assert (await visitor.get(detail)).status == 200

    @pytest.mark.parametrize("path", ["niat/khayal", "lain/salam", "layanan/salam"])
    async def test_what_is_no_label_is_not_found(
        self, visit: Visit, supervisor: Account, clock: Clock, path: str
    ) -> None:
        visitor = await visit()
        await sign_in(visitor, "bos", clock)
        assert (await visitor.get(f"/console/tinjauan/label/{path}")).status == 404
