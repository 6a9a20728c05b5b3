"""A person's rights over their own data: to see what is kept, to take it along, to have it erased (UU 27/2022)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.answer import Answer, answer_json
from backend.calendar import LOCAL_TIME
from backend.chronology import read_chronology
from backend.consents import find_consent, view_consent, withdraw_consent
from backend.erasure import empty_drafts, erase_filings
from backend.fields import Value
from backend.filing_view import filing_rows
from backend.fingerprints import renew_fingerprint
from backend.form import Content
from backend.representation import service_asked
from backend.retention import has_ended, last_steps
from backend.states import DraftState, State
from backend.tables import consents, drafts, erasures, files, filings, proofs
from backend.workspace import Workspace

__all__ = ["People"]


class People:
    """A person is a contact: the bot has made sure who that is."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    async def show(self, contact: str) -> Answer:
        async with self._workspace.engine.connect() as connection:
            own_drafts = await _drafts(connection, contact)
            own_filings = await _filings(connection, contact)
            steps = await last_steps(connection, [row.number for row in own_filings])
            owned = [row.id for row in own_drafts] + [row.draft_id for row in own_filings]
            count = await connection.scalar(select(func.count()).where(files.c.draft_id.in_(owned)))
            consent = await find_consent(connection, self._workspace, contact)
        views = []
        for row in own_filings:
            why = self._why_kept(row)
            until = (steps[row.number] + self._workspace.retention.answers).astimezone(LOCAL_TIME).date()
            views.append(
                {
                    "number": row.number,
                    "service": row.service,
                    "state": row.state,
                    "kept_until": until.isoformat() if why is None else None,
                    "why": why,
                }
            )
        return answer_json(
            {
                "drafts": len(own_drafts),
                "filings": views,
                "files": count,
                "consent": consent and view_consent(consent),
            }
        )

    async def export(self, contact: str) -> bytes:
        """JSON for the person: Indonesian keys, answers in clear. Files are listed, they have them."""
        persons = self._workspace.seal.indexes(contact)
        agreed = select(consents).where(consents.c.person.in_(persons)).order_by(consents.c.at)
        async with self._workspace.engine.connect() as connection:
            own_drafts = await _drafts(connection, contact)
            own_filings = await _filings(connection, contact)
            entries = await read_chronology(connection, self._workspace.seal, [row.number for row in own_filings])
            owned = [row.id for row in own_drafts] + [row.draft_id for row in own_filings]
            pages = await _pages(connection, owned)
            given = (await connection.execute(agreed)).all()
        document = {
            "dibuat": self._workspace.clock().astimezone(LOCAL_TIME).isoformat(),
            "persetujuan": [
                {
                    "versi": row.version,
                    "saluran": row.channel,
                    "diberikan": _moment(row.at),
                    "dicabut": _moment(row.withdrawn_at),
                }
                for row in given
            ],
            "draf": [
                {**self._content(row.service, row.content, pages[row.id]), "berlaku_sampai": _moment(row.expires_at)}
                for row in own_drafts
            ],
            "permohonan": [
                {
                    "nomor": row.number,
                    "keadaan": row.state,
                    **self._content(row.service, row.content, pages[row.draft_id]),
                    "kantor": row.office,
                    "dikirim": _moment(row.submitted_at),
                    "jatuh_tempo": row.due_on and row.due_on.isoformat(),
                    "riwayat": [
                        {
                            "waktu": entry["at"],
                            "keadaan": entry["state"],
                            "kantor": entry["office"],
                            "catatan": entry["note"],
                        }
                        for entry in entries[row.number]
                    ],
                }
                for row in own_filings
            ],
        }
        return json.dumps(document, ensure_ascii=False, indent=2).encode()

    async def erase(self, contact: str, message_id: str) -> Answer:
        """Drafts and what has ended at once; the same message again gets the same answer."""
        persons = self._workspace.seal.indexes(contact)
        person = persons[0]
        asked = select(erasures.c.body).where(erasures.c.person == person, erasures.c.message_id == message_id)
        unused: list[UUID] = []
        async with self._workspace.engine.begin() as connection:
            await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(person, 0))))
            await renew_fingerprint(connection, erasures.c.person, persons)
            known = await connection.scalar(asked)
            if known is not None:
                return Answer(200, self._workspace.seal.open(known))
            # Draft, then filing: in the order that changes lock them in.
            locking = select(drafts).where(drafts.c.contact == contact).order_by(drafts.c.id).with_for_update()
            own_drafts = [row for row in await connection.execute(locking) if row.state != DraftState.SUBMITTED]
            own_filings = (
                await connection.execute(select(filings).where(filings.c.contact == contact).with_for_update())
            ).all()
            ended = [row.draft_id for row in own_filings if self._why_kept(row) is None]
            unused += await empty_drafts(connection, [row.id for row in own_drafts], DraftState.DELETED)
            unused += await erase_filings(connection, self._workspace, ended)
            await withdraw_consent(connection, self._workspace, contact)
            await connection.execute(delete(proofs).where(proofs.c.contact == contact))
            answer = answer_json(
                {
                    "erased": {
                        "drafts": len(own_drafts),
                        "filings": len(ended),
                        "files": len(unused),
                    },
                    "kept": [
                        {"number": row.number, "why": why, "until": None}
                        for row in own_filings
                        if (why := self._why_kept(row)) is not None
                    ],
                }
            )
            await connection.execute(
                insert(erasures).values(
                    person=person,
                    message_id=message_id,
                    at=self._workspace.clock(),
                    body=self._workspace.seal.seal(answer.body),
                )
            )
        await self._workspace.discard(unused)
        return answer

    def _why_kept(self, filing: Row[Any]) -> str | None:
        """A sentence; None for a filing that has ended."""
        if has_ended(self._workspace, filing):
            return None
        if filing.state == State.SELESAI:
            return "Pengaduan ini menunggu jawaban Anda apakah sudah beres; datanya wajib disimpan sampai itu jelas."
        days = self._workspace.retention.answers.days
        return (
            "Permohonan ini masih berjalan, jadi datanya wajib disimpan sampai selesai. Sesudah itu datanya dihapus"
            f" paling lambat dalam {days} hari, atau lebih cepat bila Anda memintanya lagi."
        )

    def _content(self, service_id: str, sealed: bytes | None, pages: Sequence[Row[Any]]) -> dict[str, Any]:
        content = self._workspace.open_content(sealed)
        service = self._workspace.service(service_id)
        names, titles = self._names(service_id, content)
        return {
            "layanan": service.name if service else service_id,
            "jawaban": {
                names.get(key, key): titles.get((key, str(value)), value) for key, value in content.answers.items()
            },
            "berkas": [
                {
                    "nama": names.get(page.document, page.document) if page.document else "Dokumen hasil",
                    "halaman": page.page,
                    "jenis": page.content_type,
                    "ukuran": page.size,
                    "diterima": _moment(page.at),
                }
                for page in pages
            ],
        }

    def _names(self, service_id: str, content: Content) -> tuple[Mapping[str, str], Mapping[tuple[str, str], Value]]:
        """field or document → its name; field and choice → the choice's title"""
        service = self._workspace.service(service_id)
        if service is None:
            return {}, {}
        asked = service_asked(self._workspace.catalogue, service, content.on_behalf_of)
        names = {item.id: item.name for item in (*asked.fields, *asked.documents)}
        return names, {(field.id, choice.id): choice.title for field in asked.fields for choice in field.choices}


async def _drafts(connection: AsyncConnection, contact: str) -> Sequence[Row[Any]]:
    """Those that aren't filings, last changed first."""
    query: Select[Any] = (
        select(drafts)
        .where(drafts.c.contact == contact, drafts.c.state != DraftState.SUBMITTED)
        .order_by(drafts.c.expires_at.desc(), drafts.c.id)
    )
    return list(await connection.execute(query))


async def _filings(connection: AsyncConnection, contact: str) -> Sequence[Row[Any]]:
    query = filing_rows().where(filings.c.contact == contact)
    newest = query.order_by(filings.c.submitted_at.desc(), filings.c.number.desc())
    return list(await connection.execute(newest))


async def _pages(connection: AsyncConnection, draft_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Row[Any]]]:
    query = select(files).where(files.c.draft_id.in_(draft_ids)).order_by(files.c.at, files.c.page)
    pages: dict[UUID, list[Row[Any]]] = defaultdict(list)
    for page in await connection.execute(query):
        pages[page.draft_id].append(page)
    return pages


def _moment(at: Any) -> str | None:
    return at.astimezone(LOCAL_TIME).isoformat() if at is not None else None
