"""The reviewed set: what is settled becomes files that a model is made of, and what was drawn at random one it is measured by.

A set that was made can be withdrawn and put back; what happened to the data, and by whom, is only added to.
"""

from __future__ import annotations

import asyncio
import enum
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.desk.hours import LOCAL_TIME
from console.accounts import Account
from console.audit import Act, record_in
from console.review.label_changes import changes_in, write_changes
from console.review.opinions import Judged, final_labels_in
from console.review.room import ReviewRoom, alone
from console.tables import accounts, review_set_changes, review_sets, reviews
from console.workspace import Workspace
from learning.data_set import examine, measured_files, measured_texts
from learning.example import Example, key
from learning.label_changes import LabelChanges, Subject
from learning.reviewed_set import ReviewedSet
from learning.training_file import parse, render, replace_file

__all__ = [
    "Conflict",
    "Draft",
    "MadeSet",
    "SetAct",
    "SetChange",
    "SetRefused",
    "count_labels",
    "draft",
    "find_set",
    "list_sets",
    "make_set",
    "measured_lines",
    "restore_set",
    "set_changes",
    "set_content",
    "version_now",
    "withdraw_set",
    "write_sets",
]

_AUTHOR = "tinjauan"
_RANDOM_AUTHOR = "acak"
_VOCABULARY = 3
"""So few words may be taught and measured as well, as `praja dataset check` has it."""
_MOST_CHANGES = 50


class SetAct(enum.StrEnum):
    MADE = "dibuat"
    WITHDRAWN = "ditarik"
    RESTORED = "dipasang lagi"


class SetRefused(Exception):
    """The message is an Indonesian sentence that says what to do instead."""


@dataclass(frozen=True)
class Conflict:
    """A text with several labels: it isn't taken into the set until they are one."""

    text: str
    ours: Sequence[Example]
    """as reviewed"""
    known: Sequence[Example]
    """as taught already"""


@dataclass(frozen=True)
class Draft:
    examples: Sequence[Example]
    conflicts: Sequence[Conflict] = ()
    duplicates: int = 0
    """taught already with the same labels, or twice among these"""
    measured: Sequence[Example] = ()
    """the random stream, but for what is taught already; nothing of it is taught later"""
    kept_apart: int = 0
    """would be taught, but the random stream or a frozen set measures by the same text"""
    awaited: Sequence[tuple[Subject, str, int]] = ()
    """labels that the program doesn't know yet, and how many messages wait for it to"""
    by_label: Sequence[tuple[str, str | None, int]] = ()
    """intent, service, messages"""
    judged: Sequence[Judged] = field(default=(), repr=False)
    """what the examples came from"""


@dataclass(frozen=True)
class MadeSet:
    name: str
    created_at: datetime
    who: str
    examples: int
    is_kept: bool
    """whether its content can still be seen and put back"""
    withdrawn_at: datetime | None


@dataclass(frozen=True)
class SetChange:
    at: datetime
    who: str
    act: SetAct
    name: str
    examples: int
    version: str
    """of the whole reviewed set afterwards; "" where it isn't written"""


async def draft(room: ReviewRoom) -> Draft:
    """What the next set would hold. Raises TrainingFileUnfit."""
    async with room.engine.connect() as connection:
        return await _draft(connection, room)


async def _draft(connection: AsyncConnection, room: ReviewRoom) -> Draft:
    changes = await changes_in(connection, room)
    taken_back = select(review_sets.c.name).where(review_sets.c.withdrawn_at.is_not(None))
    withdrawn = set(await connection.scalars(taken_back))
    settled = [one for one in await final_labels_in(connection, room) if one.label.intent is not None and one.text]
    usable = [one for one in settled if _unknown(room, one) is None]
    measured = await _measured(room, usable, withdrawn, changes)
    kept_apart = {key(example.text) for example in measured} | await asyncio.to_thread(_frozen_keys, room)
    waiting = Counter(_unknown(room, one) for one in settled if not one.is_random)
    fresh = [one for one in usable if not one.is_random and (one.in_set is None or one.in_set in withdrawn)]
    to_teach = [one for one in fresh if key(str(one.text)) not in kept_apart]
    known = await room.known.labels_of([str(one.text) for one in to_teach], changes)
    by_key: dict[str, list[Judged]] = {}
    for one in to_teach:
        by_key.setdefault(key(str(one.text)), []).append(one)
    examples, conflicts, judged, duplicates = [], [], [], 0
    for alike in by_key.values():
        ours = [_example(one, _AUTHOR) for one in alike]
        taught = known.get(str(alike[0].text), ())
        labels = {(example.intent, example.service) for example in [*ours, *taught]}
        if len(labels) > 1:
            conflicts.append(Conflict(ours[0].text, ours, taught))
            continue
        judged += alike
        duplicates += len(alike) - (not taught)
        if not taught:
            examples.append(ours[0])
    return Draft(
        examples,
        conflicts,
        duplicates,
        measured,
        len(fresh) - len(to_teach),
        [(*label, count) for label, count in waiting.most_common() if label is not None],
        count_labels(examples),
        judged,
    )


def count_labels(examples: Sequence[Example]) -> Sequence[tuple[str, str | None, int]]:
    counts = Counter((example.intent, example.service) for example in examples)
    return [(*label, count) for label, count in sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))]


async def make_set(workspace: Workspace, account: Account) -> str | None:
    """The name of the new set; None when there is nothing new. Written into `data` where that is allowed.

    Raises SetRefused, TrainingFileUnfit, and OSError where it can't be written.
    """
    room = workspace.review
    await write_changes(room)
    async with workspace.engine.begin() as connection:
        await _begin(connection, room)
        made = await _draft(connection, room)
        if not made.examples:
            return None
        content = render(made.examples)
        digest = hashlib.sha256(content.encode()).hexdigest()[:8]
        name = f"{workspace.clock().astimezone(LOCAL_TIME):%Y-%m-%d}-{digest}"
        taken = reviews.c.message.in_([one.message for one in made.judged])
        # Who takes a label back waits from here on; who did before, is seen.
        await connection.execute(select(reviews.c.message).where(taken).order_by(reviews.c.message).with_for_update())
        if set(await final_labels_in(connection, room, taken)) != set(made.judged):
            raise SetRefused("Penilaian berubah selagi set dibuat, jadi set belum dibuat. Periksa lagi, lalu buat.")
        await connection.execute(update(reviews).where(taken).values(in_set=name))
        row = {
            "created_at": workspace.clock(),
            "account": account.id,
            "examples": len(made.examples),
            "content": room.seal.seal(content.encode()),
            "withdrawn_at": None,
        }
        # Taken back and judged the same again on one day, it has the same name.
        await connection.execute(
            upsert(review_sets).values(name=name, **row).on_conflict_do_update(index_elements=["name"], set_=row)
        )
        if room.may_write:
            # Before the set, which teaches nothing of it but may of what the old file measures by.
            await asyncio.to_thread(ReviewedSet(room.data / "tinjauan").write_measured, made.measured)
        version = await _version_with(room, name, content)
        await _note(connection, workspace, account, SetAct.MADE, Act.MADE_SET, name, len(made.examples), version)
    await write_sets(room)
    return name


async def withdraw_set(workspace: Workspace, account: Account, name: str) -> None:
    """Nothing of it is learned any longer; its messages come into the next set unless their labels are changed.

    Raises SetRefused, and OSError where the file can't be removed.
    """
    room = workspace.review
    async with workspace.engine.begin() as connection:
        await _begin(connection, room)
        found = await _lock(connection, name)
        if found.withdrawn_at is not None:
            raise SetRefused("Set itu sudah ditarik.")
        content = found.content
        if content is None and room.may_write and (path := room.data / "tinjauan" / f"{name}.yml").exists():
            # From here on it is kept here, so that it can be put back.
            content = room.seal.seal(await asyncio.to_thread(path.read_bytes))
        version = await _version_with(room, name, None)
        await connection.execute(
            update(review_sets)
            .where(review_sets.c.name == name)
            .values(withdrawn_at=workspace.clock(), content=content)
        )
        await _note(connection, workspace, account, SetAct.WITHDRAWN, Act.WITHDREW_SET, name, found.examples, version)
    await write_sets(room)


async def restore_set(workspace: Workspace, account: Account, name: str) -> None:
    """As it was. Raises SetRefused, TrainingFileUnfit, and OSError where the file can't be written."""
    room = workspace.review
    async with workspace.engine.begin() as connection:
        await _begin(connection, room)
        found = await _lock(connection, name)
        content = room.text(found.content)
        if found.withdrawn_at is None or content is None:
            raise SetRefused("Set itu tidak sedang ditarik, atau isinya sudah tidak disimpan.")
        examples = parse(content, name)
        findings = await asyncio.to_thread(examine, room.data, room.frozen, examples, f"{name}.yml")
        if findings.is_fatal:
            raise SetRefused(f"Set itu tidak lagi cocok dengan data yang lain. {findings.sentences()[0]}")
        if (other := await _taken_by(connection, room, examples)) is not None:
            raise SetRefused(f"Pesannya sudah masuk set {other}; tarik dulu set itu.")
        version = await _version_with(room, name, content)
        await connection.execute(update(review_sets).where(review_sets.c.name == name).values(withdrawn_at=None))
        await _note(connection, workspace, account, SetAct.RESTORED, Act.RESTORED_SET, name, found.examples, version)
    await write_sets(room)


async def write_sets(room: ReviewRoom) -> None:
    """Where files may be written: those of sets that stand, none of withdrawn ones. Raises OSError."""
    if room.may_write:
        async with room.engine.begin() as connection:
            await _begin(connection, room)


async def list_sets(room: ReviewRoom) -> Sequence[MadeSet]:
    query = (
        select(review_sets, accounts.c.name.label("who"))
        .join(accounts, accounts.c.id == review_sets.c.account)
        .order_by(review_sets.c.created_at.desc())
    )
    async with room.engine.connect() as connection:
        return [
            MadeSet(row.name, row.created_at, row.who, row.examples, row.content is not None, row.withdrawn_at)
            for row in await connection.execute(query)
        ]


async def find_set(room: ReviewRoom, name: str) -> MadeSet | None:
    return next((one for one in await list_sets(room) if one.name == name), None)


async def set_changes(room: ReviewRoom) -> Sequence[SetChange]:
    """Newest first."""
    query = (
        select(review_set_changes, accounts.c.name.label("who"))
        .join(accounts, accounts.c.id == review_set_changes.c.account)
        .order_by(review_set_changes.c.id.desc())
        .limit(_MOST_CHANGES)
    )
    async with room.engine.connect() as connection:
        return [
            SetChange(row.at, row.who, SetAct(row.act), row.name, row.examples, row.version)
            for row in await connection.execute(query)
        ]


async def set_content(room: ReviewRoom, name: str) -> str | None:
    """None: there is no such set, or it was forgotten."""
    async with room.engine.connect() as connection:
        sealed = await connection.scalar(select(review_sets.c.content).where(review_sets.c.name == name))
    return room.text(sealed)


async def version_now(room: ReviewRoom) -> str:
    """Of what is in `data` here."""
    return await asyncio.to_thread(ReviewedSet(room.data / "tinjauan").version)


def measured_lines(examples: Sequence[Example]) -> str:
    """The random stream as the gate reads it, a JSON object a line."""
    lines: list[Mapping[str, object]] = [
        {
            "text": example.text, "intent": example.intent, "layanan": example.service, "ragam": "", "entities": [],
            "group": "acak", "penulis": example.author,
        }
        for example in examples
    ]  # fmt: skip
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


async def _begin(connection: AsyncConnection, room: ReviewRoom) -> None:
    """Sets are made, withdrawn and put back one after the other, each beside the files of all before it."""
    await alone(connection, "sets")
    if room.may_write:
        sets = await connection.execute(select(review_sets.c.name, review_sets.c.content, review_sets.c.withdrawn_at))
        await asyncio.to_thread(_put_in_order, room, sets.all())


def _put_in_order(room: ReviewRoom, sets: Sequence[Row[*tuple[Any, ...]]]) -> None:
    for one in sets:
        path = room.data / "tinjauan" / f"{one.name}.yml"
        if one.withdrawn_at is not None:
            path.unlink(missing_ok=True)
        elif one.content is not None and not path.exists():
            replace_file(path, str(room.text(one.content)))


async def _version_with(room: ReviewRoom, name: str, content: str | None) -> str:
    """Of what will be in `data` here, since a file is written only after the commit."""
    if not room.may_write:
        return ""
    return await asyncio.to_thread(ReviewedSet(room.data / "tinjauan").version_with, name, content)


async def _taken_by(connection: AsyncConnection, room: ReviewRoom, examples: Sequence[Example]) -> str | None:
    """The set that teaches some of them. One that took them of a withdrawn set is the younger, thus kept as long."""
    keys = {key(each.text) for each in examples}
    standing = select(review_sets.c.name, review_sets.c.content).where(
        review_sets.c.withdrawn_at.is_(None), review_sets.c.content.is_not(None)
    )
    for one in await connection.execute(standing):
        if not keys.isdisjoint(key(each.text) for each in parse(str(room.text(one.content)), one.name)):
            return str(one.name)
    return None


async def _measured(
    room: ReviewRoom, settled: Sequence[Judged], withdrawn: set[str], changes: LabelChanges
) -> Sequence[Example]:
    known = await room.known.labels_of([str(one.text) for one in settled if one.is_random], changes)
    taught = {key(text) for text in known} | {
        key(str(one.text))
        for one in settled
        if one.in_set is not None and one.in_set not in withdrawn and not one.is_random
    }
    examples = [_example(one, _RANDOM_AUTHOR) for one in settled if one.is_random]
    return [one for one in examples if key(one.text) not in taught or len(key(one.text).split()) <= _VOCABULARY]


def _frozen_keys(room: ReviewRoom) -> set[str]:
    files = [file for file in measured_files(room.data, room.frozen) if file.parent == room.frozen]
    keys = {key(text) for file in files for text in measured_texts(file)}
    return {each for each in keys if len(each.split()) > _VOCABULARY}


def _unknown(room: ReviewRoom, one: Judged) -> tuple[Subject, str] | None:
    """The label that the program doesn't know."""
    if not room.labels.has(Subject.INTENT, one.label.intent):
        return Subject.INTENT, str(one.label.intent)
    if one.label.service is not None and not room.labels.has(Subject.SERVICE, one.label.service):
        return Subject.SERVICE, one.label.service
    return None


async def _lock(connection: AsyncConnection, name: str) -> Row[Any]:
    query = select(review_sets).where(review_sets.c.name == name).with_for_update()
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise SetRefused("Set itu tidak ada.")
    return row


async def _note(
    connection: AsyncConnection,
    workspace: Workspace,
    account: Account,
    what: SetAct,
    act: Act,
    name: str,
    examples: int,
    version: str,
) -> None:
    await connection.execute(
        insert(review_set_changes).values(
            at=workspace.clock(), account=account.id, act=what, name=name, examples=examples, version=version
        )
    )
    await record_in(connection, workspace, account.id, act, f"reviewed_set:{name}", examples=examples)


def _example(one: Judged, author: str) -> Example:
    return Example(str(one.text), str(one.label.intent), one.label.service, author=author)
