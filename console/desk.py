"""One conversation at the desk, with all that is known of it, and what an officer does with it."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.attachments import Attachment
from bot.desk import presence, speech, states
from bot.desk.offer import offer
from bot.desk.officer import DeskRefused, Officer
from bot.desk.packet import packet
from bot.desk.review import review
from bot.desk.transcript import file, transcript
from bot.files import LARGEST_FILE
from console.access import access_board, may_access_board
from console.accounts import Account
from console.audit import Act, record, record_look
from console.backend import BackendDown, BackendRefused
from console.citizen import known_services
from console.filings import FILED, name_of_service
from console.protection import WORKSPACE, page, sent_file, signed_in
from console.queue import queue_values
from console.scope import officer_of
from console.workspace import Workspace

__all__ = ["asked", "conversation_page", "field", "perform", "routes"]


def routes() -> list[web.RouteDef]:
    one = "/percakapan/{id}"
    return [
        web.get(one, _show, name="conversation"),
        web.get(one + "/naskah", _transcript, name="transcript"),
        web.get(one + "/berkas/{file}", _file, name="conversation_file"),
        web.post(one + "/ambil", _claim, name="claim"),
        web.post(one + "/lepas", _release, name="release"),
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


# What is shown.


async def _show(request: web.Request) -> web.Response:
    return await conversation_page(request)


async def conversation_page(
    request: web.Request, problem: str | None = None, status: int = 200, *, written: str = ""
) -> web.Response:
    """As it is now; `problem` says on it why what was wanted wasn't done, and what was `written` isn't lost."""
    workspace, me, conversation = asked(request)
    room, officer = workspace.room, officer_of(me)
    await record(workspace, me.id, Act.READ, f"conversation:{conversation}")
    about = await packet(room, officer, conversation)
    lines, services, waiting = await asyncio.gather(
        transcript(room, officer, conversation),
        known_services(workspace),
        queue_values(request, "mine" if about.officer == officer.id else "queued"),
    )
    return page(
        request,
        "desk.html",
        status=status,
        conversation=conversation,
        about=about,
        lines=lines,
        names={entry.id: entry.name for entry in services},
        fileable=[entry for entry in services if entry.mode == FILED],
        supervises=may_access_board(me),
        problem=problem,
        written=written,
        form=uuid.uuid4(),
        **waiting,
    )


async def _transcript(request: web.Request) -> web.Response:
    return await _transcript_part(request, reveal=False)


async def _reveal(request: web.Request) -> web.Response:
    workspace, me, conversation = asked(request)
    await record(workspace, me.id, Act.UNMASKED, f"conversation:{conversation}")
    return await _transcript_part(request, reveal=True)


async def _transcript_part(request: web.Request, *, reveal: bool) -> web.Response:
    workspace, me, conversation = asked(request)
    await record_look(workspace, me.id, f"conversation:{conversation}")
    lines = await transcript(workspace.room, officer_of(me), conversation, reveal=reveal)
    return page(request, "transcript.html", conversation=conversation, lines=lines)


async def _file(request: web.Request) -> web.Response:
    workspace, me, conversation = asked(request)
    await record(workspace, me.id, Act.SAW_DOCUMENT, f"conversation:{conversation}")
    found = await file(workspace.room, officer_of(me), conversation, _identifier(request, "file"))
    return sent_file(found.content_type, found.content)


# What is done: each gives the page as it is then, or says on it why not.


async def _claim(request: web.Request) -> web.Response:
    return await perform(request, Act.CLAIMED, lambda w, o, c: states.claim(w.room, o, c))


async def _release(request: web.Request) -> web.Response:
    note = await field(request, "note")
    return await perform(request, Act.RELEASED, lambda w, o, c: states.release(w.room, o, c, note or None))


async def _close(request: web.Request) -> web.Response:
    note = await field(request, "note")
    return await perform(request, Act.CLOSED, lambda w, o, c: states.close(w.room, o, c, note=note or None))


async def _say(request: web.Request) -> web.Response:
    form, (_, _, conversation) = await request.post(), asked(request)
    text, as_template = str(form.get("text", "")), "template" in form
    given, attachment = form.get("file"), None
    identifier = _form(form.get("form"))
    if isinstance(given, web.FileField) and given.filename:
        content = given.file.read(LARGEST_FILE + 1)
        attachment = Attachment(given.filename[-200:], given.content_type, content)
    return await perform(
        request,
        Act.SAID,
        lambda w, o, c: speech.say(w.room, o, c, text, attachment=attachment, as_template=as_template, form=identifier),
        # The page's mark of what has arrived: only then is the draft dropped that the browser keeps.
        then=f"/console/percakapan/{conversation}#terkirim",
        written=text,
    )


def _form(given: object) -> uuid.UUID | None:
    try:
        return uuid.UUID(str(given))
    except ValueError:
        return None


async def _retry(request: web.Request) -> web.Response:
    message, as_template = request.match_info["message"], "template" in await request.post()
    if not message.isascii() or not message.isdigit() or len(message) > 18:
        raise web.HTTPNotFound(text="Pesan itu tidak ada.")
    return await perform(
        request, Act.SAID, lambda w, o, c: speech.retry(w.room, o, c, int(message), as_template=as_template)
    )


async def _note(request: web.Request) -> web.Response:
    text = await field(request, "note")
    return await perform(request, Act.NOTED, lambda w, o, c: speech.note(w.room, o, c, text))


async def _offer(request: web.Request) -> web.Response:
    workspace, service = request.config_dict[WORKSPACE], await field(request, "service")
    try:
        name = (await workspace.backend.names()).get(service) or await name_of_service(workspace, service)
    except (BackendDown, BackendRefused):
        return await conversation_page(request, "Sistem pencatatan sedang tidak menjawab. Coba lagi nanti.", 503)
    if name == service:
        return await conversation_page(request, "Pilih dulu layanannya.", 422)
    return await perform(request, Act.OFFERED, lambda w, o, c: offer(w.room, o, c, service=service, name=name))


async def _review(request: web.Request) -> web.Response:
    access_board(signed_in(request).account)
    text = await field(request, "note")
    return await perform(request, Act.REVIEWED, lambda w, o, c: review(w.room, o, c, text))


async def _typing(request: web.Request) -> web.Response:
    workspace, me, conversation = asked(request)
    # Taken away meanwhile: what is sent then says so.
    with contextlib.suppress(DeskRefused):
        await speech.typing(workspace.room, officer_of(me), conversation)
    return web.Response(status=204)


async def _come(request: web.Request) -> web.Response:
    workspace, me = request.config_dict[WORKSPACE], signed_in(request).account
    available = await field(request, "available") != "no"
    await presence.come(workspace.room, officer_of(me), available=available)
    return web.Response(status=204)


async def perform(
    request: web.Request,
    act: Act,
    do: Callable[[Workspace, Officer, uuid.UUID], Awaitable[object]],
    *,
    then: str | None = None,
    written: str = "",
) -> web.Response:
    """Write down that the officer of the request wants it, and do it with the conversation that the address names.

    `then` is the page that follows, where it isn't the conversation's any more.
    """
    workspace, me, conversation = asked(request)
    await record(workspace, me.id, act, f"conversation:{conversation}")
    try:
        await do(workspace, officer_of(me), conversation)
    except DeskRefused as refused:
        return await conversation_page(request, refused.sentence, 409, written=written)
    return web.Response(status=303, headers={"Location": then or f"/console/percakapan/{conversation}"})


def asked(request: web.Request) -> tuple[Workspace, Account, uuid.UUID]:
    return request.config_dict[WORKSPACE], signed_in(request).account, _identifier(request, "id")


def _identifier(request: web.Request, name: str) -> uuid.UUID:
    try:
        return uuid.UUID(request.match_info[name])
    except ValueError:
        raise web.HTTPNotFound(text="Percakapan itu tidak ada.") from None


async def field(request: web.Request, name: str) -> str:
    return str((await request.post()).get(name, "")).strip()[:2000]
