"""A district's own backend that has what `backend-api.md` names and nothing else: no other path, no other key."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.actions.fake_filings import issued

__all__ = ["ContractBackend"]

_JOBS = [{"id": "tani", "title": "Petani"}, {"id": "nelayan", "title": "Nelayan"}]
_ASKED: Mapping[str, Mapping[str, Any]] = {
    "nik": {"type": "nik", "question": "Berapa NIK-nya?"},
    "nama": {"type": "name", "question": "Nama lengkap sesuai KK?"},
    "pekerjaan": {"type": "choice", "question": "Pekerjaannya?", "choices": _JOBS},
    "kk": {"type": "document", "question": "Kirim foto KK."},
    "agama": {"type": "choice", "question": "Agamanya?", "choices": ["Islam", "Hindu"]},
    "kecamatan": {"type": "kecamatan", "question": "Kecamatan apa?"},
    "ktp": {"type": "document", "question": "Kirim foto KTP."},
    "pertanyaan": {"type": "text", "question": "Apa pertanyaannya?"},
}
_FORMS = {
    "sktm": ["nik", "nama", "pekerjaan", "kk"],
    "sk_umum": ["nik", "nama", "agama", "kecamatan"],
    "sk_usaha": ["nama", "ktp"],
    "konsultasi_hukum": ["pertanyaan"],
}
_LISTED = [
    {"id": "sktm", "name": "SKTM", "families": ["sktm"], "mode": "permohonan", "agency": "Kelurahan"},
    {"id": "sk_umum", "name": "Keterangan umum", "families": [], "mode": "permohonan", "agency": "Desa"},
    {"id": "sk_usaha", "name": "SK Usaha", "families": [], "mode": "permohonan", "agency": "Desa"},
    {"id": "konsultasi_hukum", "name": "Tanya hukum", "families": [], "mode": "staf", "agency": "Bagian Hukum"},
    {"id": "paspor", "name": "Paspor", "families": [], "mode": "rujukan", "agency": "Imigrasi"},
]
_ENTRIES: Mapping[str, Mapping[str, Any]] = {
    "sktm": {
        **_LISTED[0],
        "fields": [
            {"id": "nik", "name": "NIK", "type": "nik"},
            {"id": "nama", "name": "Nama lengkap", "type": "name", "question": "Nama lengkap sesuai KK?"},
            {"id": "pekerjaan", "name": "Pekerjaan", "type": "choice", "choices": _JOBS},
            {"id": "suami", "name": "Nama suami", "type": "name"},
        ],
        "documents": [{"id": "kk", "name": "Kartu Keluarga"}],
    },
    "sk_umum": {
        "id": "sk_umum",
        "nama": "Keterangan umum",
        "isian": "nik,nama,kecamatan",
        "dokumen": "KTP; KK",
        "biaya": "Rp0",
        "documents": "KTP; KK",
        "requirements": "KTP dan KK",
        "fee": {"rupiah": 0},
        "time_limit": "1 hari",
    },
    "sk_usaha": _LISTED[2],
    "konsultasi_hukum": {**_LISTED[3], "fields": [{"id": "pertanyaan", "name": "Pertanyaan", "type": "text"}]},
    "paspor": _LISTED[4],
}
"""Of "the whole catalogue entry" the contract says no more: each district's has a shape of its own."""
_CANCELLABLE = ("MENUNGGU", "DIPROSES", "PERLU_PERBAIKAN")


@dataclass
class _Draft:
    id: str
    service: str
    contact: str
    answers: dict[str, str] = field(default_factory=dict)
    documents: dict[str, bytes] = field(default_factory=dict)
    seen: dict[str, Any] = field(default_factory=dict)
    """message id → what it was answered"""
    number: str | None = None

    def missing(self) -> list[str]:
        return [item for item in _FORMS[self.service] if item not in {*self.answers, *self.documents}]

    def view(self) -> dict[str, Any]:
        ahead = next(iter(self.missing()), None)
        asked = {"field": ahead, "help": None, "choices": None, "optional": False}
        return {
            "id": self.id,
            "service": self.service,
            "state": "open",
            "answers": dict(self.answers),
            "documents": {key: {"pages": 1, "status": "accepted"} for key in self.documents},
            "next": {**asked, **_ASKED[ahead]} if ahead else None,
            "missing": self.missing(),
            "expires_at": "2026-12-01T10:00:00+07:00",
        }


@dataclass
class ContractBackend:
    drafts: dict[str, _Draft] = field(default_factory=dict)
    """open ones"""
    filings: dict[str, dict[str, Any]] = field(default_factory=dict)
    results: dict[str, bytes] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    """services of the catalogue that are no more"""
    lists_bare: bool = False
    """drafts are listed without an object around them"""
    _owners: dict[str, str] = field(default_factory=dict)
    _submitted: dict[str, _Draft] = field(default_factory=dict)
    _ids: Any = field(default_factory=lambda: itertools.count(1))

    def app(self) -> web.Application:
        app = web.Application()
        root = "/api/v1"
        app.add_routes(
            [
                web.get(f"{root}/services", self._services),
                web.get(f"{root}/services/{{id}}", self._service),
                web.post(f"{root}/drafts", self._open),
                web.get(f"{root}/drafts", self._list_drafts),
                web.get(f"{root}/drafts/{{id}}", self._show_draft),
                web.patch(f"{root}/drafts/{{id}}", self._answer),
                web.put(f"{root}/drafts/{{id}}/documents/{{key}}", self._put_document),
                web.delete(f"{root}/drafts/{{id}}", self._delete),
                web.post(f"{root}/drafts/{{id}}/submit", self._submit),
                web.get(f"{root}/filings", self._list_filings),
                web.get(f"{root}/filings/{{number}}", self._show_filing),
                web.post(f"{root}/filings/{{number}}/corrections", self._correct),
                web.post(f"{root}/filings/{{number}}/cancel", self._cancel),
                web.get(f"{root}/filings/{{number}}/result", self._result),
            ]
        )
        return app

    def move(self, number: str, state: str, note: str | None = None, fix: list[dict[str, str]] | None = None) -> None:
        """What an officer does."""
        filing = self.filings[number]
        entry = {"at": "2026-11-25T10:00:00+07:00", "state": state, "office": "Kelurahan Sidokare", "note": note}
        filing |= {"state": state, "fix": fix, "chronology": [*filing["chronology"], entry]}

    def finish(self, number: str, document: bytes, result: Any) -> None:
        """With `result` as whatever the filing shows of it."""
        self.move(number, "SELESAI")
        self.filings[number]["result"] = result
        self.results[number] = document

    async def _services(self, request: web.Request) -> web.Response:
        return web.json_response({"services": _LISTED})

    async def _service(self, request: web.Request) -> web.Response:
        service = request.match_info["id"]
        if service not in _ENTRIES or service in self.ended:
            raise _problem(404, "Layanan itu tidak ada.")
        return web.json_response(_ENTRIES[service])

    async def _open(self, request: web.Request) -> web.Response:
        body = await request.json()
        draft = _Draft(f"draf-{next(self._ids)}", body["service"], body["contact"])
        self.drafts[draft.id] = draft
        return web.json_response(draft.view(), status=201)

    async def _list_drafts(self, request: web.Request) -> web.Response:
        views = [draft.view() for draft in self.drafts.values() if draft.contact == request.query["contact"]]
        return web.json_response(views if self.lists_bare else {"drafts": views})

    async def _show_draft(self, request: web.Request) -> web.Response:
        return web.json_response(self._draft(request).view())

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.json()
        draft, key, value = self._draft(request), body["field"], body["value"]
        if body["message_id"] not in draft.seen:
            if key not in _FORMS[draft.service] or value is None or _ASKED[key]["type"] == "document":
                raise _problem(422, "Isian itu tidak diminta.", field=key)
            if key == "nik" and len(value) != 16:
                raise _problem(422, "NIK harus 16 angka.", field=key)
            draft.answers[key] = value.title() if key == "kecamatan" else value
            draft.seen[body["message_id"]] = draft.view()
        return web.json_response(draft.seen[body["message_id"]])

    async def _put_document(self, request: web.Request) -> web.Response:
        draft, message = self._draft(request), request.headers["Praja-Message-Id"]
        if message not in draft.seen:
            draft.documents[request.match_info["key"]] = await request.read()
            draft.seen[message] = draft.view()
        return web.json_response(draft.seen[message])

    async def _delete(self, request: web.Request) -> web.Response:
        del self.drafts[self._draft(request).id]
        return web.Response(status=204)

    async def _submit(self, request: web.Request) -> web.Response:
        identifier = request.match_info["id"]
        if identifier in self._submitted:
            return web.json_response(self.filings[self._submitted[identifier].number or ""])
        draft = self._draft(request)
        if draft.missing():
            raise _problem(409, "Belum lengkap.", missing=draft.missing())
        draft.number = issued(f"{next(self._ids):05d}")
        self._submitted[identifier] = self.drafts.pop(identifier)
        self._owners[draft.number] = draft.contact
        self.filings[draft.number] = _filing(draft)
        return web.json_response(self.filings[draft.number], status=201)

    async def _list_filings(self, request: web.Request) -> web.Response:
        contact = request.query["contact"]
        mine = [filing for number, filing in self.filings.items() if self._owners[number] == contact]
        return web.json_response({"filings": mine[::-1], "next": None})

    async def _show_filing(self, request: web.Request) -> web.Response:
        return web.json_response(self._own(request))

    async def _correct(self, request: web.Request) -> web.Response:
        filing, body = self._own(request), await request.json()
        named = {key: body[key] for key in ("field", "document") if key in body}
        left = [flaw for flaw in filing["fix"] or () if not named.items() <= flaw.items()]
        if len(left) == len(filing["fix"] or ()):
            raise _problem(409, "Itu tidak diminta.")
        filing["fix"] = left or None
        filing["state"] = "PERLU_PERBAIKAN" if left else "MENUNGGU"
        return web.json_response(filing)

    async def _cancel(self, request: web.Request) -> web.Response:
        filing = self._own(request)
        if filing["state"] not in _CANCELLABLE:
            raise _problem(409, "Sudah terlambat.")
        filing["state"] = "DIBATALKAN"
        return web.json_response(filing)

    async def _result(self, request: web.Request) -> web.Response:
        number = self._own(request)["number"]
        if number not in self.results:
            raise _problem(404, "Hasilnya belum ada.")
        return web.Response(body=self.results[number])

    def _draft(self, request: web.Request) -> _Draft:
        draft = self.drafts.get(request.match_info["id"])
        if draft is None:
            raise _problem(404, "Draf itu tidak ada.")
        return draft

    def _own(self, request: web.Request) -> dict[str, Any]:
        number = request.match_info["number"]
        if self._owners.get(number) != request.query.get("contact"):
            raise _problem(403, "Sebutkan empat angka terakhir NIK.")
        return self.filings[number]


def _filing(draft: _Draft) -> dict[str, Any]:
    at = "2026-11-24T10:00:00+07:00"
    return {
        "number": draft.number,
        "service": draft.service,
        "state": "MENUNGGU",
        "submitted_at": at,
        "due_on": "2026-11-27",
        "office": "Kelurahan Sidokare",
        "applicant": {"name": "Siti A.", "nik": "3515••••••••9999"},
        "chronology": [{"at": at, "state": "MENUNGGU", "office": "Kelurahan Sidokare", "note": None}],
        "fix": None,
        "result": None,
    }


def _problem(status: int, detail: str, **more: Any) -> web.HTTPException:
    error = web.HTTPClientError(
        text=json.dumps({"type": "about:blank", "status": status, "detail": detail, **more}),
        content_type="application/problem+json",
    )
    error.set_status(status)
    return error
