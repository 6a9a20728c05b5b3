"""Who asks for a filing, and whether it is theirs to see: the number alone opens nothing."""

from __future__ import annotations

import enum
import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, delete

from backend.answer import Problem
from backend.catalogue import FieldType
from backend.filing_number import InvalidFilingNumber, parse_filing_number
from backend.filing_view import filing_rows
from backend.tables import filings, proofs
from backend.tries import count_try, forgive_try
from backend.workspace import Workspace

__all__ = ["Asker", "Role", "admit"]

_TRIES = 5
"""an hour, of one contact for one number"""
_TRIES_OF_A_CONTACT = 20
"""for all numbers: who knows many can't try each a little"""
_TRIES_FOR_A_NUMBER = 40
"""of all contacts: neither can many who share the work"""
_ANY_NUMBER, _ANYBODY = "nomor", "*"


class Role(enum.Enum):
    CHANNEL = "channel"
    OFFICER = "officer"


@dataclass(frozen=True)
class Asker:
    role: Role
    contact: str | None
    """for whom the channel asks"""
    proof: str | None
    """last four digits of the applicant's NIK or phone"""

    def for_contact(self, contact: str | None) -> Asker:
        """Asks for that of the body where header and query name none."""
        return replace(self, contact=self.contact or contact)


async def admit(workspace: Workspace, asker: Asker, text: str, *, owner_only: bool = False) -> str:
    """The filing's number when `asker` may have it, else Problem 403, 404 or 429.

    To a contact, a number that nobody has answers just as somebody else's does.
    """
    number = _parse(text)
    async with workspace.engine.connect() as connection:
        row = (await connection.execute(filing_rows().where(filings.c.number == number))).one_or_none()
    if asker.role is Role.OFFICER:
        if row is None:
            raise _unknown()
        return number
    if row is not None and row.contact is not None and asker.contact == row.contact:
        return number
    if owner_only:
        raise Problem(403, "not-yours", "Ini hanya bisa lewat percakapan yang mengajukan permohonannya.")
    if asker.proof is None:
        raise Problem(
            403, "proof-needed", "Sebutkan empat angka terakhir NIK atau nomor HP pemohon untuk melihat permohonan ini."
        )
    contact = asker.contact or ""
    if not await count_try(workspace, contact, number, _TRIES):
        raise Problem(429, "too-many-tries", "Sudah lima kali dicoba untuk nomor ini; coba lagi satu jam lagi.")
    for who, about, most in _over_all(contact, number):
        if not await count_try(workspace, who, about, most):
            raise Problem(429, "too-many-tries", "Sudah terlalu sering dicoba; coba lagi satu jam lagi.")
    if row is None or not _proves(workspace, row, asker.proof):
        raise Problem(403, "proof-wrong", "Nomor permohonan dan empat angka itu tidak cocok; periksa lagi keduanya.")
    async with workspace.engine.begin() as connection:
        await connection.execute(delete(proofs).where(proofs.c.contact == contact, proofs.c.number == number))
        for who, about, _ in _over_all(contact, number):
            await forgive_try(connection, who, about)
    return number


def _over_all(contact: str, number: str) -> Sequence[tuple[str, str, int]]:
    return (contact, _ANY_NUMBER, _TRIES_OF_A_CONTACT), (_ANYBODY, number, _TRIES_FOR_A_NUMBER)


def _parse(text: str) -> str:
    try:
        return parse_filing_number(text)
    except InvalidFilingNumber:
        raise _unknown() from None


def _unknown() -> Problem:
    return Problem(404, "not-found", "Tidak ada permohonan dengan nomor itu; periksa lagi, contohnya SDA-2611-7K4QXB.")


def _proves(workspace: Workspace, row: Row[Any], proof: str) -> bool:
    matches = [hmac.compare_digest(proof.encode(), last_four.encode()) for last_four in _last_fours(workspace, row)]
    return any(matches)


def _last_fours(workspace: Workspace, row: Row[Any]) -> Iterator[str]:
    answers = workspace.open_content(row.content).answers
    service = workspace.service(row.service)
    phones = {field.id for field in service.fields if field.type is FieldType.PHONE} if service else set()
    for identifier in ("nik", *phones):
        if identifier in answers:
            yield str(answers[identifier])[-4:]
