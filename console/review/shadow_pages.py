"""The candidate that reads along, as people see it."""

from __future__ import annotations

from aiohttp import web

from console.access import access_training
from console.audit import Act, record
from console.protection import WORKSPACE, page, signed_in
from console.review.asked import reviewer, to
from console.review.label_changes import labels_now
from console.review.shadow import ShadowRefused, compare, newest_shadow, start_shadow, stop_shadow

__all__ = ["routes"]


def routes() -> list[web.RouteDef]:
    return [
        web.get("/tinjauan/bayangan", _show, name="shadow"),
        web.post("/tinjauan/bayangan/mulai", _start, name="shadow_start"),
        web.post("/tinjauan/bayangan/berhenti", _stop, name="shadow_stop"),
    ]


async def _show(request: web.Request) -> web.Response:
    return await _page(request)


async def _page(request: web.Request, problem: str | None = None, status: int = 200) -> web.Response:
    workspace, me = reviewer(request)
    await record(workspace, me.id, Act.READ, "review:shadow")
    room = workspace.review
    shadow = await newest_shadow(room)
    return page(
        request,
        "review_shadow.html",
        status=status,
        shadow=shadow,
        comparison=await compare(room, shadow) if shadow is not None else None,
        labels=await labels_now(room),
        problem=problem,
        tab="bayangan",
    )


async def _start(request: web.Request) -> web.Response:
    me = signed_in(request).account
    access_training(me)
    form = await request.post()
    try:
        await start_shadow(request.config_dict[WORKSPACE], me, str(form.get("model", "")))
    except ShadowRefused as refused:
        return await _page(request, str(refused), 409)
    return to("/console/tinjauan/bayangan")


async def _stop(request: web.Request) -> web.Response:
    me = signed_in(request).account
    access_training(me)
    await stop_shadow(request.config_dict[WORKSPACE], me)
    return to("/console/tinjauan/bayangan")
