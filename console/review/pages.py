"""Review as people see it: messages to judge, what was judged, how good it is, sets for a new model, what citizens ask."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from console.audit import Act, record
from console.protection import page
from console.review import label_pages, set_pages, shadow_pages
from console.review.asked import number, reviewer, to
from console.review.insight import observe
from console.review.label_changes import changes_now, labels_now
from console.review.labels import Intent, Labels
from console.review.opinions import (
    Label,
    Open,
    decide,
    disagreements,
    open_reviews,
    recent_decisions,
    undo,
    waiting_for,
)
from console.review.quality import agreement, measure
from console.review.room import ReviewRoom
from console.review.selection import pick
from console.review.similarity import Similarity
from learning.training_file import TrainingFileUnfit

__all__ = ["routes"]

_MODES = {"satu": "Satu per satu", "kelompok": "Yang mirip dulu"}
_REASONS = {
    "ragu": "bot ragu",
    "buntu": "bot tidak paham",
    "petugas": "diambil alih petugas",
    "keberatan": "warga keberatan",
    "bayangan": "calon model membaca lain",
    "acak": "diambil acak",
}
_STAGES = {1: "pendapat pertama", 2: "pendapat kedua", 3: "penentu"}
_PERIODS = {"30": "30 hari", "90": "90 hari", "365": "setahun"}
_MOST_CHOICES = 6
_MOST_ALIKE = 20
_MOST_DISAGREEMENTS = 30


def routes() -> list[web.RouteDef]:
    return [
        web.get("/tinjauan", _show, name="review"),
        web.post("/tinjauan/nilai", _decide, name="review_post"),
        web.post("/tinjauan/batal", _undo, name="review_undo"),
        web.get("/tinjauan/keputusan", _decisions, name="review_decisions"),
        web.get("/tinjauan/mutu", _quality, name="review_quality"),
        web.get("/tinjauan/wawasan", _insight, name="review_insight"),
        *label_pages.routes(),
        *set_pages.routes(),
        *shadow_pages.routes(),
    ]


# Judging.


async def _show(request: web.Request) -> web.Response:
    return await _review_page(request, request.query)


async def _review_page(
    request: web.Request, asked: Mapping[str, Any], problem: str | None = None, status: int = 200
) -> web.Response:
    workspace, me = reviewer(request)
    room = workspace.review
    await pick(room, most_batches=2)
    mode = asked.get("mode") if asked.get("mode") in _MODES else "satu"
    after = number(asked.get("after"))
    found = await open_reviews(room, me)
    current, alike = await asyncio.to_thread(_shown, found, after, grouped=mode == "kelompok")
    labels = await labels_now(room)
    values: dict[str, Any] = {"choices": [], "likely_services": [], "nearest": []}
    if current is not None:
        await record(workspace, me.id, Act.READ, f"review:{current.message}")
        values = await _choices(room, labels, current)
    mine = next((one for one in await recent_decisions(room) if one.account == me.id), None)
    return page(
        request,
        "review.html",
        status=status,
        current=current,
        alike=alike[:_MOST_ALIKE],
        after=after or "",
        mode=mode,
        modes=_MODES,
        waiting=await waiting_for(room),
        labels=labels,
        reasons=_REASONS,
        stages=_STAGES,
        last=mine,
        late="late" in asked,
        problem=problem,
        service=asked.get("service") if problem else None,
        tab="",
        **values,
    )


def _shown(found: Sequence[Open], after: int | None, *, grouped: bool) -> tuple[Open | None, Sequence[Open]]:
    """The message that comes after the one skipped last, from the beginning again at the end; and those like it.

    Only first opinions are given to several at once.
    """
    first = [one for one in found if one.stage == 1]
    similarity = Similarity([one.text for one in first])
    leaders = [one for one in found if one.stage > 1]
    leaders += [first[group[0]] for group in similarity.groups()] if grouped else first
    if not leaders:
        return None, ()
    skipped = next((at for at, one in enumerate(leaders) if one.message == after), -1)
    current = leaders[(skipped + 1) % len(leaders)]
    alike = similarity.alike(first.index(current)) if current.stage == 1 else []
    return current, [first[at] for at, _ in alike]


async def _choices(room: ReviewRoom, labels: Labels, current: Open) -> dict[str, Any]:
    """The likely ones: what differed, what the model said, what messages like it are called."""
    likely = await room.known.likely(current.text, await changes_now(room))
    names = [label.intent for label in current.earlier] + [current.intent, *likely.intents]
    choices: list[Intent] = []
    for name in names:
        intent = labels.intents.get(name or "")
        if intent is not None and intent not in choices:
            choices.append(intent)
    services = [label.service for label in current.earlier] + [current.service, *likely.services]
    return {
        "choices": choices[:_MOST_CHOICES],
        "likely_services": list(dict.fromkeys(one for one in services if one in labels.services))[:5],
        "nearest": likely.nearest,
    }


async def _decide(request: web.Request) -> web.Response:
    workspace, me = reviewer(request)
    form = await request.post()
    where = {name: str(form.get(name, "")) for name in ("mode", "after")}
    intent, typed = str(form.get("intent", "")), str(form.get("service", "")).strip()
    labels = await labels_now(workspace.review)
    service = labels.service_of(typed) if typed else None
    if intent and intent not in labels.intents:
        return await _review_page(request, where, "Pilih salah satu niat yang ada.", 422)
    if intent and typed and service is None:
        problem = f"Layanan “{typed[:80]}” tidak dikenal. Pilih dari daftar, atau kosongkan."
        return await _review_page(request, {**where, "service": typed[:80]}, problem, 422)
    messages = [given for each in form.getall("message", []) if (given := number(str(each))) is not None]
    label = Label(intent or None, service if intent else None)
    if not await decide(workspace, me, messages[: _MOST_ALIKE + 1], label):
        where["late"] = "1"
    return to("/console/tinjauan", where)


async def _undo(request: web.Request) -> web.Response:
    workspace, me = reviewer(request)
    form = await request.post()
    given = str(form.get("act", ""))
    try:
        act = uuid.UUID(given) if given else None
    except ValueError:
        raise web.HTTPNotFound(text="Penilaian itu tidak ada.") from None
    undone = await undo(workspace, me, act)
    if form.get("back") == "keputusan":
        return to("/console/tinjauan/keputusan", {"undone": str(undone)})
    return to("/console/tinjauan", {"mode": str(form.get("mode", ""))})


async def _decisions(request: web.Request) -> web.Response:
    workspace, me = reviewer(request)
    await record(workspace, me.id, Act.READ, "review:decisions")
    return page(
        request,
        "review_decisions.html",
        decisions=await recent_decisions(workspace.review),
        labels=await labels_now(workspace.review),
        stages=_STAGES,
        undone=request.query.get("undone", ""),
        tab="keputusan",
    )


# What comes of it.


async def _quality(request: web.Request) -> web.Response:
    workspace, me = reviewer(request)
    await record(workspace, me.id, Act.READ, "review:quality")
    days = request.query.get("days", "90")
    days = days if days in _PERIODS else "90"
    return page(
        request,
        "review_quality.html",
        quality=await measure(workspace.review, int(days)),
        agreement=await agreement(workspace.review),
        waiting=await waiting_for(workspace.review),
        labels=await labels_now(workspace.review),
        disagreements=await disagreements(workspace.review, _MOST_DISAGREEMENTS),
        days=days,
        periods=_PERIODS,
        tab="mutu",
    )


async def _insight(request: web.Request) -> web.Response:
    workspace, me = reviewer(request)
    await record(workspace, me.id, Act.READ, "review:insight")
    told, insight = None, None
    try:
        insight = await observe(workspace.review)
    except TrainingFileUnfit as unfit:
        told = f"Data contoh perlu dibetulkan dulu: {unfit}"
    return page(
        request,
        "review_insight.html",
        insight=insight,
        told=told,
        labels=await labels_now(workspace.review),
        tab="wawasan",
    )
