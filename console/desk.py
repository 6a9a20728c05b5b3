"""The desk: what waits, one conversation with all that is known of it, and what an officer does with it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from aiohttp import web

from bot.attachments import Attachment
from bot.desk import listing, presence, speech, states
from bot.desk.listing import View
from bot.desk.offer import offer
from bot.desk.officer import DeskRefused, Officer
from bot.desk.packet import packet
from bot.desk.review import review
from bot.desk.transcript import file, transcript
from bot.files import LARGEST_FILE
from console.access import Forbidden, access_board
from console.accounts import Account, Role, list_accounts
from console.audit import Act, record
from console.backend import BackendDown, BackendRefused, Draft, Filing, ListedService
from console.filings import STATES, name_of_service
from console.protection import WORKSPACE, page, sent_file, signed_in
from console.replies import fill
from console.workspace import Workspace

__all__ = ["officer_of", "routes"]

_MOST_SHOWN = 50
"""conversations in the list beside the one that is open; who wants more filters by agency, and the board has all"""
_VIEWS = {"queued": "Menunggu", "mine": "Milik saya", "all": "Semua"}
_FILED = "permohonan"
"""mode of the services that can be filed in a conversation"""


def routes() -> list[web.RouteDef]:
    one = "/percakapan/{id}"
    return [
        web.get("/", _show_queue, name="home"),
        web.get("/antrean", _queue, name="queue"),
        web.get(one, _show, name="conversation"),
        web.get(one + "/naskah", _transcript, name="transcript"),
        web.get(one + "/berkas/{file}", _file, name="conversation_file"),
        web.post(one + "/ambil", _claim, name="claim"),
        web.post(one + "/lepas", _release, name="release"),
        web.post(one + "/alihkan", _transfer, name="transfer"),
        web.post(one + "/serahkan", _hand_over, name="hand_over"),
        web.post(one + "/tugaskan", _reassign, name="reassign"),
        web.post(one + "/tutup", _close, name="close"),
        web.post(one + "/balas", _say, name="say"),
        web.post(one + "/ulangi/{message}", _retry, name="retry"),
        web.post(one + "/catat", _note, name="note"),
        web.post(one + "/tawarkan", _offer, name="offer"),
        web.post(one + "/mutu", _review, name="quality"),
        web.post(one + "/mengetik", _typing, name="typing"),
        web.post(one + "/buka", _reveal, name="conversation_reveal"),
        web.post("/hadir", _come, name="presence"),
    ]


def officer_of(account: Account) -> Officer:
    return Officer(str(account.id), account.name, None if account.role is Role.ADMIN else frozenset(account.agencies))


# What is shown.


async def _show_queue(request: web.Request) -> web.Response:
    return page(request, "desk.html", conversation=None, **await _queue_values(request))


async def _queue(request: web.Request) -> web.Response:
    return page(request, "queue.html", current=request.query.get("current", ""), **await _queue_values(request))


async def _queue_values(request: web.Request, usual: View = "queued") -> dict[str, Any]:
    """`usual` is the view where the address names none."""
    room, officer = request.config_dict[WORKSPACE].room, officer_of(signed_in(request).account)
    view: View = next((known for known in get_args(View) if known == request.query.get("view")), usual)
    agency = request.query.get("agency") or None
    items = await listing.listing(
        room, officer, view=view, agency=agency if agency and agency in room.agencies else None, most=_MOST_SHOWN
    )
    now = room.store.clock()
    return {
        "view": view,
        "views": _VIEWS,
        "agency": agency or "",
        "items": [
            (item, room.standard.judge(room.agencies[item.agency].hours, item.waiting_since, now)[1]) for item in items
        ],
        "counts": await listing.counts(room, officer),
        "officer": officer.id,
        "is_cut": len(items) == _MOST_SHOWN,
    }


async def _show(request: web.Request) -> web.Response:
    return await _conversation_page(request)


async def _conversation_page(request: web.Request, problem: str | None = None, status: int = 200) -> web.Response:
    workspace, me, conversation = _asked(request)
    room, officer = workspace.room, officer_of(me)
    await record(workspace, me.id, Act.READ, f"conversation:{conversation}")
    about = await packet(room, officer, conversation)
    known = await _known(workspace, about.contact, about.service)
    return page(
        request,
        "desk.html",
        status=status,
        conversation=conversation,
        about=about,
        lines=await transcript(room, officer, conversation),
        window=await speech.window(room, officer, conversation),
        known=known,
        states=STATES,
        agencies=room.agencies.all(),
        colleagues=[one for one in await presence.on_duty(room) if one.officer != officer.id],
        accounts=[one for one in await list_accounts(workspace) if not one.is_disabled] if _supervises(me) else [],
        replies=fill(
            workspace.replies,
            {
                "petugas": me.name,
                "layanan": known.names.get(about.service or ""),
                "nomor": known.filings[0].number if known.filings else None,
            },
        ),
        supervises=_supervises(me),
        holder=await presence.name_of(room, about.officer) if about.officer else None,
        problem=problem,
        **await _queue_values(request, "mine" if about.officer == officer.id else "queued"),
    )


@dataclass(frozen=True)
class _Known:
    """What the backend knows of the citizen."""

    filings: Sequence[Filing] | None
    """None: it doesn't answer"""
    drafts: Sequence[Draft]
    names: Mapping[str, str]
    """of services and forms"""
    fileable: Sequence[ListedService]


async def _known(workspace: Workspace, contact: str, service: str | None) -> _Known:
    backend = workspace.backend
    try:
        (filings, _), drafts, listed = await asyncio.gather(
            backend.filings(contact=contact), backend.drafts(contact), backend.services()
        )
        names = {entry.id: entry.name for entry in listed}
        for found in {service, *(f.service for f in filings), *(d.service for d in drafts)} - {None, *names}:
            names[str(found)] = await name_of_service(workspace, str(found))
    except (BackendDown, BackendRefused):
        return _Known(None, (), {}, ())
    return _Known(filings, drafts, names, [entry for entry in listed if entry.mode == _FILED])


async def _transcript(request: web.Request) -> web.Response:
    return await _transcript_part(request, reveal=False)


async def _reveal(request: web.Request) -> web.Response:
    workspace, me, conversation = _asked(request)
    await record(workspace, me.id, Act.UNMASKED, f"conversation:{conversation}")
    return await _transcript_part(request, reveal=True)


async def _transcript_part(request: web.Request, *, reveal: bool) -> web.Response:
    workspace, me, conversation = _asked(request)
    officer = officer_of(me)
    about = await packet(workspace.room, officer, conversation)
    lines = await transcript(workspace.room, officer, conversation, reveal=reveal)
    return page(request, "transcript.html", conversation=conversation, about=about, lines=lines, officer=officer.id)


async def _file(request: web.Request) -> web.Response:
    workspace, me, conversation = _asked(request)
    await record(workspace, me.id, Act.SAW_DOCUMENT, f"conversation:{conversation}")
    found = await file(workspace.room, officer_of(me), conversation, _identifier(request, "file"))
    return sent_file(found.content_type, found.content)


# What is done: each gives the page as it is then, or says on it why not.


async def _claim(request: web.Request) -> web.Response:
    return await _do(request, Act.CLAIMED, lambda w, o, c: states.claim(w.room, o, c))


async def _release(request: web.Request) -> web.Response:
    note = await _field(request, "note")
    return await _do(request, Act.RELEASED, lambda w, o, c: states.release(w.room, o, c, note or None))


async def _transfer(request: web.Request) -> web.Response:
    agency, note = await _field(request, "agency"), await _field(request, "note")
    return await _do(request, Act.TRANSFERRED, lambda w, o, c: states.transfer(w.room, o, c, agency=agency, note=note))


async def _hand_over(request: web.Request) -> web.Response:
    colleague, note = await _colleague(request), await _field(request, "note")
    if colleague is None:
        return await _conversation_page(request, "Pilih dulu rekan yang menerima.", 422)
    return await _do(
        request, Act.TRANSFERRED, lambda w, o, c: states.hand_to(w.room, o, c, colleague=colleague, note=note)
    )


async def _reassign(request: web.Request) -> web.Response:
    access_board(signed_in(request).account)
    colleague, note = await _colleague(request), await _field(request, "note")
    return await _do(
        request, Act.TRANSFERRED, lambda w, o, c: states.reassign(w.room, o, c, colleague=colleague, note=note)
    )


async def _close(request: web.Request) -> web.Response:
    note = await _field(request, "note")
    return await _do(request, Act.CLOSED, lambda w, o, c: states.close(w.room, o, c, note=note or None))


async def _say(request: web.Request) -> web.Response:
    form = await request.post()
    text, as_template = str(form.get("text", "")), "template" in form
    given, attachment = form.get("file"), None
    if isinstance(given, web.FileField) and given.filename:
        content = given.file.read(LARGEST_FILE + 1)
        attachment = Attachment(given.filename[-200:], given.content_type, content)
    return await _do(
        request,
        Act.SAID,
        lambda w, o, c: speech.say(w.room, o, c, text, attachment=attachment, as_template=as_template),
    )


async def _retry(request: web.Request) -> web.Response:
    message, as_template = request.match_info["message"], "template" in await request.post()
    if not message.isascii() or not message.isdigit() or len(message) > 18:
        raise web.HTTPNotFound(text="Pesan itu tidak ada.")
    return await _do(
        request, Act.SAID, lambda w, o, c: speech.retry(w.room, o, c, int(message), as_template=as_template)
    )


async def _note(request: web.Request) -> web.Response:
    text = await _field(request, "note")
    return await _do(request, Act.NOTED, lambda w, o, c: speech.note(w.room, o, c, text))


async def _offer(request: web.Request) -> web.Response:
    workspace, service = request.config_dict[WORKSPACE], await _field(request, "service")
    try:
        name = (await workspace.backend.names()).get(service) or await name_of_service(workspace, service)
    except (BackendDown, BackendRefused):
        return await _conversation_page(request, "Sistem pencatatan sedang tidak menjawab. Coba lagi nanti.", 503)
    if name == service:
        return await _conversation_page(request, "Pilih dulu layanannya.", 422)
    return await _do(request, Act.OFFERED, lambda w, o, c: offer(w.room, o, c, service=service, name=name))


async def _review(request: web.Request) -> web.Response:
    access_board(signed_in(request).account)
    text = await _field(request, "note")
    return await _do(request, Act.REVIEWED, lambda w, o, c: review(w.room, o, c, text))


async def _typing(request: web.Request) -> web.Response:
    workspace, me, conversation = _asked(request)
    try:
        await speech.typing(workspace.room, officer_of(me), conversation)
    except DeskRefused:
        return web.Response(status=409)
    return web.Response(status=204)


async def _come(request: web.Request) -> web.Response:
    workspace, me = request.config_dict[WORKSPACE], signed_in(request).account
    available = await _field(request, "available") != "no"
    await presence.come(workspace.room, officer_of(me), available=available)
    return web.Response(status=204)


async def _do(
    request: web.Request, act: Act, do: Callable[[Workspace, Officer, uuid.UUID], Awaitable[object]]
) -> web.Response:
    workspace, me, conversation = _asked(request)
    await record(workspace, me.id, act, f"conversation:{conversation}")
    try:
        await do(workspace, officer_of(me), conversation)
    except DeskRefused as refused:
        return await _conversation_page(request, refused.sentence, 409)
    return web.Response(status=303, headers={"Location": f"/console/percakapan/{conversation}"})


def _asked(request: web.Request) -> tuple[Workspace, Account, uuid.UUID]:
    return request.config_dict[WORKSPACE], signed_in(request).account, _identifier(request, "id")


def _identifier(request: web.Request, name: str) -> uuid.UUID:
    try:
        return uuid.UUID(request.match_info[name])
    except ValueError:
        raise web.HTTPNotFound(text="Percakapan itu tidak ada.") from None


async def _field(request: web.Request, name: str) -> str:
    return str((await request.post()).get(name, "")).strip()[:2000]


async def _colleague(request: web.Request) -> Officer | None:
    """An account that is there and active, by its id."""
    wanted = await _field(request, "colleague")
    accounts = await list_accounts(request.config_dict[WORKSPACE])
    return next((officer_of(one) for one in accounts if str(one.id) == wanted and not one.is_disabled), None)


def _supervises(account: Account) -> bool:
    try:
        access_board(account)
    except Forbidden:
        return False
    return True
