"""Accounts as admins and their owners change them, and that each change is written down with it or doesn't happen."""

from __future__ import annotations

import asyncio
import contextlib
import re
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pyotp
import pytest
from sqlalchemy import Row, select, text

from console.accounts import Account, AccountUnfit, Role, add_account, list_accounts, reset_login
from console.audit import Act, record_in
from console.sessions import Proof, open_session
from console.tables import accounts, attempts, audit, sessions
from console.workspace import Workspace
from tests.bot.fakes import Clock
from tests.console.conftest import PASSWORD, Visit, Visitor, sign_in, unseen
from tests.console.test_review import until_waiting

OWN = {"old": PASSWORD, "new": "gajah minum air sungai"}


@pytest.fixture
async def other_admin(workspace: Workspace) -> Account:
    return await add_account(workspace, "wakil", "Wakil Admin", Role.ADMIN, [], PASSWORD)


@contextlib.asynccontextmanager
async def unwritable(workspace: Workspace) -> AsyncIterator[None]:
    """The audit log takes no entry of an act on accounts: to the act as if the process had been killed there."""

    async def execute(statement: str) -> None:
        async with workspace.engine.begin() as connection:
            await connection.execute(text(statement))

    await execute(
        "CREATE TRIGGER refuse_entries BEFORE INSERT ON console.audit FOR EACH ROW WHEN (NEW.act IN"
        " ('mengubah akun', 'mengganti kata sandi', 'mendaftarkan kode', 'mengakhiri sesi', 'keluar', 'mengatur ulang masuk'))"
        " EXECUTE FUNCTION console.refuse_change()"
    )
    try:
        yield
    finally:
        await execute("DROP TRIGGER refuse_entries ON console.audit")


async def now(workspace: Workspace, account: Account) -> Account:
    return next(one for one in await list_accounts(workspace) if one.id == account.id)


async def kept(workspace: Workspace) -> list[Sequence[Row[Any]]]:
    async with workspace.engine.connect() as connection:
        return [
            (await connection.execute(select(table).order_by(*table.primary_key))).all()
            for table in (accounts, sessions)
        ]


async def entries(workspace: Workspace, act: str) -> list[tuple[Any, str, Mapping[str, Any]]]:
    query = select(audit.c.account, audit.c.subject, audit.c.detail).where(audit.c.act == act).order_by(audit.c.id)
    async with workspace.engine.connect() as connection:
        return [(row.account, row.subject, row.detail) for row in await connection.execute(query)]


class TestStaleForm:
    @pytest.mark.parametrize(
        "meanwhile",
        [
            {"disabled": "on"},
            {"role": "penyelia"},
            {"agencies": ["dispendukcapil", "dinkes"]},
            {"oidc_subject": "f3a1"},
        ],
    )
    async def test_it_undoes_nothing(
        self,
        visit: Visit,
        officer: Account,
        admin: Account,
        other_admin: Account,
        workspace: Workspace,
        clock: Clock,
        meanwhile: dict[str, Any],
    ) -> None:
        mine, theirs = await visit(), await visit()
        await sign_in(mine, "kepala", clock)
        await sign_in(theirs, "wakil", clock)
        path, shown = f"/console/akun/semua/{officer.id}", {"role": "petugas", "agencies": ["dispendukcapil"]}
        stale = await unseen(theirs, officer)
        assert (await mine.post(path, data={**await unseen(mine, officer), **shown, **meanwhile})).status == 200
        changed = await now(workspace, officer)

        added = {**shown, "agencies": ["dispendukcapil", "kejari"]}
        answer = await theirs.post(path, data={**stale, **added})
        assert (answer.status, await now(workspace, officer)) == (409, changed)
        page = await answer.text()
        assert "Akun rina baru saja diubah admin lain; lihat lagi" in page
        assert ("nonaktif</span>" in page) is changed.is_disabled
        assert (await theirs.post(path, data={**await unseen(theirs, officer), **added})).status == 200

    async def test_of_two_that_are_sent_at_once_one_is_taken(
        self, visit: Visit, officer: Account, admin: Account, other_admin: Account, clock: Clock
    ) -> None:
        mine, theirs = await visit(), await visit()
        await sign_in(mine, "kepala", clock)
        await sign_in(theirs, "wakil", clock)
        forms = [
            (mine, {**await unseen(mine, officer), "role": "penyelia", "agencies": "dispendukcapil"}),
            (theirs, {**await unseen(theirs, officer), "role": "petugas", "agencies": "kejari"}),
        ]
        sent = (visitor.post(f"/console/akun/semua/{officer.id}", data=form) for visitor, form in forms)
        assert sorted([answer.status for answer in await asyncio.gather(*sent)]) == [200, 409]


class TestWrittenDown:
    @pytest.mark.parametrize(
        ("path", "form"),
        [
            ("akun/semua", {"username": "baru", "name": "Baru", "role": "admin", "password": PASSWORD}),
            ("akun/semua/{officer}", {"role": "petugas", "agencies": "dispendukcapil", "disabled": "on"}),
            ("akun/semua/{officer}/masuk", {"password": "sementara sekali 2026"}),
            ("akun/sandi", OWN),
            ("akun/sesi", {}),
            ("keluar", {}),
        ],
    )
    async def test_what_can_not_be_written_down_does_not_happen(
        self,
        visit: Visit,
        officer: Account,
        admin: Account,
        workspace: Workspace,
        clock: Clock,
        path: str,
        form: dict[str, str],
    ) -> None:
        visitor = await visit()
        await sign_in(visitor, "kepala", clock)
        await open_session(workspace, admin, Proof.BOTH, "di tempat lain")
        hidden, before = await unseen(visitor, officer), await kept(workspace)
        async with unwritable(workspace):
            answer = await visitor.post(f"/console/{path}".format(officer=officer.id), data={**hidden, **form})
        assert (answer.status, await kept(workspace)) == (500, before)

    async def test_nor_is_an_authenticator_enrolled(
        self, visit: Visit, officer: Account, workspace: Workspace, clock: Clock
    ) -> None:
        visitor = await visit()
        form, before = await enrolment(visitor, clock), await kept(workspace)
        async with unwritable(workspace):
            assert (await visitor.post("/console/masuk/daftar", data=form)).status == 500
        assert (await kept(workspace))[0] == before[0]

    async def test_each_act_is_written_once_with_who_did_it(
        self, visit: Visit, officer: Account, admin: Account, workspace: Workspace, clock: Clock
    ) -> None:
        theirs, mine = await visit(), await visit()
        form = {"csrf": await sign_in(theirs, "rina", clock)}
        await theirs.post("/console/akun/sandi", data={**form, **OWN})
        await open_session(workspace, await now(workspace, officer), Proof.BOTH, "di tempat lain")
        await theirs.post("/console/akun/sesi", data=form)
        await theirs.post("/console/keluar", data=form)
        await sign_in(mine, "kepala", clock)
        change = {"role": "penyelia", "agencies": "dispendukcapil", "disabled": "on"}
        await mine.post(f"/console/akun/semua/{officer.id}", data={**await unseen(mine, officer), **change})

        him = f"account:{officer.id}"
        for act in ("mendaftarkan kode", "mengganti kata sandi", "keluar"):
            assert [entry for entry in await entries(workspace, act) if entry[1] == him] == [(officer.id, him, {})], act
        assert await entries(workspace, "mengakhiri sesi") == [(officer.id, him, {"count": 1})]
        changes = await entries(workspace, "mengubah akun")
        assert changes[-1] == (admin.id, him, {"role": "penyelia", "disabled": True})

    async def test_a_change_waits_for_no_entry_of_whom_it_changes(
        self, visit: Visit, officer: Account, admin: Account, workspace: Workspace, clock: Clock
    ) -> None:
        """Else two admins who change each other's account would wait for each other."""
        visitor = await visit()
        await sign_in(visitor, "kepala", clock)
        form = {**await unseen(visitor, officer), "role": "penyelia", "agencies": "dispendukcapil"}
        async with workspace.engine.connect() as connection, asyncio.timeout(10):
            await record_in(connection, workspace, officer.id, Act.READ, "queue")
            assert (await visitor.post(f"/console/akun/semua/{officer.id}", data=form)).status == 200

    async def test_an_account_that_is_made_at_the_terminal_says_so(self, workspace: Workspace, admin: Account) -> None:
        made = (None, f"account:{admin.id}", {"role": "admin", "by": "terminal"})
        assert await entries(workspace, "mengubah akun") == [made]

    async def test_one_that_an_admin_makes_names_the_admin(
        self, visit: Visit, admin: Account, workspace: Workspace, clock: Clock
    ) -> None:
        visitor = await visit()
        form = {"csrf": await sign_in(visitor, "kepala", clock), "username": "baru", "name": "Baru"}
        await visitor.post("/console/akun/semua", data={**form, "role": "admin", "password": PASSWORD})
        (made,) = [one for one in await list_accounts(workspace) if one.username == "baru"]
        _, entry = await entries(workspace, "mengubah akun")
        assert entry == (admin.id, f"account:{made.id}", {"role": "admin"})


class TestReset:
    """Of who has lost the phone or forgotten the password."""

    TEMPORARY = "sementara sekali 2026"

    async def test_they_enter_anew_and_nobody_with_what_was_before(
        self, visit: Visit, officer: Account, admin: Account, workspace: Workspace, clock: Clock
    ) -> None:
        theirs, mine = await visit(), await visit()
        await sign_in(theirs, "rina", clock)
        form = {"csrf": await sign_in(mine, "kepala", clock), "password": self.TEMPORARY}
        answer = await mine.post(f"/console/akun/semua/{officer.id}/masuk", data=form)
        assert (answer.status, "rina masuk lagi dengan" in await answer.text()) == (200, True)
        assert (await theirs.get("/console/")).url.path == "/console/masuk"
        before = await theirs.post("/console/masuk", data={"username": "rina", "password": PASSWORD})
        assert before.status == 401
        await sign_in(await visit(), "rina", clock, self.TEMPORARY)
        assert await entries(workspace, "mengatur ulang masuk") == [(admin.id, f"account:{officer.id}", {})]

    async def test_a_lock_is_lifted(
        self, visit: Visit, officer: Account, admin: Account, workspace: Workspace, clock: Clock
    ) -> None:
        theirs, mine = await visit(), await visit()
        for _ in range(6):
            answer = await theirs.post("/console/masuk", data={"username": "rina", "password": "lupa lupa ingat"})
        assert answer.status == 429
        form = {"csrf": await sign_in(mine, "kepala", clock), "password": self.TEMPORARY}
        await mine.post(f"/console/akun/semua/{officer.id}/masuk", data=form)
        async with workspace.engine.connect() as connection:
            left = set(await connection.scalars(select(attempts.c.subject)))
        assert "account:rina" not in left

    async def test_an_enrolment_that_was_begun_before_is_worth_nothing(
        self, visit: Visit, officer: Account, admin: Account, workspace: Workspace, clock: Clock
    ) -> None:
        """By somebody who knows the old password, and lets the body of the request be long in coming."""
        theirs, mine = await visit(), await visit()
        form = await enrolment(theirs, clock)
        token = await sign_in(mine, "kepala", clock)
        async with workspace.engine.connect() as holder:
            await holder.execute(select(accounts.c.id).where(accounts.c.id == officer.id).with_for_update())
            reset = {"csrf": token, "password": self.TEMPORARY}
            resetting = asyncio.create_task(mine.post(f"/console/akun/semua/{officer.id}/masuk", data=reset))
            await until_waiting(workspace, 1)
            enrolling = asyncio.create_task(theirs.post("/console/masuk/daftar", data=form))
            await until_waiting(workspace, 2)
            await holder.rollback()
        assert (await resetting).status == 200
        assert (await enrolling).status == 403
        assert not (await now(workspace, officer)).has_totp

    async def test_a_password_that_was_shown_before_opens_no_session(
        self, officer: Account, admin: Account, workspace: Workspace
    ) -> None:
        shown = await now(workspace, officer)
        await reset_login(workspace, officer.id, self.TEMPORARY, by=admin.id)
        with pytest.raises(AccountUnfit):
            await open_session(workspace, shown, Proof.FIRST, "ponsel")

    @pytest.mark.parametrize(
        ("whose", "password", "status"),
        [
            ("officer", "pendek", 422),
            ("admin", TEMPORARY, 422),
            ("nobody", TEMPORARY, 422),
            ("no id", TEMPORARY, 404),
        ],
    )
    async def test_what_is_not_reset(
        self,
        visit: Visit,
        officer: Account,
        admin: Account,
        workspace: Workspace,
        clock: Clock,
        whose: str,
        password: str,
        status: int,
    ) -> None:
        account = {"officer": officer.id, "admin": admin.id, "nobody": uuid.uuid4(), "no id": "x"}[whose]
        visitor = await visit()
        form = {"csrf": await sign_in(visitor, "kepala", clock), "password": password}
        before = await kept(workspace)
        assert (await visitor.post(f"/console/akun/semua/{account}/masuk", data=form)).status == status
        assert await kept(workspace) == before

    async def test_only_an_admin_does(self, visit: Visit, officer: Account, admin: Account, clock: Clock) -> None:
        visitor = await visit()
        form = {"csrf": await sign_in(visitor, "rina", clock), "password": self.TEMPORARY}
        assert (await visitor.post(f"/console/akun/semua/{admin.id}/masuk", data=form)).status == 403


async def test_of_two_authenticators_enrolled_at_once_the_first_stays(
    visit: Visit, officer: Account, workspace: Workspace, clock: Clock
) -> None:
    first, second = await visit(), await visit()
    forms = [(visitor, await enrolment(visitor, clock)) for visitor in (first, second)]
    async with workspace.engine.connect() as holder:
        # Both are let in before either is done.
        await holder.execute(select(accounts.c.id).where(accounts.c.id == officer.id).with_for_update())
        enrolling = [asyncio.create_task(v.post("/console/masuk/daftar", data=form)) for v, form in forms]
        await until_waiting(workspace, len(enrolling))
        await holder.rollback()
    answers = sorted(await asyncio.gather(*enrolling), key=lambda answer: answer.status)
    assert [answer.status for answer in answers] == [200, 403]
    assert "Kode sudah terdaftar." in await answers[1].text()
    assert len(await entries(workspace, "mendaftarkan kode")) == 1


async def enrolment(visitor: Visitor, clock: Clock) -> dict[str, str]:
    """What a browser sends to enrol the authenticator of the officer, whose password is right."""
    page = await (await visitor.post("/console/masuk", data={"username": "rina", "password": PASSWORD})).text()
    form = dict(re.findall(r'name="(csrf|secret)" value="(\w+)"', page))
    return {**form, "code": pyotp.TOTP(form["secret"]).at(int(clock().timestamp()))}
