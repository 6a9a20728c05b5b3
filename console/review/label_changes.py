"""Labels as people change them: proposed, renamed, merged, split. Every change has an author and can be undone.

Nothing is overwritten: what labels are now follows from the changes that stand, applied in order to what the program
knows. A change whose target the program doesn't know yet is kept, and takes effect once it does.
"""

from __future__ import annotations

import asyncio
import enum
import re
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from console.accounts import Account
from console.audit import Act, record_in
from console.review.labels import Intent, Labels, Meaning
from console.review.room import ReviewRoom, alone
from console.tables import accounts, label_changes
from console.workspace import Workspace
from learning.label_changes import LabelChange, LabelChanges, Subject, mark, write_label_changes

__all__ = [
    "Changed",
    "Kind",
    "LabelRefused",
    "Wording",
    "changes_in",
    "changes_now",
    "decide_proposal",
    "labels_now",
    "list_changes",
    "merge",
    "propose",
    "rename",
    "split",
    "undo_change",
    "write_changes",
]

_ID = re.compile(r"[a-z][a-z0-9_]{2,39}")
_UNMOVABLE = frozenset({"darurat", "di_luar_topik"})
"""The gate's rules and the safety rule go by these."""
_LONGEST = {"name": 80, "meaning": 300, "border": 300}
_MOST_EXAMPLES = 500
_LABELS = "labels"
"""what is done to them is done `alone`: it follows from what they are"""

_decider, _undoer = accounts.alias("decider"), accounts.alias("undoer")


class Kind(enum.StrEnum):
    NEW = "baru"
    RENAMED = "nama"
    """what people read; the id stays"""
    MERGED = "gabung"
    """all examples become the target's; renaming an id is merging it into the new one"""
    SPLIT = "pecah"
    """some do"""


class LabelRefused(Exception):
    """The message is an Indonesian sentence that says what to do instead."""


@dataclass(frozen=True)
class Wording:
    """Raises LabelRefused."""

    name: str
    meaning: str
    border: str

    def __post_init__(self) -> None:
        for part, longest in _LONGEST.items():
            text = getattr(self, part)
            if not 0 < len(text) <= longest or not text.isprintable():
                raise LabelRefused(f"Nama, arti, dan batas harus diisi; paling panjang {longest} huruf.")


@dataclass(frozen=True)
class Changed:
    id: int
    at: datetime
    who: str
    account: uuid.UUID
    kind: Kind
    subject: Subject
    label: str
    target: str | None
    name: str | None
    meaning: str | None
    border: str | None
    examples: frozenset[str] | None
    decided_at: datetime | None
    decided_by: str | None
    accepted: bool | None
    """None: nobody has decided"""
    undone_at: datetime | None
    undone_by: str | None

    @property
    def stands(self) -> bool:
        return self.accepted is True and self.undone_at is None

    @property
    def is_open(self) -> bool:
        return self.accepted is None and self.undone_at is None


async def list_changes(room: ReviewRoom) -> Sequence[Changed]:
    """In order."""
    async with room.engine.connect() as connection:
        return await _changes(connection)


async def changes_now(room: ReviewRoom) -> LabelChanges:
    """What takes effect: on what is learned, on what it is measured by, and on what is shown."""
    async with room.engine.connect() as connection:
        return await changes_in(connection, room)


async def changes_in(connection: AsyncConnection, room: ReviewRoom) -> LabelChanges:
    return LabelChanges(_effective(room, await _changes(connection)))


async def labels_now(room: ReviewRoom) -> Labels:
    """What a message can be called now."""
    return _labels(room.labels, await list_changes(room))


async def write_changes(room: ReviewRoom) -> None:
    """Where files may be written, so that training knows. Raises OSError."""
    if not room.may_write:
        return
    async with room.engine.begin() as connection:
        # Until it is written, so that no older list takes the place of a newer one.
        await alone(connection, _LABELS)
        changes = await _changes(connection)
        # Where nobody has ever changed any here, a file that lies there is somebody else's.
        if changes:
            effective = _effective(room, changes)
            await asyncio.to_thread(write_label_changes, room.data / "tinjauan", effective)


async def propose(workspace: Workspace, account: Account, subject: Subject, label: str, wording: Wording) -> None:
    """Raises LabelRefused."""
    if not _ID.fullmatch(label):
        raise LabelRefused("Kode label terdiri dari 3–40 huruf kecil, angka, dan garis bawah; huruf di depan.")
    async with workspace.engine.begin() as connection:
        await alone(connection, _LABELS)
        changes = await _changes(connection)
        taken = any(
            each.kind is Kind.NEW and (each.stands or each.is_open) and (each.subject, each.label) == (subject, label)
            for each in changes
        )
        if taken or workspace.review.labels.has(subject, label):
            raise LabelRefused(f"Label {label} sudah ada atau sudah diusulkan.")
        await _add(
            connection, workspace, account, Kind.NEW, subject, label, decided=False,
            name=wording.name, meaning=wording.meaning, border=wording.border,
        )  # fmt: skip


async def decide_proposal(workspace: Workspace, account: Account, number: int, *, accepted: bool) -> None:
    """By somebody else than who proposed it. Raises LabelRefused."""
    async with workspace.engine.begin() as connection:
        await alone(connection, _LABELS)
        change = _found(await _changes(connection), number)
        if change.account == account.id:
            raise LabelRefused("Usul sendiri diputus oleh admin lain.")
        decided = await connection.execute(
            update(label_changes)
            .where(
                label_changes.c.id == number, label_changes.c.accepted.is_(None), label_changes.c.undone_at.is_(None)
            )
            .values(decided_at=workspace.clock(), decided_by=account.id, accepted=accepted)
        )
        if not decided.rowcount:
            raise LabelRefused("Usul itu sudah diputus.")
        await record_in(
            connection, workspace, account.id, Act.DECIDED_LABEL, f"label:{change.label}", accepted=str(accepted)
        )


async def rename(workspace: Workspace, account: Account, subject: Subject, label: str, wording: Wording) -> None:
    """Raises LabelRefused."""
    async with workspace.engine.begin() as connection:
        await alone(connection, _LABELS)
        _need(_labels(workspace.review.labels, await _changes(connection)), subject, label)
        await _add(
            connection, workspace, account, Kind.RENAMED, subject, label,
            name=wording.name, meaning=wording.meaning, border=wording.border,
        )  # fmt: skip


async def merge(workspace: Workspace, account: Account, subject: Subject, label: str, target: str) -> None:
    """Raises LabelRefused, and OSError where the file can't be written."""
    await _move(workspace, account, Kind.MERGED, subject, label, target, None)


async def split(
    workspace: Workspace, account: Account, subject: Subject, label: str, target: str, texts: Collection[str]
) -> None:
    """These texts become the target's. Raises LabelRefused, and OSError where the file can't be written."""
    if not 0 < len(texts) <= _MOST_EXAMPLES:
        raise LabelRefused(f"Centang contoh yang pindah, paling banyak {_MOST_EXAMPLES} sekali jalan.")
    await _move(workspace, account, Kind.SPLIT, subject, label, target, sorted({mark(text) for text in texts}))


async def undo_change(workspace: Workspace, account: Account, number: int) -> None:
    """As if it had never been. Raises LabelRefused, and OSError where the file can't be written."""
    async with workspace.engine.begin() as connection:
        await alone(connection, _LABELS)
        change = _found(await _changes(connection), number)
        undone = await connection.execute(
            update(label_changes)
            .where(label_changes.c.id == number, label_changes.c.undone_at.is_(None))
            .values(undone_at=workspace.clock(), undone_by=account.id)
        )
        if not undone.rowcount:
            raise LabelRefused("Perubahan itu sudah dibatalkan.")
        await record_in(
            connection, workspace, account.id, Act.UNDID_LABEL_CHANGE, f"label:{change.label}", kind=change.kind.value
        )
    await write_changes(workspace.review)


async def _move(
    workspace: Workspace,
    account: Account,
    kind: Kind,
    subject: Subject,
    label: str,
    target: str,
    examples: Sequence[str] | None,
) -> None:
    if label == target:
        raise LabelRefused("Pilih label lain sebagai tujuan.")
    if kind is Kind.MERGED and label in _UNMOVABLE:
        raise LabelRefused(f"{label} tidak bisa digabung: aturan keselamatan dan gerbang model bergantung padanya.")
    async with workspace.engine.begin() as connection:
        await alone(connection, _LABELS)
        labels = _labels(workspace.review.labels, await _changes(connection))
        _need(labels, subject, label)
        _need(labels, subject, target)
        await _add(connection, workspace, account, kind, subject, label, target=target, examples=examples)
    await write_changes(workspace.review)


async def _add(
    connection: AsyncConnection,
    workspace: Workspace,
    account: Account,
    kind: Kind,
    subject: Subject,
    label: str,
    *,
    decided: bool = True,
    **more: Any,
) -> None:
    now = workspace.clock()
    decision = {"decided_at": now, "decided_by": account.id, "accepted": True} if decided else {}
    await connection.execute(
        insert(label_changes).values(
            at=now, account=account.id, kind=kind, subject=subject, label=label, **decision, **more
        )
    )
    await record_in(
        connection, workspace, account.id, Act.CHANGED_LABEL, f"label:{label}", kind=kind.value,
        target=more.get("target"),
    )  # fmt: skip


async def _changes(connection: AsyncConnection) -> Sequence[Changed]:
    query = (
        select(
            label_changes,
            accounts.c.name.label("who"),
            _decider.c.name.label("decider"),
            _undoer.c.name.label("undoer"),
        )
        .join(accounts, accounts.c.id == label_changes.c.account)
        .outerjoin(_decider, _decider.c.id == label_changes.c.decided_by)
        .outerjoin(_undoer, _undoer.c.id == label_changes.c.undone_by)
        .order_by(label_changes.c.id)
    )
    return [
        Changed(
            id=row.id,
            at=row.at,
            who=row.who,
            account=row.account,
            kind=Kind(row.kind),
            subject=Subject(row.subject),
            label=row.label,
            target=row.target,
            name=row.name,
            meaning=row.meaning,
            border=row.border,
            examples=None if row.examples is None else frozenset(row.examples),
            decided_at=row.decided_at,
            decided_by=row.decider,
            accepted=row.accepted,
            undone_at=row.undone_at,
            undone_by=row.undoer,
        )
        for row in await connection.execute(query)
    ]


def _found(changes: Sequence[Changed], number: int) -> Changed:
    found = next((each for each in changes if each.id == number), None)
    if found is None:
        raise LabelRefused("Perubahan itu tidak ada.")
    return found


def _need(labels: Labels, subject: Subject, label: str) -> None:
    if not labels.has(subject, label):
        raise LabelRefused(f"Label {label} tidak ada; pilih dari daftar.")


def _effective(room: ReviewRoom, changes: Sequence[Changed]) -> Sequence[LabelChange]:
    return [
        LabelChange(each.subject, each.label, each.target, each.examples)
        for each in changes
        if each.stands and each.target is not None and room.labels.has(each.subject, each.target)
    ]


def _labels(known: Labels, changes: Sequence[Changed]) -> Labels:
    intents, services, meanings = dict(known.intents), dict(known.services), dict(known.meanings)
    for each in changes:
        if not each.stands:
            continue
        if each.kind is Kind.MERGED:
            intents.pop(each.label, None) if each.subject is Subject.INTENT else services.pop(each.label, None)
            # Renamed back: what was merged away is there again.
            if each.target is not None:
                _return(known, intents, services, each.subject, each.target)
        elif each.kind in (Kind.NEW, Kind.RENAMED) and each.name is not None:
            if each.kind is Kind.NEW and known.has(each.subject, each.label):
                continue
            if each.subject is Subject.INTENT:
                before = intents.get(each.label)
                if before is not None or each.kind is Kind.NEW:
                    intents[each.label] = Intent(
                        id=each.label,
                        nama=each.name,
                        arti=each.meaning or "",
                        batas=each.border or "",
                        contoh=before.contoh if before else (),
                    )
            elif each.label in services or each.kind is Kind.NEW:
                services[each.label] = each.name
                meanings[each.label] = Meaning(each.meaning or "", each.border or "")
    now = replace(
        known,
        intents=intents,
        services=dict(sorted(services.items(), key=lambda pair: pair[1].casefold())),
        meanings=meanings,
    )
    awaited = {
        (each.subject, each.label)
        for each in changes
        if each.stands and each.kind is Kind.NEW and not known.has(each.subject, each.label)
    }
    return replace(now, awaited=frozenset(one for one in awaited if now.has(*one)))


def _return(known: Labels, intents: dict[str, Intent], services: dict[str, str], subject: Subject, label: str) -> None:
    if subject is Subject.INTENT and label in known.intents:
        intents.setdefault(label, known.intents[label])
    elif subject is Subject.SERVICE and label in known.services:
        services.setdefault(label, known.services[label])
