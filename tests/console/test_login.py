"""Signing in, and what keeps others out."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import psycopg
import pyotp
import pytest
from sqlalchemy import text

from console.accounts import Account
from console.sessions import IDLE, LONGEST
from console.workspace import Workspace
from tests.bot.fakes import Clock
from tests.console.conftest import PASSWORD, Visit, Visitor, sign_in, token_of, unseen


async def test_password_then_authenticator(visit: Visit, officer: Account, clock: Clock) -> None:
    visitor = await visit()
    await sign_in(visitor, "rina", clock)
    assert "Rina W." in await (await visitor.get("/console/")).text()


async def test_nothing_is_shown_to_strangers(visit: Visit) -> None:
    visitor = await visit()
    for path in ("/console/", "/console/akun", "/console/akun/semua", "/console/audit"):
        answer = await visitor.get(path, allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, "/console/masuk")


async def test_the_password_alone_opens_nothing(visit: Visit, officer: Account) -> None:
    visitor = await visit()
    await visitor.post("/console/masuk", data={"username": "rina", "password": PASSWORD})
    answer = await visitor.get("/console/akun", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/console/masuk/kode")


@pytest.mark.parametrize(("username", "password"), [("rina", "salah salah salah"), ("siapa", PASSWORD), ("", "")])
async def test_a_wrong_name_and_a_wrong_password_look_alike(
    visit: Visit, officer: Account, username: str, password: str
) -> None:
    visitor = await visit()
    answer = await visitor.post("/console/masuk", data={"username": username, "password": password})
    assert answer.status == 401
    assert "Nama akun atau kata sandi salah." in await answer.text()


async def test_five_failures_lock_the_name_for_a_while(visit: Visit, officer: Account, clock: Clock) -> None:
    visitor = await visit()
    for _ in range(5):
        await visitor.post("/console/masuk", data={"username": "Rina", "password": "tebakan"})
    right = {"username": "rina", "password": PASSWORD}
    assert (await visitor.post("/console/masuk", data=right)).status == 429
    clock.advance(timedelta(minutes=16))
    await sign_in(visitor, "rina", clock)


async def test_of_many_guesses_at_once_no_more_are_looked_at(visit: Visit, officer: Account) -> None:
    visitors = [await visit() for _ in range(20)]
    guesses = (
        v.post("/console/masuk", data={"username": "rina", "password": f"tebakan-{n}"}) for n, v in enumerate(visitors)
    )
    statuses = [answer.status for answer in await asyncio.gather(*guesses)]
    assert sorted(statuses) == [401] * 5 + [429] * 15


async def test_thirty_failures_lock_where_they_come_from_and_not_the_proxy(visit: Visit, officer: Account) -> None:
    visitor = await visit()

    async def tried(name: str, came_by: str) -> int:
        guess = {"username": name, "password": "tebakan"}
        return (await visitor.post("/console/masuk", data=guess, headers={"X-Forwarded-For": came_by})).status

    assert {await tried(f"nama{i}", "2001:db8:1:2::7") for i in range(30)} == {401}
    # Another address of the same household; and whatever else the visitor has written before what the proxy adds.
    assert await tried("lain", "2001:db8:1:2:ffff::1") == 429
    assert await tried("lain", "198.51.100.9, 2001:db8:1:2::7") == 429
    for other in ("198.51.100.9", "2001:db8:1:2::7, 198.51.100.9", "tidak dikenal", ""):
        assert await tried("lain", other) == 401


async def test_a_code_works_once(visit: Visit, officer: Account, clock: Clock) -> None:
    first = await visit()
    answer = await first.post("/console/masuk", data={"username": "rina", "password": PASSWORD})
    page = await answer.text()
    secret = re.search(r'name="secret" value="([A-Z2-7]{32})"', page)
    assert secret is not None
    code = pyotp.TOTP(secret[1]).at(int(clock().timestamp()))
    token = await token_of(first, "/console/masuk/daftar")
    await first.post("/console/masuk/daftar", data={"csrf": token, "secret": secret[1], "code": code})

    second = await visit()
    await second.post("/console/masuk", data={"username": "rina", "password": PASSWORD})
    token = await token_of(second, "/console/masuk/kode")
    assert (await second.post("/console/masuk/kode", data={"csrf": token, "code": code})).status == 401
    clock.advance(timedelta(seconds=60))
    code = pyotp.TOTP(secret[1]).at(int(clock().timestamp()))
    entered = await second.post("/console/masuk/kode", data={"csrf": token, "code": code})
    assert entered.url.path == "/console/"


@pytest.mark.parametrize("pause", [IDLE, LONGEST])
async def test_a_session_ends_by_itself(visit: Visit, officer: Account, clock: Clock, pause: timedelta) -> None:
    visitor = await visit()
    await sign_in(visitor, "rina", clock)
    clock.advance(pause)
    assert (await visitor.get("/console/akun", allow_redirects=False)).headers["Location"] == "/console/masuk"


async def test_signing_out_ends_the_session_and_not_only_the_cookie(
    visit: Visit, officer: Account, clock: Clock
) -> None:
    visitor = await visit()
    token = await sign_in(visitor, "rina", clock)
    kept = {cookie.key: cookie.value for cookie in visitor.session.cookie_jar}
    await visitor.post("/console/keluar", data={"csrf": token})
    visitor.session.cookie_jar.update_cookies(kept)
    assert (await visitor.get("/console/akun", allow_redirects=False)).status == 303


async def test_a_changed_password_ends_the_other_sessions(visit: Visit, officer: Account, clock: Clock) -> None:
    thief, owner = await visit(), await visit()
    token = await sign_in(owner, "rina", clock)
    thief.session.cookie_jar.update_cookies({c.key: c.value for c in owner.session.cookie_jar})
    await owner.post("/console/akun/sesi", data={"csrf": token})
    changed = {"csrf": token, "old": PASSWORD, "new": "gajah minum air sungai"}
    assert "Kata sandi diganti" in await (await owner.post("/console/akun/sandi", data=changed)).text()


async def test_an_admin_disables_an_account_and_it_is_out_at_once(
    visit: Visit, officer: Account, admin: Account, clock: Clock
) -> None:
    theirs, mine = await visit(), await visit()
    await sign_in(theirs, "rina", clock)
    await sign_in(mine, "kepala", clock)
    form = {**await unseen(mine, officer), "role": "petugas", "agencies": "dispendukcapil", "disabled": "on"}
    assert (await mine.post(f"/console/akun/semua/{officer.id}", data=form)).status == 200
    assert (await theirs.get("/console/akun", allow_redirects=False)).status == 303
    again = await theirs.post("/console/masuk", data={"username": "rina", "password": PASSWORD})
    assert again.status == 401


@pytest.mark.parametrize(
    ("local", "told"),
    [
        ("Kantor Desa Tropodo (Waru)", "Akun baru dibuat."),
        ("desa:waru/tropodo", "Akun baru dibuat."),
        ("Kantor Desa Mana", "Kantor tidak dikenal: Kantor Desa Mana"),
    ],
)
async def test_an_account_for_one_desa_is_made_by_its_name(
    visit: Visit, admin: Account, clock: Clock, local: str, told: str
) -> None:
    visitor = await visit()
    token = await sign_in(visitor, "kepala", clock)
    form = {"csrf": token, "username": "baru", "name": "Baru", "role": "petugas", "local": local, "password": PASSWORD}
    assert told in await (await visitor.post("/console/akun/semua", data=form)).text()


async def test_pages_of_admins_are_refused_to_officers(visit: Visit, officer: Account, clock: Clock) -> None:
    visitor = await visit()
    token = await sign_in(visitor, "rina", clock)
    for path in ("/console/akun/semua", "/console/audit"):
        answer = await visitor.get(path)
        assert answer.status == 403
        assert "Halaman ini untuk" in await answer.text()
    assert (await visitor.post("/console/akun/semua", data={"csrf": token})).status == 403


class TestForgery:
    async def test_without_the_token(self, visit: Visit, officer: Account, clock: Clock) -> None:
        visitor = await visit()
        await sign_in(visitor, "rina", clock)
        assert (await visitor.post("/console/akun/sesi", data={})).status == 403
        assert (await visitor.post("/console/akun/sesi", data={"csrf": "0" * 64})).status == 403

    @pytest.mark.parametrize(
        "headers", [{"Origin": "https://jahat.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}]
    )
    async def test_from_another_site(
        self, visit: Visit, officer: Account, clock: Clock, headers: dict[str, str]
    ) -> None:
        visitor = await visit()
        token = await sign_in(visitor, "rina", clock)
        assert (await visitor.post("/console/akun/sesi", data={"csrf": token}, headers=headers)).status == 403

    async def test_with_another_session_s_token(
        self, visit: Visit, officer: Account, admin: Account, clock: Clock
    ) -> None:
        mine, theirs = await visit(), await visit()
        await sign_in(mine, "rina", clock)
        stolen = await sign_in(theirs, "kepala", clock)
        assert (await mine.post("/console/akun/sesi", data={"csrf": stolen})).status == 403


async def test_every_answer_carries_the_headers_that_browsers_obey(visit: Visit) -> None:
    visitor: Visitor = await visit()
    for path in ("/console/masuk", "/console/tidak-ada", "/console/static/console.css"):
        headers = (await visitor.get(path)).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"


async def test_the_audit_log_is_searched_by_who_and_by_what(
    visit: Visit, admin: Account, officer: Account, clock: Clock
) -> None:
    theirs, mine = await visit(), await visit()
    await sign_in(theirs, "rina", clock)
    await sign_in(mine, "kepala", clock)

    async def found(about: str) -> tuple[bool, bool]:
        shown = (await (await mine.get("/console/audit", params={"about": about})).text()).split("<tbody>")[1]
        return "akun kepala" in shown, "akun rina" in shown

    assert await found("") == (True, True)
    assert await found("Rina") == (False, True)
    assert await found(f"account:{admin.id}") == (True, False)
    assert await found("sda-2611-7k4qxb") == (False, False)
    assert await found("' OR 1=1") == (False, False)


async def test_the_audit_log_tells_who_and_what_and_can_not_be_changed(
    visit: Visit, admin: Account, workspace: Workspace, clock: Clock
) -> None:
    visitor = await visit()
    await sign_in(visitor, "kepala", clock)
    shown = await (await visitor.get("/console/audit")).text()
    assert "mendaftarkan kode" in shown
    assert "akun kepala" in shown
    for statement in ("UPDATE console.audit SET act = 'x'", "DELETE FROM console.audit"):
        async with workspace.engine.connect() as connection:
            with pytest.raises(Exception, match="append-only") as refused:
                await connection.execute(text(statement))
            assert isinstance(refused.value.__cause__, psycopg.Error)


@pytest.mark.parametrize(
    "fault",
    [
        {"username": "R"},
        {"password": "pendek"},
        {"agencies": "kantor_khayal"},
        {"role": "raja"},
        {"username": "kepala"},
    ],
)
async def test_an_account_that_does_not_fit_is_refused_with_a_reason(
    visit: Visit, admin: Account, clock: Clock, fault: dict[str, str]
) -> None:
    visitor = await visit()
    token = await sign_in(visitor, "kepala", clock)
    form = {
        "username": "budi", "name": "Budi", "role": "petugas", "agencies": "dispendukcapil", "password": PASSWORD,
    }  # fmt: skip
    answer = await visitor.post("/console/akun/semua", data={"csrf": token, **form, **fault})
    assert answer.status == 422
    assert 'role="status"' in await answer.text()
    assert (await visitor.post("/console/akun/semua", data={"csrf": token, **form})).status == 200
