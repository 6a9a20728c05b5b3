"""The supervisors' board: who waits and for how long in working time, who works, and what has passed the standard."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aiohttp import web

from bot.desk.agencies import covers
from bot.desk.listing import Item, counts, listing
from bot.desk.presence import on_duty
from bot.desk.standard import Level
from console.access import access_board
from console.protection import WORKSPACE, page, signed_in
from console.scope import officer_of
from console.workspace import Workspace

__all__ = ["routes"]


@dataclass(frozen=True)
class _Waiting:
    item: Item
    waited: timedelta
    level: Level


def routes() -> list[web.RouteDef]:
    return [web.get("/papan", _show, name="board"), web.get("/papan/isi", _content, name="board_content")]


async def _show(request: web.Request) -> web.Response:
    access_board(signed_in(request).account)
    return page(request, "board.html", **await _values(request))


async def _content(request: web.Request) -> web.Response:
    access_board(signed_in(request).account)
    return page(request, "board_content.html", **await _values(request))


async def _values(request: web.Request) -> dict[str, Any]:
    workspace, officer = request.config_dict[WORKSPACE], officer_of(signed_in(request).account)
    items = [_judged(workspace, item) for item in await listing(workspace.room, officer, view="all")]
    present = [one for one in await on_duty(workspace.room) if _shares(officer.agencies, one.agencies)]
    return {
        "counts": await counts(workspace.room, officer),
        "waiting": sorted(items, key=lambda one: one.waited, reverse=True),
        "raised": sum(one.level is Level.RAISED for one in items),
        "late": sum(one.level in (Level.LATE, Level.RAISED) for one in items),
        "officers": present,
        "standard": workspace.room.standard,
    }


def _shares(mine: frozenset[str] | None, theirs: frozenset[str] | None) -> bool:
    """Whether both have an agency; None has all."""
    if mine is None or theirs is None:
        return True
    return any(covers(mine, agency) for agency in theirs) or any(covers(theirs, agency) for agency in mine)


def _judged(workspace: Workspace, item: Item) -> _Waiting:
    hours = workspace.room.agencies[item.agency].hours
    return _Waiting(item, *workspace.room.standard.judge(hours, item.waiting_since, workspace.clock()))
