"""The list beside every page of the desk: what waits, what is held, and how many of each agency."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from aiohttp import web

from bot.desk.listing import Item, View, counts, listing
from bot.desk.officer import Officer
from bot.desk.standard import Level
from console.audit import Act, record
from console.protection import WORKSPACE, page, signed_in
from console.scope import officer_of
from console.workspace import Workspace

__all__ = ["queue_values", "routes"]

_MOST_SHOWN = 50
"""conversations in the list beside the one that is open; who wants more filters by agency, and the board has all"""
_VIEWS = {"queued": "Menunggu", "mine": "Milik saya", "all": "Semua"}


def routes() -> list[web.RouteDef]:
    return [web.get("/", _show, name="home"), web.get("/antrean", _queue, name="queue")]


async def _show(request: web.Request) -> web.Response:
    await _record_look(request)
    agencies, moved = request.config_dict[WORKSPACE].agencies, request.query.get("dialihkan", "")
    told = f"Percakapan dialihkan ke {agencies[moved].name}." if moved in agencies else None
    return page(request, "desk.html", conversation=None, told=told, **await queue_values(request))


async def _queue(request: web.Request) -> web.Response:
    if "HX-Request" not in request.headers:
        # Somebody opened it, not the page that asks for it again and again: that would drown the log.
        await _record_look(request)
    return page(request, "queue.html", current=request.query.get("current", ""), **await queue_values(request))


async def _record_look(request: web.Request) -> None:
    await record(request.config_dict[WORKSPACE], signed_in(request).account.id, Act.READ, "queue")


async def queue_values(request: web.Request, usual: View = "queued") -> dict[str, Any]:
    """What `queue.html` shows; `usual` is the view where the address names none."""
    workspace, officer = request.config_dict[WORKSPACE], officer_of(signed_in(request).account)
    room = workspace.room
    view: View = next((known for known in get_args(View) if known == request.query.get("view")), usual)
    agency = request.query.get("agency") or None
    scope = officer.agencies
    asked = agency if agency and agency in room.agencies else None
    items = await workspace.waiting.get(
        (scope, view, asked, officer.id if view == "mine" else None),
        lambda: _judged(workspace, officer, view, asked),
    )
    return {
        "view": view,
        "views": _VIEWS,
        "agency": asked or "",
        "items": items,
        "counts": await workspace.counted.get(scope, lambda: counts(room, officer)),
        "officer": officer.id,
        "is_cut": len(items) == _MOST_SHOWN,
    }


async def _judged(
    workspace: Workspace, officer: Officer, view: View, agency: str | None
) -> Sequence[tuple[Item, Level]]:
    room, now = workspace.room, workspace.clock()
    items = await listing(room, officer, view=view, agency=agency, most=_MOST_SHOWN)
    return [(item, room.standard.judge(room.agencies[item.agency].hours, item.waiting_since, now)[1]) for item in items]
