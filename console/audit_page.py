"""The audit log as admins read it: all of it, what a person did, or what was done with a filing, conversation or account."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping

from aiohttp import web

from console.access import access_audit
from console.accounts import list_accounts
from console.audit import list_entries
from console.protection import WORKSPACE, page, signed_in

__all__ = ["routes"]

_SUBJECTS: Mapping[str, str] = {
    "account": "akun",
    "address": "alamat",
    "conversation": "percakapan",
    "filing": "permohonan",
    "filings": "daftar permohonan",
    "label": "label",
    "model": "model",
    "queue": "antrean",
    "reports": "laporan",
    "review": "pesan",
    "reviewed_set": "set tinjauan",
    "training_run": "latihan",
}
_PAGES: Mapping[str, str] = {
    "review:decisions": "halaman keputusan",
    "review:insight": "halaman wawasan",
    "review:labels": "halaman label",
    "review:quality": "halaman mutu",
    "review:sets": "halaman set contoh",
    "review:shadow": "halaman bayangan",
}
"""looked at as a whole"""
_DETAILS: Mapping[str, str] = {
    "by": "lewat",
    "count": "banyaknya",
    "days": "hari",
    "disabled": "nonaktif",
    "document": "dokumen",
    "examples": "contoh",
    "field": "isian",
    "intent": "niat",
    "kind": "jenis",
    "reason": "alasan",
    "role": "peran",
    "service": "layanan",
    "size": "ukuran",
    "stage": "tahap",
    "target": "tujuan",
    "to": "menjadi",
}
_NUMBER = re.compile(r"SDA-[0-9]{4}-[0-9A-Z]{6}")
_LONGEST_ID = 18
"""digits"""


def routes() -> list[web.RouteDef]:
    return [web.get("/audit", _show, name="audit")]


async def _show(request: web.Request) -> web.Response:
    """`?about=` is a filing's number, a conversation's id, an account's name, or a subject as the log writes it."""
    access_audit(signed_in(request).account)
    workspace, about = request.config_dict[WORKSPACE], request.query.get("about", "").strip()
    accounts = await list_accounts(workspace)
    who = next((account for account in accounts if account.username == about.lower()), None)
    before = request.query.get("before", "")
    entries = await list_entries(
        workspace,
        subject=_subject(about) if who is None and about else None,
        account=who.id if who else None,
        before=int(before) if before.isascii() and before.isdigit() and len(before) <= _LONGEST_ID else None,
    )
    named = {f"account:{account.id}": account.username for account in accounts}
    return page(
        request,
        "audit.html",
        entries=[(entry, _shown(entry.subject, named)) for entry in entries],
        details=_DETAILS,
        about=about,
        usernames=[account.username for account in accounts],
    )


def _subject(text: str) -> str:
    if _NUMBER.fullmatch(text.upper()):
        return f"filing:{text.upper()}"
    try:
        return f"conversation:{uuid.UUID(text)}"
    except ValueError:
        return text


def _shown(subject: str, named: Mapping[str, str]) -> str:
    kind, _, which = subject.partition(":")
    return _PAGES.get(subject) or f"{_SUBJECTS.get(kind, kind)} {named.get(subject, which)}".strip()
