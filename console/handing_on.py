"""A conversation goes to another agency or a colleague, by its holder; or to whom a supervisor says."""

from __future__ import annotations

import uuid
from urllib.parse import urlencode

from aiohttp import web

from bot.desk import presence, states
from bot.desk.officer import Officer
from bot.desk.packet import packet
from console.access import access_board
from console.accounts import find_active, list_colleagues
from console.audit import Act
from console.desk import asked, conversation_page, field, perform
from console.protection import WORKSPACE, page, signed_in
from console.scope import officer_of

__all__ = ["routes"]


def routes() -> list[web.RouteDef]:
    one = "/percakapan/{id}"
    return [
        web.get(one + "/penerima", _show_takers, name="takers"),
        web.get(one + "/penugasan", _show_assignees, name="assignees"),
        web.post(one + "/alihkan", _transfer, name="transfer"),
        web.post(one + "/serahkan", _hand_over, name="hand_over"),
        web.post(one + "/tugaskan", _reassign, name="reassign"),
    ]


async def _show_takers(request: web.Request) -> web.Response:
    workspace, me, conversation = asked(request)
    about = await packet(workspace.room, officer_of(me), conversation)
    agency = about.current.agency if about.current else None
    colleagues = [one for one in await presence.on_duty(workspace.room, agency) if one.officer != str(me.id)]
    agencies = [*workspace.agencies.all(), *workspace.agencies.local()]
    return page(request, "takers.html", conversation=conversation, agencies=agencies, colleagues=colleagues)


async def _show_assignees(request: web.Request) -> web.Response:
    workspace, me, conversation = asked(request)
    access_board(me)
    about = await packet(workspace.room, officer_of(me), conversation)
    accounts = await list_colleagues(workspace, about.current.agency) if about.current else []
    return page(request, "assignees.html", conversation=conversation, accounts=accounts)


async def _transfer(request: web.Request) -> web.Response:
    named, note = await field(request, "agency"), await field(request, "note")
    agency = request.config_dict[WORKSPACE].agencies.named(named) or named
    return await perform(
        request,
        Act.TRANSFERRED,
        lambda w, o, c: states.transfer(w.room, o, c, agency=agency, note=note),
        # Who isn't of that agency may not look at it any more.
        then=f"/console/?{urlencode({'dialihkan': agency})}",
    )


async def _hand_over(request: web.Request) -> web.Response:
    colleague, note = await _colleague(request), await field(request, "note")
    if colleague is None:
        return await conversation_page(request, "Pilih dulu rekan yang menerima.", 422)
    return await perform(
        request, Act.TRANSFERRED, lambda w, o, c: states.hand_to(w.room, o, c, colleague=colleague, note=note)
    )


async def _reassign(request: web.Request) -> web.Response:
    access_board(signed_in(request).account)
    colleague, note = await _colleague(request), await field(request, "note")
    return await perform(
        request, Act.TRANSFERRED, lambda w, o, c: states.reassign(w.room, o, c, colleague=colleague, note=note)
    )


async def _colleague(request: web.Request) -> Officer | None:
    """An account that is there and active, by its id."""
    try:
        wanted = uuid.UUID(await field(request, "colleague"))
    except ValueError:
        return None
    account = await find_active(request.config_dict[WORKSPACE], wanted)
    return officer_of(account) if account else None
