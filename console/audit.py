"""The audit log: every look at personal data and every act, by whom and when. It can be added to and nothing else."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from console.tables import accounts, audit
from console.workspace import Workspace

__all__ = ["Act", "Entry", "list_entries", "record", "record_in", "record_look"]

_PAGE = 100
_ONE_LOOK = timedelta(minutes=15)


class Act(enum.StrEnum):
    SIGNED_IN = "masuk"
    SIGNED_OUT = "keluar"
    REFUSED = "gagal masuk"
    LOCKED = "terkunci"
    ENROLLED = "mendaftarkan kode"
    CHANGED_LOGIN = "mengganti kata sandi"
    CHANGED_ACCOUNT = "mengubah akun"
    RESET_LOGIN = "mengatur ulang masuk"
    ENDED_SESSIONS = "mengakhiri sesi"
    READ = "membaca"
    UNMASKED = "membuka samaran"
    SAW_DOCUMENT = "melihat dokumen"
    CLAIMED = "mengambil"
    RELEASED = "melepas"
    TRANSFERRED = "mengalihkan"
    CLOSED = "menutup"
    SAID = "membalas"
    NOTED = "mencatat"
    MOVED = "mengubah status"
    UPLOADED = "mengunggah hasil"
    OFFERED = "menawarkan pengajuan"
    REVIEWED = "menulis catatan mutu"
    EXPORTED = "mengunduh laporan"
    LABELLED = "menilai pesan"
    UNDID_LABEL = "membatalkan penilaian"
    MADE_SET = "membuat set tinjauan"
    TOOK_SET = "mengunduh set tinjauan"
    WITHDREW_SET = "menarik set tinjauan"
    RESTORED_SET = "memasang lagi set tinjauan"
    CHANGED_LABEL = "mengubah label"
    DECIDED_LABEL = "memutus usul label"
    UNDID_LABEL_CHANGE = "membatalkan perubahan label"
    SHADOWED = "membayangkan model"
    ENDED_SHADOW = "mengakhiri bayangan"
    TRAINED = "memulai pelatihan"
    MEASURED = "mengukur model"
    CANCELLED_RUN = "membatalkan pekerjaan model"
    PROMOTED = "menghidupkan model"
    OVERRODE = "memaksa model hidup"
    SENT_BACK = "mengembalikan model"


@dataclass(frozen=True)
class Entry:
    id: int
    at: datetime
    who: str | None
    act: str
    subject: str
    detail: Mapping[str, Any]


async def record(
    workspace: Workspace, account: uuid.UUID | None, act: Act, subject: str, **detail: str | int | None
) -> None:
    """Before the page is shown or the act is done: what can't be recorded doesn't happen."""
    async with workspace.store.single.begin() as connection:
        await record_in(connection, workspace, account, act, subject, **detail)


async def record_look(workspace: Workspace, account: uuid.UUID, subject: str) -> None:
    """Of a part that an open page asks for again and again: one entry for all of it, the page's own too."""
    now, table = workspace.clock(), audit.c
    known = exists().where(
        table.subject == subject, table.account == account, table.act == Act.READ, table.at > now - _ONE_LOOK
    )
    row = select(literal(now), literal(account), literal(Act.READ.value), literal(subject)).where(~known)
    async with workspace.store.single.begin() as connection:
        await connection.execute(insert(audit).from_select(["at", "account", "act", "subject"], row))


async def record_in(
    connection: AsyncConnection,
    workspace: Workspace,
    account: uuid.UUID | None,
    act: Act,
    subject: str,
    **detail: str | int | None,
) -> None:
    """In the transaction of the act itself. `detail` holds ids and names of fields, never what a citizen wrote."""
    row = {"at": workspace.clock(), "account": account, "act": act, "subject": subject, "detail": detail}
    await connection.execute(insert(audit).values(row))


async def list_entries(
    workspace: Workspace, *, subject: str | None = None, account: uuid.UUID | None = None, before: int | None = None
) -> list[Entry]:
    """Newest first, a hundred at a time; `before` is the last id of the page before."""
    query = (
        select(audit, accounts.c.username)
        .outerjoin(accounts, accounts.c.id == audit.c.account)
        .order_by(audit.c.id.desc())
        .limit(_PAGE)
    )
    if subject is not None:
        query = query.where(audit.c.subject == subject)
    if account is not None:
        query = query.where(audit.c.account == account)
    if before is not None:
        query = query.where(audit.c.id < before)
    async with workspace.engine.connect() as connection:
        return [
            Entry(row.id, row.at, row.username, row.act, row.subject, row.detail)
            for row in await connection.execute(query)
        ]
