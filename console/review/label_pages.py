"""Labels as people see and change them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from bot.store import clean
from console.access import access_labels
from console.audit import Act, record
from console.protection import page
from console.review.asked import number, reviewer, sent, to
from console.review.label_changes import (
    Kind,
    LabelRefused,
    Wording,
    changes_now,
    decide_proposal,
    labels_now,
    list_changes,
    merge,
    propose,
    rename,
    split,
    undo_change,
)
from console.review.opinions import final_labels
from console.review.room import ReviewRoom
from console.review.similarity import Similarity, plain
from learning.example import Example, key
from learning.label_changes import LABELS_FILE, Subject, render_label_changes
from learning.training_file import TrainingFileUnfit

__all__ = ["routes"]

_HOME = "/console/tinjauan/label"
_MOST_SHOWN = 200
_MOST_CHANGES = 100
_KINDS = {
    Kind.NEW: "label baru",
    Kind.RENAMED: "nama dan arti",
    Kind.MERGED: "digabung",
    Kind.SPLIT: "dipecah",
}
_NOT_WRITTEN = "Perubahan dicatat, tetapi berkasnya belum bisa ditulis; beri tahu admin sistem."


@dataclass(frozen=True)
class _Examples:
    texts: Sequence[str]
    """the first ones, alike ones together"""
    found: int
    every: int


def routes() -> list[web.RouteDef]:
    return [
        web.get("/tinjauan/label", _show, name="labels"),
        web.post("/tinjauan/label", _propose, name="label_propose"),
        web.get("/tinjauan/label.yml", _download, name="label_changes"),
        web.post("/tinjauan/label/usul/{number}", _decide, name="label_decide"),
        web.post("/tinjauan/label/perubahan/{number}/batal", _undo, name="label_undo"),
        web.get("/tinjauan/label/{subject}/{label}", _show_one, name="label"),
        web.post("/tinjauan/label/{subject}/{label}/nama", _rename, name="label_rename"),
        web.post("/tinjauan/label/{subject}/{label}/gabung", _merge, name="label_merge"),
        web.post("/tinjauan/label/{subject}/{label}/pecah", _split, name="label_split"),
    ]


async def _show(request: web.Request) -> web.Response:
    return await _page(request)


async def _page(request: web.Request, problem: str | None = None, status: int = 200) -> web.Response:
    workspace, me = reviewer(request)
    await record(workspace, me.id, Act.READ, "review:labels")
    changes = await list_changes(workspace.review)
    return page(
        request,
        "review_labels.html",
        status=status,
        labels=await labels_now(workspace.review),
        known=workspace.review.labels,
        proposals=[each for each in changes if each.is_open],
        changes=[each for each in reversed(changes) if not each.is_open][:_MOST_CHANGES],
        subjects=Subject,
        kinds=_KINDS,
        may_write=workspace.review.may_write,
        problem=problem,
        form=await request.post() if problem and request.method == "POST" else {},
        tab="label",
    )


async def _show_one(request: web.Request) -> web.Response:
    return await _label_page(request)


async def _label_page(request: web.Request, problem: str | None = None, status: int = 200) -> web.Response:
    workspace, me = reviewer(request)
    subject, label = _asked_label(request)
    labels = await labels_now(workspace.review)
    if not labels.has(subject, label):
        raise web.HTTPNotFound(text="Label itu tidak ada, atau sudah digabung ke label lain.")
    await record(workspace, me.id, Act.READ, f"label:{label}")
    wanted = clean(request.query.get("cari", ""))[:80]
    try:
        examples = await _examples(workspace.review, subject, label, wanted)
    except TrainingFileUnfit as unfit:
        examples, problem = _Examples((), 0, 0), f"Data contoh perlu dibetulkan dulu: {unfit}"
    return page(
        request,
        "review_label.html",
        status=status,
        subject=subject,
        label=label,
        labels=labels,
        known=workspace.review.labels,
        examples=examples,
        wanted=wanted,
        problem=problem,
        tab="label",
    )


async def _examples(room: ReviewRoom, subject: Subject, label: str, wanted: str) -> _Examples:
    """Taught ones and reviewed ones that aren't taught yet."""
    taught = await room.known.all(await changes_now(room))
    reviewed = [
        Example(str(one.text), str(one.label.intent), one.label.service)
        for one in await final_labels(room)
        if one.text and one.label.intent
    ]
    every = {
        key(example.text): example.text
        for example in [*reviewed, *taught]
        if label == (example.intent if subject is Subject.INTENT else example.service)
    }
    words = plain(wanted).split()
    found = [text for text in every.values() if all(word in plain(text) for word in words)]
    shown = found[:_MOST_SHOWN]
    groups = await asyncio.to_thread(lambda: Similarity(shown).groups())
    return _Examples([shown[at] for group in groups for at in group], len(found), len(every))


async def _propose(request: web.Request) -> web.Response:
    workspace, me = reviewer(request)
    form = await request.post()
    try:
        subject = _subject(str(form.get("subject", "")))
        await propose(workspace, me, subject, str(form.get("label", "")).strip(), await _wording(request))
    except LabelRefused as refused:
        return await _page(request, str(refused), 422)
    return to(_HOME)


async def _decide(request: web.Request) -> web.Response:
    workspace, me = reviewer(request)
    access_labels(me)
    accepted = (await request.post()).get("accepted") == "ya"
    try:
        await decide_proposal(workspace, me, number(request.match_info["number"]) or 0, accepted=accepted)
    except LabelRefused as refused:
        return await _page(request, str(refused), 409)
    return to(_HOME)


async def _undo(request: web.Request) -> web.Response:
    workspace, me = reviewer(request)
    access_labels(me)
    try:
        await undo_change(workspace, me, number(request.match_info["number"]) or 0)
    except LabelRefused as refused:
        return await _page(request, str(refused), 409)
    except OSError:
        return await _page(request, _NOT_WRITTEN, 409)
    return to(_HOME)


async def _rename(request: web.Request) -> web.Response:
    workspace, me = reviewer(request)
    access_labels(me)
    subject, label = _asked_label(request)
    try:
        await rename(workspace, me, subject, label, await _wording(request))
    except LabelRefused as refused:
        return await _label_page(request, str(refused), 422)
    return to(f"{_HOME}/{subject}/{label}")


async def _merge(request: web.Request) -> web.Response:
    workspace, me = reviewer(request)
    access_labels(me)
    subject, label = _asked_label(request)
    try:
        await merge(workspace, me, subject, label, str((await request.post()).get("target", "")))
    except LabelRefused as refused:
        return await _label_page(request, str(refused), 422)
    except OSError:
        return await _page(request, _NOT_WRITTEN, 409)
    return to(_HOME)


async def _split(request: web.Request) -> web.Response:
    workspace, me = reviewer(request)
    access_labels(me)
    subject, label = _asked_label(request)
    form = await request.post()
    texts = {str(text) for text in form.getall("example", [])}
    try:
        await split(workspace, me, subject, label, str(form.get("target", "")), texts)
    except LabelRefused as refused:
        return await _label_page(request, str(refused), 422)
    except OSError:
        return await _page(request, _NOT_WRITTEN, 409)
    return to(f"{_HOME}/{subject}/{label}")


async def _download(request: web.Request) -> web.Response:
    """Where files aren't written: to be put into `data/tinjauan` by whoever trains."""
    workspace, _ = reviewer(request)
    return sent(render_label_changes((await changes_now(workspace.review)).changes), LABELS_FILE, "application/yaml")


async def _wording(request: web.Request) -> Wording:
    """Raises LabelRefused."""
    form = await request.post()
    return Wording(*(" ".join(str(form.get(name, "")).split()) for name in ("name", "meaning", "border")))


def _asked_label(request: web.Request) -> tuple[Subject, str]:
    try:
        return Subject(request.match_info["subject"]), request.match_info["label"]
    except ValueError:
        raise web.HTTPNotFound(text="Label itu tidak ada.") from None


def _subject(text: str) -> Subject:
    try:
        return Subject(text)
    except ValueError:
        raise LabelRefused("Pilih niat atau layanan.") from None
