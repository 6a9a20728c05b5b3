"""An application backend in memory, spoken to over HTTP as the contract has it: three forms, a few rules, and a switch."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.actions.fake_filings import FakeFilings, Refusal, applied

__all__ = ["FakeBackend"]

NIK = "3515085708909999"
_KECAMATAN = ("Candi", "Waru")
_HOMES = {"Sumokali": ("Candi",), "Janti": ("Tarik", "Waru")}
_SENSITIVE = ("nik", "kk_number", "phone")


def _field(identifier: str, kind: str, *, optional: bool = False, choices: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "id": identifier,
        "name": identifier.replace("_", " ").capitalize(),
        "type": kind,
        "optional": optional,
        "choices": [{"id": c.lower(), "title": c} for c in choices] or None,
    }


def _document(identifier: str, *, pages: int = 1, optional: bool = False) -> dict[str, Any]:
    return {
        "id": identifier,
        "name": identifier.replace("_", " ").capitalize(),
        "optional": optional,
        "condition": "bila menikah" if optional else None,
        "maximum_pages": pages,
    }


def _entry(identifier: str, mode: str, fields: list[dict[str, Any]], documents: list[dict[str, Any]]) -> dict[str, Any]:
    fact = {"text": "Rp 0 (gratis)", "unverified": False}
    return {
        "id": identifier,
        "name": identifier.replace("_", " ").capitalize(),
        "families": [],
        "mode": mode,
        "agency": "Kantor uji",
        "offices": ["dispendukcapil"],
        "power_of_attorney": "unless_family",
        "fields": fields,
        "documents": documents,
        "fee": fact,
        "time_limit": {"text": "3 hari kerja", "unverified": False},
        "steps": [{"text": "Bawa berkas asli saat mengambil surat di desa", "unverified": False}],
        "due_on_if_today": "2026-11-27",
    }


_ENTRIES = {
    entry["id"]: entry
    for entry in (
        _entry(
            "sk_umum",
            "permohonan",
            [_field("nik", "nik"), _field("nama", "name"), _field("hp", "phone"), _field("keperluan", "text")],
            [_document("buku_nikah", pages=4), _document("ktp"), _document("akta_cerai", optional=True)],
        ),
        _entry(
            "pengaduan",
            "pengaduan",
            [
                _field("jenis", "choice", choices=("Jalan", "Pungli")),
                _field("uraian", "text"),
                _field("lokasi", "location"),
            ],
            [_document("foto", pages=3, optional=True)],
        ),
        _entry("konsultasi_hukum", "staf", [_field("pertanyaan", "text")], []),
        _entry("paspor", "rujukan", [], []),
        _entry(
            "sk_domisili",
            "permohonan",
            [
                _field("kecamatan", "kecamatan", choices=_KECAMATAN),
                _field("desa", "desa"),
                _field("alamat", "address"),
            ],
            [],
        ),
    )
}
_HELPER = [_field("wakil_nama", "name"), _field("wakil_hp", "phone")]


@dataclass
class _Draft:
    id: str
    service: str
    contact: str
    helper: bool
    answers: dict[str, Any] = field(default_factory=dict)
    skipped: set[str] = field(default_factory=set)
    pages: dict[str, list[bytes]] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    known: dict[str, str] | None = None
    seen: dict[str, Any] = field(default_factory=dict)
    """message id → what it was answered"""
    number: str | None = None

    def items(self) -> list[dict[str, Any]]:
        entry = _ENTRIES[self.service]
        documents = [{**d, "type": "document", "choices": None} for d in entry["documents"]]
        fields = [{**f, "maximum_pages": None} for f in ([*_HELPER] if self.helper else []) + entry["fields"]]
        return [*fields, *documents]

    def view(self, ask: str | None = None) -> dict[str, Any]:
        done = {*self.answers, *self.skipped, *self.pages} - self.doubtful
        ahead = [item for item in self.items() if item["id"] not in done]
        item = next((i for i in self.items() if i["id"] == ask), None) or next(iter(ahead), None)
        return {
            "id": self.id,
            "service": self.service,
            "state": "submitted" if self.number else "open",
            "answers": self.answers,
            "documents": {
                key: {"pages": len(pages)}
                | (
                    {"status": "doubtful", "hint": "Fotonya agak buram."}
                    if key in self.doubtful
                    else {"status": "accepted"}
                )
                for key, pages in self.pages.items()
            },
            "next": item
            and {
                "field": item["id"],
                "type": item["type"],
                "question": f"Tanya {item['id']}?",
                "help": None,
                "choices": item["choices"],
                "optional": item["optional"],
            },
            "missing": [i["id"] for i in ahead if not i["optional"]],
            "items": self.items(),
            "on_behalf_of": "wakil" if self.helper else None,
            "known": self.known and {"number": "SDA-2611-7K4QXB", "submitted_on": "2026-11-01", "fields": self.known},
        }


@dataclass
class FakeBackend:
    down: bool = False
    fails: str | None = None
    """method that is in trouble"""
    drafts: dict[str, _Draft] = field(default_factory=dict)
    filings: dict[str, dict[str, Any]] = field(default_factory=dict)
    consents: dict[str, str] = field(default_factory=dict)
    known: dict[str, str] | None = None
    """what the next new draft knows already"""
    blurred: set[bytes] = field(default_factory=set)
    """photos that come out doubtful"""
    sent: FakeFilings = field(default_factory=FakeFilings)
    without_complaints: bool = False
    is_older: bool = False
    """refuses a duplicate until it is confirmed, unasked"""
    asked: list[tuple[str, bool]] = field(default_factory=list)
    """each GET's path, and whether it names the message"""
    hides_submission: bool = False
    """once: what is shown of a draft is from just before it was sent"""
    _ids: Any = field(default_factory=lambda: itertools.count(1))

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        return app

    async def _serve(self, request: web.Request) -> web.Response:
        if self.down or request.method == self.fails:
            return web.Response(status=503)
        raw = await request.read()
        is_file = request.method == "PUT"
        body = {} if is_file or not raw else json.loads(raw)
        try:
            answer = self._answer(request, body, raw)
        except Refusal as refusal:
            return web.json_response(refusal.body, status=refusal.status)
        return web.json_response(answer)

    def _answer(self, request: web.Request, body: Mapping[str, Any], raw: bytes) -> Any:
        path, proof = request.path.split("/")[3:], request.headers.get("Praja-Proof")
        message = request.headers.get("Praja-Message-Id")
        if request.method == "GET":
            self.asked.append(("/".join(path), message is not None))
        told = self.sent.answer(request.method, path, request.query.get("contact"), proof, message, body)
        if told is not None:
            return told
        match [request.method, *path]:
            case ["GET", "services"]:
                return {"services": [entry for entry in _ENTRIES.values() if entry["mode"] != "pengaduan"]}
            case ["GET", "services", service]:
                if service not in _ENTRIES or (self.without_complaints and service == "pengaduan"):
                    raise Refusal(404, "Layanan itu tidak ada.")
                return _ENTRIES[service]
            case ["GET", "people", contact]:
                given = {"at": "2026-11-24T10:00:00+07:00", "version": self.consents.get(contact)}
                return {
                    "drafts": len(self._open(contact)),
                    "files": sum(len(draft.pages) for draft in self._open(contact)),
                    "filings": self.sent.kept_of(contact),
                    "consent": given if contact in self.consents else None,
                }
            case ["POST", "consents"]:
                self.consents[body["contact"]] = body["version"]
                return {}
            case ["GET", "drafts"]:
                return {"drafts": [d.view() for d in self._open(request.query["contact"])]}
            case ["POST", "drafts"]:
                return self._open_draft(body).view()
            case ["DELETE", "drafts", draft]:
                _refuse_submitted(self._draft(draft))
                del self.drafts[draft]
                return {}
            case ["GET", "drafts", draft]:
                view = self._draft(draft).view(request.query.get("ask"))
                view["applied"] = applied(self._draft(draft).seen, message)
                if self.hides_submission:
                    self.hides_submission = False
                    return view | {"state": "open"}
                return view
            case ["PATCH", "drafts", draft]:
                return self._once(draft, body["message_id"], lambda d: self._change(d, body["field"], body["value"]))
            case ["PUT", "drafts", draft, "documents", key]:
                return self._once(draft, request.headers["Praja-Message-Id"], lambda d: self._add(d, key, raw))
            case ["POST", "drafts", draft, "contact"]:
                return self._move(self._draft(draft), body["contact"])
            case ["POST", "drafts", draft, "submit"]:
                confirmed = "Praja-Confirm-Duplicate" in request.headers
                refuses = not confirmed if self.is_older else "Praja-Refuse-Duplicate" in request.headers
                return self._submit(self._draft(draft), refuses)
        raise Refusal(404, "Tidak ada.")

    def _open(self, contact: str) -> list[_Draft]:
        return [d for d in self.drafts.values() if d.contact == contact and d.number is None]

    def _draft(self, draft: str) -> _Draft:
        if draft not in self.drafts:
            raise Refusal(404, "Draf itu tidak ada.")
        return self.drafts[draft]

    def _open_draft(self, body: Mapping[str, Any]) -> _Draft:
        helper = body.get("on_behalf_of") is not None
        if helper and body["service"] == "ktp_baru":
            raise Refusal(422, "Layanan ini tidak bisa diwakilkan.")
        existing = [d for d in self._open(body["contact"]) if (d.service, d.helper) == (body["service"], helper)]
        if existing:
            return existing[0]
        draft = _Draft(f"draf-{next(self._ids)}", body["service"], body["contact"], helper, known=self.known)
        self.drafts[draft.id] = draft
        return draft

    def _once(self, identifier: str, message_id: str, change: Any) -> Any:
        draft = self._draft(identifier)
        if message_id not in draft.seen:
            _refuse_submitted(draft)
            change(draft)
            draft.seen[message_id] = json.loads(json.dumps(draft.view()))
        return draft.seen[message_id]

    def _change(self, draft: _Draft, key: str, value: str | None) -> None:
        if key == "pakai_data":
            if value == "ya":
                draft.answers |= {"nik": NIK, "nama": "Siti Aminah"}
            draft.known = None
            return
        item = next(i for i in draft.items() if i["id"] == key)
        if item["type"] == "document":
            if value == "pakai":
                draft.doubtful.discard(key)
            else:
                draft.pages.pop(key, None)
                draft.doubtful.discard(key)
                if item["optional"]:
                    draft.skipped.add(key)
            return
        if item["type"] == "kecamatan" and value is not None and value.title() not in _KECAMATAN:
            homes = _HOMES.get(value.title(), ())
            if len(homes) != 1:
                raise Refusal(422, f"Ada di {' dan '.join(homes)}." if homes else "Tidak ada kecamatan bernama itu.")
            draft.answers |= {"kecamatan": homes[0], "desa": value.title()}
            return
        if value is None:
            draft.skipped.add(key)
        elif item["type"] == "nik" and len(value) != 16:
            raise Refusal(422, f"NIK harus 16 angka, yang ditulis {len(value)} angka.")
        else:
            draft.answers[key] = value

    def _add(self, draft: _Draft, key: str, content: bytes) -> None:
        if content.startswith(b"MZ"):
            raise Refusal(422, "Kirim foto atau PDF.")
        if key in draft.doubtful:
            draft.pages[key].pop()
            draft.doubtful.discard(key)
        draft.pages.setdefault(key, []).append(content)
        draft.skipped.discard(key)
        if content in self.blurred:
            draft.doubtful.add(key)

    def _move(self, draft: _Draft, contact: str) -> dict[str, Any]:
        _refuse_submitted(draft)
        if any(d.service == draft.service for d in self._open(contact)):
            raise Refusal(409, "Sudah ada draf layanan itu.")
        draft.contact = contact
        return draft.view()

    def _submit(self, draft: _Draft, refuse_duplicate: bool) -> dict[str, Any]:
        if draft.number:
            return self.filings[draft.number]
        same = [n for n, f in self.filings.items() if f["nik"] and f["nik"] == draft.answers.get("nik")]
        if same and refuse_duplicate:
            raise Refusal(409, "Masih berjalan.", number=same[0])
        draft.number = f"SDA-2611-{next(self._ids):05d}X"
        self.filings[draft.number] = {
            "number": draft.number,
            "service": draft.service,
            "mode": _ENTRIES[draft.service]["mode"],
            "state": "MENUNGGU",
            "submitted_at": "2026-11-24T10:00:00+07:00",
            "due_on": "2026-11-27",
            "office": "Desa Suko",
            "nik": draft.answers.get("nik"),
        }
        return self.filings[draft.number]


def _refuse_submitted(draft: _Draft) -> None:
    if draft.number:
        raise Refusal(409, "Permohonan ini sudah dikirim, jadi tidak bisa diubah lagi.")
