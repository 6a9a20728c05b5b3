"""Sets of reviewed messages: what the next one would hold, what each holds, how the data came to be as it is."""

from __future__ import annotations

import re

from aiohttp import web

from console.audit import Act, record
from console.protection import page
from console.review.asked import reviewer, sent
from console.review.label_changes import labels_now
from console.review.reviewed_set import (
    SetRefused,
    count_labels,
    draft,
    find_set,
    list_sets,
    make_set,
    measured_lines,
    restore_set,
    set_changes,
    set_content,
    version_now,
    withdraw_set,
)
from learning.training_file import TrainingFileUnfit, parse

__all__ = ["routes"]

_NAME = r"\d{4}-\d{2}-\d{2}-[0-9a-f]{8}"
_FAILED = "Berkas set belum bisa ditulis; beri tahu admin sistem. Yang sudah tercatat di Riwayat ditulis otomatis begitu bisa."
_UNFIT = "Data contoh perlu dibetulkan dulu:"


def routes() -> list[web.RouteDef]:
    return [
        web.get("/tinjauan/set", _show, name="review_sets"),
        web.post("/tinjauan/set", _make, name="review_set_post"),
        web.get("/tinjauan/set/{name}.yml", _download, name="review_set_file"),
        web.get("/tinjauan/set/{name}", _content, name="review_set"),
        web.post("/tinjauan/set/{name}/tarik", _withdraw, name="review_set_withdraw"),
        web.post("/tinjauan/set/{name}/pasang", _restore, name="review_set_restore"),
        web.get("/tinjauan/acak.jsonl", _download_measured, name="review_measured"),
    ]


async def _show(request: web.Request) -> web.Response:
    return await _page(request)


async def _page(request: web.Request, told: str | None = None, status: int = 200) -> web.Response:
    workspace, me = reviewer(request)
    await record(workspace, me.id, Act.READ, "review:sets")
    room = workspace.review
    try:
        made = await draft(room)
    except TrainingFileUnfit as unfit:
        made, told, status = None, f"{_UNFIT} {unfit}", 409
    return page(
        request,
        "review_sets.html",
        status=status,
        draft=made,
        sets=await list_sets(room),
        changes=await set_changes(room),
        version=await version_now(room),
        labels=await labels_now(room),
        may_write=room.may_write,
        told=told,
        tab="set",
    )


async def _make(request: web.Request) -> web.Response:
    workspace, me = reviewer(request)
    try:
        name = await make_set(workspace, me)
    except SetRefused as refused:
        return await _page(request, str(refused), 409)
    except TrainingFileUnfit as unfit:
        return await _page(request, f"{_UNFIT} {unfit}", 409)
    except OSError:
        return await _page(request, _FAILED, 409)
    if name is None:
        return await _page(request, "Belum ada contoh baru untuk dijadikan set.", 409)
    where = "ditulis ke data/tinjauan" if workspace.review.may_write else "siap diunduh"
    return await _page(request, f"Set {name} dibuat dan {where}.")


async def _withdraw(request: web.Request) -> web.Response:
    workspace, me = reviewer(request)
    name = _named(request)
    try:
        await withdraw_set(workspace, me, name)
    except SetRefused as refused:
        return await _page(request, str(refused), 409)
    except OSError:
        return await _page(request, _FAILED, 409)
    return await _page(request, f"Set {name} ditarik: isinya tidak dipelajari lagi oleh model berikutnya.")


async def _restore(request: web.Request) -> web.Response:
    workspace, me = reviewer(request)
    name = _named(request)
    try:
        await restore_set(workspace, me, name)
    except SetRefused as refused:
        return await _page(request, str(refused), 409)
    except TrainingFileUnfit as unfit:
        return await _page(request, f"{_UNFIT} {unfit}", 409)
    except OSError:
        return await _page(request, _FAILED, 409)
    return await _page(request, f"Set {name} dipasang lagi.")


async def _content(request: web.Request) -> web.Response:
    workspace, me = reviewer(request)
    name = _named(request)
    found = await find_set(workspace.review, name)
    if found is None:
        raise web.HTTPNotFound(text="Set itu tidak ada.")
    await record(workspace, me.id, Act.READ, f"reviewed_set:{name}")
    content = await set_content(workspace.review, name)
    examples = parse(content, name) if content is not None else []
    return page(
        request,
        "review_set.html",
        found=found,
        examples=examples,
        by_label=count_labels(examples),
        changes=[each for each in await set_changes(workspace.review) if each.name == name],
        labels=await labels_now(workspace.review),
        tab="set",
    )


async def _download(request: web.Request) -> web.Response:
    workspace, me = reviewer(request)
    name = _named(request)
    content = await set_content(workspace.review, name)
    if content is None:
        raise web.HTTPNotFound(text="Set itu tidak ada, atau sudah tidak disimpan.")
    await record(workspace, me.id, Act.TOOK_SET, f"reviewed_set:{name}")
    return sent(content, f"{name}.yml", "application/yaml")


async def _download_measured(request: web.Request) -> web.Response:
    workspace, me = reviewer(request)
    await record(workspace, me.id, Act.TOOK_SET, "reviewed_set:acak")
    try:
        made = await draft(workspace.review)
    except TrainingFileUnfit:
        raise web.HTTPConflict(text="Data contoh perlu dibetulkan dulu.") from None
    return sent(measured_lines(made.measured), "acak.jsonl", "application/x-ndjson")


def _named(request: web.Request) -> str:
    name = request.match_info["name"]
    if not re.fullmatch(_NAME, name):
        raise web.HTTPNotFound(text="Set itu tidak ada.")
    return name
