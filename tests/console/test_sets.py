"""Sets that several people make, withdraw and put back at once, and what is left where one breaks off."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from console.accounts import Account
from console.app import PREFIX, create_console
from console.review.keeper import keep
from console.review.known import KnownExamples
from console.review.opinions import Label, decide, undo
from console.review.reviewed_set import (
    SetRefused,
    draft,
    list_sets,
    make_set,
    restore_set,
    set_changes,
    version_now,
    withdraw_set,
)
from console.review.selection import forget
from console.workspace import Workspace
from learning.example import Example
from learning.label_changes import LabelChanges
from learning.training_file import read_folder
from tests.bot.fakes import Clock
from tests.console.conftest import DATA, Visitor, sign_in
from tests.console.test_review import picked, until_waiting


@pytest.fixture
def writable(workspace: Workspace, tmp_path: Path) -> Workspace:
    """A checkout of one's own with a few messages, since it is written to."""
    data = tmp_path / "data"
    (data / "nlu").mkdir(parents=True)
    shutil.copy(DATA / "nlu" / "pamit.yml", data / "nlu")
    return with_review(workspace, data=data, known=KnownExamples(data), may_write=True)


def with_review(workspace: Workspace, **changed: Any) -> Workspace:
    return replace(workspace, review=replace(workspace.review, **changed))


def files(workspace: Workspace) -> Sequence[str]:
    return sorted(path.stem for path in (workspace.review.data / "tinjauan").glob("*.yml"))


async def settled(workspace: Workspace, account: Account, *texts: str) -> list[int]:
    messages = await picked(workspace, *texts)
    await decide(workspace, account, messages, Label("salam", None))
    return messages


async def made(workspace: Workspace, account: Account) -> str:
    name = await make_set(workspace, account)
    assert name is not None
    return name


async def kept_until(workspace: Workspace, wanted: Sequence[str]) -> None:
    """The keeper leaves these files."""
    keeping = asyncio.create_task(keep(workspace.review, pause=0.01))
    for _ in range(200):
        if files(workspace) == wanted:
            break
        await asyncio.sleep(0.02)
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    assert files(workspace) == wanted


class Meanwhile(KnownExamples):
    """Between what was judged and what is made of it, somebody does something."""

    def __init__(self, data: Path, act: Callable[[], Awaitable[object]]) -> None:
        super().__init__(data)
        self._acts = [act]

    async def labels_of(self, texts: Sequence[str], changes: LabelChanges) -> Mapping[str, Sequence[Example]]:
        while self._acts:
            await self._acts.pop()()
        return await super().labels_of(texts, changes)


@contextlib.asynccontextmanager
async def failing_commits(workspace: Workspace) -> AsyncIterator[None]:
    """Of whatever is done to a set, as when the database goes away in that moment."""
    async with workspace.engine.begin() as connection:
        await connection.execute(
            text("CREATE FUNCTION console.fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''uji''; END'")
        )
        await connection.execute(
            text(
                "CREATE CONSTRAINT TRIGGER fails AFTER INSERT ON console.review_set_changes"
                " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION console.fail()"
            )
        )
    try:
        yield
    finally:
        async with workspace.engine.begin() as connection:
            await connection.execute(text("DROP FUNCTION console.fail() CASCADE"))


class TestAtOnce:
    async def test_a_label_taken_back_while_a_set_is_made_is_in_none(
        self, writable: Workspace, supervisor: Account, clock: Clock
    ) -> None:
        (message,) = await settled(writable, supervisor, "xyz satu hal")
        known = Meanwhile(writable.review.data, lambda: undo(writable, supervisor, None))
        app = web.Application()
        app.add_subapp(PREFIX, create_console(with_review(writable, known=known)))
        async with Visitor(TestServer(app)) as visitor:
            token = await sign_in(visitor, "bos", clock)
            answer = await visitor.post("/console/tinjauan/set", data={"csrf": token})
            assert (answer.status, "berubah selagi set dibuat" in await answer.text()) == (409, True)
        assert (files(writable), await list_sets(writable.review)) == ([], [])
        await decide(writable, supervisor, [message], Label("pamit", None))
        assert [example.intent for example in (await draft(writable.review)).examples] == ["pamit"]

    async def test_what_is_put_back_is_not_taken_into_another(
        self, writable: Workspace, supervisor: Account, tmp_path: Path
    ) -> None:
        await settled(writable, supervisor, "xyz satu hal")
        name = await made(writable, supervisor)
        await withdraw_set(writable, supervisor, name)
        (tmp_path / "beku").mkdir()
        held = tmp_path / "beku" / "messages.jsonl"
        os.mkfifo(held)
        restoring = asyncio.create_task(restore_set(with_review(writable, frozen=tmp_path / "beku"), supervisor, name))
        # Opened once the other reads it: it is looking through the data.
        with await asyncio.to_thread(held.open, "w"):
            making = asyncio.create_task(make_set(writable, supervisor))
            await until_waiting(writable, instead=making)
        await restoring
        assert (await making, files(writable)) == (None, [name])

    async def test_what_is_in_another_by_now_is_not_put_back(self, workspace: Workspace, supervisor: Account) -> None:
        """Where none is written either: no file tells that it is."""
        await settled(workspace, supervisor, "xyz satu hal")
        name = await made(workspace, supervisor)
        await withdraw_set(workspace, supervisor, name)
        await settled(workspace, supervisor, "xyz hal kedua")
        other = await made(workspace, supervisor)
        with pytest.raises(SetRefused, match=f"masuk set {other}"):
            await restore_set(workspace, supervisor, name)
        await withdraw_set(workspace, supervisor, other)
        await restore_set(workspace, supervisor, name)


class TestBreakingOff:
    async def test_what_is_not_committed_is_not_learned(self, writable: Workspace, supervisor: Account) -> None:
        await settled(writable, supervisor, "xyz satu hal")
        async with failing_commits(writable):
            with pytest.raises(DBAPIError, match="uji"):
                await make_set(writable, supervisor)
        assert (files(writable), await list_sets(writable.review)) == ([], [])
        assert [await made(writable, supervisor)] == files(writable)

    async def test_a_file_goes_once_what_it_holds_is_kept(self, writable: Workspace, supervisor: Account) -> None:
        await settled(writable, supervisor, "xyz satu hal")
        name = await made(writable, supervisor)
        async with writable.engine.begin() as connection:
            await connection.execute(text("UPDATE console.review_sets SET content = NULL"))
        async with failing_commits(writable):
            with pytest.raises(DBAPIError, match="uji"):
                await withdraw_set(writable, supervisor, name)
        assert files(writable) == [name]
        await withdraw_set(writable, supervisor, name)
        assert files(writable) == []
        await restore_set(writable, supervisor, name)
        assert [example.text for example in read_folder(writable.review.data / "tinjauan")] == ["xyz satu hal"]

    async def test_files_follow_what_was_committed(self, writable: Workspace, supervisor: Account) -> None:
        folder = writable.review.data / "tinjauan"
        await settled(writable, supervisor, "xyz satu hal")
        withdrawn = await made(writable, supervisor)
        content = (folder / f"{withdrawn}.yml").read_text()
        await withdraw_set(writable, supervisor, withdrawn)
        await settled(writable, supervisor, "xyz hal kedua")
        stands = await made(writable, supervisor)
        before = (folder / f"{stands}.yml").read_text()
        # As if the console had been killed after each commit.
        (folder / f"{stands}.yml").unlink()
        (folder / f"{withdrawn}.yml").write_text(content)
        (folder / "impor.yml").write_text(content)
        await kept_until(writable, [stands, "impor"])
        assert (folder / f"{stands}.yml").read_text() == before

    async def test_what_was_put_back_late_is_kept_until_it_is_written(
        self, writable: Workspace, supervisor: Account, clock: Clock
    ) -> None:
        await settled(writable, supervisor, "xyz satu hal")
        name = await made(writable, supervisor)
        clock.advance(timedelta(days=40))
        await withdraw_set(writable, supervisor, name)
        await restore_set(writable, supervisor, name)
        # As if the console had been killed before it was written.
        (writable.review.data / "tinjauan" / f"{name}.yml").unlink()
        await forget(writable.review)
        await kept_until(writable, [name])

    async def test_the_next_is_made_beside_all_that_were_committed(
        self, writable: Workspace, supervisor: Account
    ) -> None:
        await settled(writable, supervisor, "xyz satu hal")
        first = await made(writable, supervisor)
        (writable.review.data / "tinjauan" / f"{first}.yml").unlink()
        await decide(writable, supervisor, await picked(writable, "XYZ satu hal!"), Label("pamit", None))
        assert await make_set(writable, supervisor) is None
        assert files(writable) == [first]

    async def test_history_names_the_version_that_came_of_it(self, writable: Workspace, supervisor: Account) -> None:
        await settled(writable, supervisor, "xyz satu hal")
        name = await made(writable, supervisor)
        versions = [await version_now(writable.review)]
        for act in (withdraw_set, restore_set):
            await act(writable, supervisor, name)
            versions.append(await version_now(writable.review))
        assert [each.version for each in await set_changes(writable.review)] == versions[::-1]
        assert versions == [versions[0], "", versions[0]]
