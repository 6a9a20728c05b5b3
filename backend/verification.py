"""The code on a finished document by which anyone can ask whether we issued it: `7K4Q-XB2M-9D3F`.

Eleven characters of Crockford's alphabet, letters and digits among them, then the ISO 7064 MOD 37,36 check character over
them; a draw whose check character is I, L, O or U is thrown away.
"""

from __future__ import annotations

import re
import secrets
from datetime import date

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection
from stdnum.iso7064 import mod_37_36

from backend.answer import Answer, Problem, answer_json
from backend.filing_view import filing_rows, shorten
from backend.tables import filings, verifications
from backend.tries import count_try
from backend.workspace import Workspace

__all__ = ["issue_code", "verify"]

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 12
_LOOK_ALIKE = str.maketrans("OIL", "011")
_TRIES = 20
"""an hour"""
_ABOUT = "keaslian"


async def issue_code(connection: AsyncConnection, number: str, day: date) -> str:
    """A code for the filing's result of today. The one of a result that it replaces is no longer good."""
    await connection.execute(delete(verifications).where(verifications.c.number == number))
    while True:
        row = upsert(verifications).values(code=_draw(), number=number, issued_on=day)
        code = await connection.scalar(
            row.on_conflict_do_nothing(index_elements=["code"]).returning(verifications.c.code)
        )
        if code is not None:
            return str(code)


async def verify(workspace: Workspace, contact: str, text: str) -> Answer:
    """Raises Problem 404 for a code that isn't ours, 429."""
    if not await count_try(workspace, contact, _ABOUT, _TRIES):
        raise Problem(429, "too-many-tries", "Sudah dua puluh kode diperiksa; coba lagi satu jam lagi.")
    query = (
        filing_rows()
        .add_columns(verifications.c.issued_on)
        .join(verifications, verifications.c.number == filings.c.number)
        .where(verifications.c.code == _read(text))
    )
    async with workspace.engine.connect() as connection:
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise Problem(404, "not-found", "Kode itu tidak ada pada kami; periksa lagi, contohnya 7K4Q-XB2M-9D3F.")
    answers = workspace.open_content(row.content).answers
    if row.contact is None:
        applicant = "pemohon yang datanya sudah dihapus"
    elif row.hides_applicant or "nama" not in answers:
        applicant = "pemohon yang dirahasiakan"
    else:
        applicant = shorten(str(answers["nama"]))
    return answer_json(
        {
            "number": row.number,
            "service": row.service,
            "office": row.office,
            "issued_on": row.issued_on.isoformat(),
            "applicant": applicant,
        }
    )


def _draw() -> str:
    while True:
        drawn = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH - 1))
        drawn += mod_37_36.calc_check_digit(drawn)
        # Without letters it could be a phone number, without digits words; the chat tells them apart by that.
        if drawn[-1] in _ALPHABET and not drawn.isdigit() and not drawn.isalpha():
            return "-".join((drawn[:4], drawn[4:8], drawn[8:]))


def _read(text: str) -> str:
    """As issued, however it is cased, spaced and misread; "" when it can't be one."""
    compact = re.sub(r"[\s\-.]+", "", text).upper().translate(_LOOK_ALIKE)
    if len(compact) != _LENGTH or not set(compact) <= set(_ALPHABET) or not mod_37_36.is_valid(compact):
        return ""
    return "-".join((compact[:4], compact[4:8], compact[8:]))
