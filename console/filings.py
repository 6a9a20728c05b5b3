"""Filings at the desk: the list, one filing with its documents, and the steps an officer takes with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiohttp import web

from console.access import access_agency, may_access_agency
from console.accounts import Account
from console.audit import Act, record
from console.backend import BackendRefused, Filing, ServiceEntry
from console.protection import WORKSPACE, page, sent_file, signed_in
from console.workspace import Workspace

__all__ = ["FILED", "STATES", "name_of_service", "routes"]

STATES: Mapping[str, str] = {
    "MENUNGGU": "menunggu diperiksa",
    "DIPROSES": "diproses",
    "PERLU_PERBAIKAN": "perlu diperbaiki",
    "DITOLAK": "ditolak",
    "DISETUJUI": "disetujui",
    "SELESAI": "selesai",
    "DIBATALKAN": "dibatalkan",
}
_TONES: Mapping[str, str] = {
    "MENUNGGU": "amber",
    "PERLU_PERBAIKAN": "amber",
    "DITOLAK": "red",
    "SELESAI": "green",
    "DISETUJUI": "green",
}
_STEPS: Mapping[str, Sequence[tuple[str, str]]] = {
    "MENUNGGU": (("DIPROSES", "Mulai proses"),),
    "DIPROSES": (("DISETUJUI", "Setujui"), ("PERLU_PERBAIKAN", "Minta perbaikan"), ("DITOLAK", "Tolak")),
    "DISETUJUI": (("SELESAI", "Selesai"),),
}
"""What the page offers; what is allowed is the backend's to say."""
_ANSWERS: Mapping[str, Sequence[tuple[str, str]]] = {
    "MENUNGGU": (("DIPROSES", "Mulai proses"),),
    "DIPROSES": (("SELESAI", "Jawab dan selesaikan"), ("PERLU_PERBAIKAN", "Minta perbaikan"), ("DITOLAK", "Tolak")),
}
"""The same for complaints and questions, which end with an answer and not with a document."""
FILED = "permohonan"
"""mode of what ends with a document"""
_ENOUGH = 20
"""filings on a page, where so many are found"""
_MOST_PAGES = 5
"""of the backend's that are looked through for them"""


def routes() -> list[web.RouteDef]:
    return [
        web.get("/permohonan", _list, name="filings"),
        web.get("/permohonan/{number}", _show, name="filing"),
        web.post("/permohonan/{number}/status", _move, name="filing_move"),
        web.post("/permohonan/{number}/hasil", _upload, name="filing_result_post"),
        web.get("/permohonan/{number}/hasil", _result, name="filing_result"),
        web.post("/permohonan/{number}/buka", _reveal, name="filing_reveal"),
        web.get("/permohonan/{number}/dokumen/{key}/{page}", _document, name="filing_document"),
    ]


async def _list(request: web.Request) -> web.Response:
    workspace, me = request.config_dict[WORKSPACE], signed_in(request).account
    await record(workspace, me.id, Act.READ, "filings")
    state, service = request.query.get("state") or None, request.query.get("service") or None
    mine, after = await _of_mine(
        workspace, me, state if state in STATES else None, service, request.query.get("after") or None
    )
    names = await workspace.backend.names()
    return page(
        request,
        "filings.html",
        filings=mine,
        states=STATES,
        tones=_TONES,
        names=names | {entry.id: entry.name for _, entry in mine},
        state=state or "",
        service=service or "",
        after=after,
        today=workspace.today(),
    )


async def _of_mine(
    workspace: Workspace, me: Account, state: str | None, service: str | None, after: str | None
) -> tuple[Sequence[tuple[Filing, ServiceEntry]], str | None]:
    """A page of those that the account may see, and where the next begins: of one desa they are few among many."""
    mine: list[tuple[Filing, ServiceEntry]] = []
    for _ in range(_MOST_PAGES):
        found, after = await workspace.backend.filings(state=state, service=service, after=after)
        for filing in found:
            entry = await _entry(workspace, filing.service)
            if _is_mine(workspace, me, filing, entry):
                mine.append((filing, entry))
        if after is None or len(mine) >= _ENOUGH:
            break
    return mine, after


async def _show(request: web.Request) -> web.Response:
    return await _filing_page(request)


async def _move(request: web.Request) -> web.Response:
    workspace, me = request.config_dict[WORKSPACE], signed_in(request).account
    filing, entry = await _mine(request)
    form = await request.post()
    to = str(form.get("to", ""))
    note = " ".join(filter(None, (str(form.get("reason", "")).strip(), str(form.get("note", "")).strip())))
    if filing.mode != FILED and to == "SELESAI" and not note:
        return await _filing_page(request, "Tulis jawaban untuk warga.", 422)
    fix: list[Mapping[str, str]] = []
    if to == "PERLU_PERBAIKAN":
        fix = [
            {kind: item, "reason": note}
            for kind, known in (("field", entry.fields), ("document", entry.documents))
            for item in map(str, form.getall(f"{kind}s", []))
            if item in known
        ]
        if not fix or not note:
            return await _filing_page(request, "Pilih apa yang perlu diperbaiki, dan tulis alasannya.", 422)
    await record(workspace, me.id, Act.MOVED, f"filing:{filing.number}", to=to)
    try:
        await workspace.backend.move(filing.number, to, note, me.username, fix)
    except BackendRefused as refused:
        return await _filing_page(request, str(refused), 409)
    return _back(filing.number)


async def _upload(request: web.Request) -> web.Response:
    workspace, me = request.config_dict[WORKSPACE], signed_in(request).account
    filing, _ = await _mine(request)
    given = (await request.post()).get("file")
    if not isinstance(given, web.FileField):
        return await _filing_page(request, "Pilih dulu berkas hasilnya.", 422)
    content = given.file.read()
    await record(workspace, me.id, Act.UPLOADED, f"filing:{filing.number}", size=len(content))
    try:
        await workspace.backend.put_result(filing.number, content)
    except BackendRefused as refused:
        return await _filing_page(request, str(refused), 422)
    return _back(filing.number)


async def _result(request: web.Request) -> web.Response:
    filing, _ = await _mine(request)
    return await _file(request, filing, f"/filings/{filing.number}/result", "hasil")


async def _document(request: web.Request) -> web.Response:
    filing, entry = await _mine(request)
    key, number = request.match_info["key"], request.match_info["page"]
    if key not in entry.documents or not number.isdecimal():
        raise web.HTTPNotFound(text="Dokumen itu tidak ada.")
    return await _file(request, filing, f"/filings/{filing.number}/documents/{key}/{number}", f"{key}/{number}")


async def _reveal(request: web.Request) -> web.Response:
    """The one audited act by which a masked number is shown, to one person and once."""
    workspace, me = request.config_dict[WORKSPACE], signed_in(request).account
    filing, _ = await _mine(request)
    field = str((await request.post()).get("field", ""))
    await record(workspace, me.id, Act.UNMASKED, f"filing:{filing.number}", field=field[:60])
    dossier = await workspace.backend.dossier(filing.number, reveal=field)
    shown = next((answer for answer in dossier.answers if answer.field == field), None)
    if shown is None:
        raise web.HTTPNotFound(text="Isian itu tidak ada.")
    return web.Response(text=workspace.pages.render("revealed.html", {"value": shown.value}), content_type="text/html")


async def _file(request: web.Request, filing: Filing, path: str, what: str) -> web.Response:
    workspace, me = request.config_dict[WORKSPACE], signed_in(request).account
    await record(workspace, me.id, Act.SAW_DOCUMENT, f"filing:{filing.number}", document=what)
    try:
        content_type, content = await workspace.backend.file(path)
    except BackendRefused as refused:
        raise web.HTTPNotFound(text=str(refused)) from None
    return sent_file(content_type, content)


async def _filing_page(request: web.Request, problem: str | None = None, status: int = 200) -> web.Response:
    workspace, me = request.config_dict[WORKSPACE], signed_in(request).account
    filing, entry = await _mine(request)
    await record(workspace, me.id, Act.READ, f"filing:{filing.number}")
    dossier = await workspace.backend.dossier(filing.number)
    return page(
        request,
        "filing.html",
        status=status,
        filing=filing,
        entry=entry,
        dossier=dossier,
        steps=(_STEPS if filing.mode == FILED else _ANSWERS).get(filing.state, ()),
        has_result=filing.mode == FILED,
        states=STATES,
        tones=_TONES,
        reasons=workspace.reasons,
        problem=problem,
        today=workspace.today(),
    )


async def _mine(request: web.Request) -> tuple[Filing, ServiceEntry]:
    """The filing that the address names, of the account's agencies. Raises Forbidden, and HTTPNotFound."""
    workspace, me = request.config_dict[WORKSPACE], signed_in(request).account
    try:
        filing = await workspace.backend.filing(request.match_info["number"])
    except BackendRefused as refused:
        raise web.HTTPNotFound(text=str(refused)) from None
    entry = await _entry(workspace, filing.service)
    if not _is_mine(workspace, me, filing, entry):
        access_agency(me, workspace.agencies.at(entry.offices[0], filing.place))
    return filing, entry


async def _entry(workspace: Workspace, service: str) -> ServiceEntry:
    try:
        return await workspace.backend.service(service)
    except BackendRefused:
        # Withdrawn from the catalogue while filings of it are open: an admin's matter.
        return ServiceEntry(service, service, ("?",), {}, {})


async def name_of_service(workspace: Workspace, service: str) -> str:
    """Of a service or a form; the id itself where there is none of it. Raises BackendDown."""
    return (await _entry(workspace, service)).name


def _is_mine(workspace: Workspace, me: Account, filing: Filing, entry: ServiceEntry) -> bool:
    return any(may_access_agency(me, workspace.agencies.at(office, filing.place)) for office in entry.offices)


def _back(number: str) -> web.Response:
    return web.Response(status=303, headers={"Location": f"/console/permohonan/{number}"})
