"""Training as admins see it: what would be learned, how a run goes, the models and what the gate found, going live and back."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

from aiohttp import web

from console.access import access_training
from console.accounts import Account
from console.audit import Act, record
from console.protection import WORKSPACE, page, signed_in
from console.review.shadow import running
from console.training.models import Model, list_models
from console.training.room import TrainingRoom
from console.training.runs import Kind, Order, ask, cancel, current, recent
from console.workspace import Workspace
from learning.live_model import Kind as Change
from learning.live_model import LiveModelUnreadable
from learning.training_file import TrainingFileUnfit

__all__ = ["routes"]

_RUNS = {
    Kind.TRAIN: "Melatih dan mengukur",
    Kind.MEASURE: "Mengukur",
    Kind.PROMOTE: "Menghidupkan",
    Kind.SEND_BACK: "Kembali ke model sebelum",
}
_CHANGES = {
    Change.FIRST: "hidup pertama kali",
    Change.PROMOTED: "dihidupkan",
    Change.OVERRIDDEN: "dipaksa hidup",
    Change.ROLLED_BACK: "hidup lagi",
}
_SETS = {"beku": "Pesan uji tetap", "acak": "Pesan acak warga", "silang": "Validasi silang"}
_SHORTEST_REASON = 10
_LONGEST_REASON = 500
_SHOWN_LINES = 12
_SHOWN_CHANGES = 15


def routes() -> list[web.RouteDef]:
    return [
        web.get("/latihan", _show, name="training"),
        web.get("/latihan/keadaan", _state, name="training_state"),
        web.post("/latihan/mulai", _train, name="training_post"),
        web.post("/latihan/batal", _cancel, name="training_cancel"),
        web.post("/latihan/kembali", _send_back, name="training_back"),
        web.get("/latihan/model/{name}", _model, name="training_model"),
        web.post("/latihan/model/{name}/ukur", _measure, name="training_measure"),
        web.post("/latihan/model/{name}/hidupkan", _promote, name="training_promote"),
    ]


async def _show(request: web.Request) -> web.Response:
    return await _main_page(request)


async def _main_page(request: web.Request, told: str | None = None, status: int = 200) -> web.Response:
    workspace, me = _asked(request)
    room = workspace.training
    await record(workspace, me.id, Act.READ, "training")
    lesson, unfit = None, None
    try:
        lesson = await room.lessons.next()
    except TrainingFileUnfit as problem:
        unfit = str(problem)
    values = await _values(request)
    return page(request, "training.html", status=status, lesson=lesson, unfit=unfit, told=told, **values)


async def _state(request: web.Request) -> web.Response:
    """204 while nothing differs from what the page shows, so that nobody's focus is lost."""
    _asked(request)
    values = await _values(request)
    if request.query.get("seen") == values["seen"]:
        return web.Response(status=204)
    return page(request, "training_state.html", **values)


async def _values(request: web.Request) -> dict[str, Any]:
    room = request.config_dict[WORKSPACE].training
    values: dict[str, Any] = {
        "run": await current(room),
        "runs": await recent(room),
        "schedule": room.schedule.sentence,
        "names": _RUNS,
        "changes": _CHANGES,
        "shown_lines": _SHOWN_LINES,
        **await asyncio.to_thread(_of_models, room),
    }
    drawn = page(request, "training_state.html", seen="", **values)
    return values | {"seen": hashlib.sha256(str(drawn.text).encode()).hexdigest()[:16]}


def _of_models(room: TrainingRoom) -> dict[str, Any]:
    try:
        history, before, live = room.live.history(), room.live.before(), room.live.current()
        return {
            "models": list_models(room.models),
            "history": list(reversed(history))[:_SHOWN_CHANGES],
            "before": before and before.name,
            "live": live and live.name,
            "probation": room.live.on_probation(room.clock()),
            "trouble": None,
        }
    except LiveModelUnreadable as problem:
        nothing = {"before": None, "live": None, "probation": None}
        return {"models": (), "history": (), **nothing, "trouble": str(problem)}


async def _train(request: web.Request) -> web.Response:
    return await _order(request, Order(Kind.TRAIN))


async def _measure(request: web.Request) -> web.Response:
    model = await _asked_for(request)
    return await _order(request, Order(Kind.MEASURE, model.name))


async def _promote(request: web.Request) -> web.Response:
    """By the gate's verdict; against it only with a reason, which is kept."""
    model = await _asked_for(request)
    form = await request.post()
    if "override" not in form:
        if model.report is None or not model.report.passed:
            return await _model_page(request, model, "Gerbang belum meluluskan model ini.", status=409)
        return await _order(request, Order(Kind.PROMOTE, model.name))
    reason = " ".join(str(form.get("reason", "")).split())[:_LONGEST_REASON]
    if len(reason) < _SHORTEST_REASON:
        problem = f"Tulis alasannya, sedikitnya {_SHORTEST_REASON} huruf; alasan itu dicatat."
        return await _model_page(request, model, problem, status=422)
    return await _order(request, Order(Kind.PROMOTE, model.name, reason, override=True))


async def _send_back(request: web.Request) -> web.Response:
    """From the model that was live on the page: it may have gone by itself meanwhile, or by a colleague."""
    workspace, me = _asked(request)
    shown = (await request.post()).get("live")
    live = (await asyncio.to_thread(_of_models, workspace.training))["live"]
    if live is None or live != shown:
        return await _main_page(request, "Model yang hidup sudah berganti; lihat dulu mana yang hidup sekarang.", 409)
    return await _order(request, Order(Kind.SEND_BACK, live, f"dari konsol oleh {me.name}"))


async def _order(request: web.Request, order: Order) -> web.Response:
    workspace, me = _asked(request)
    if not await ask(workspace, me, order):
        return await _main_page(request, "Masih ada pekerjaan model yang berjalan; tunggu sampai selesai.", 409)
    return web.Response(status=303, headers={"Location": "/console/latihan"})


async def _cancel(request: web.Request) -> web.Response:
    workspace, me = _asked(request)
    if not await cancel(workspace, me):
        return await _main_page(request, "Tidak ada yang bisa dibatalkan.", 409)
    return web.Response(status=303, headers={"Location": "/console/latihan"})


async def _model(request: web.Request) -> web.Response:
    return await _model_page(request, await _asked_for(request))


async def _model_page(
    request: web.Request, model: Model, problem: str | None = None, *, status: int = 200
) -> web.Response:
    workspace, me = _asked(request)
    await record(workspace, me.id, Act.READ, f"model:{model.name}")
    checks = model.report.checks if model.report is not None else ()
    return page(
        request,
        "training_model.html",
        status=status,
        model=model,
        problem=problem,
        refused=[check for check in checks if not check.passed],
        sets=[(title, [one for one in checks if one.measured_by == name]) for name, title in _SETS.items()],
        labels=workspace.review.labels,
        run=await current(workspace.training),
        shadow=await running(workspace.review),
    )


async def _asked_for(request: web.Request) -> Model:
    """Raises HTTPNotFound, and Forbidden before."""
    workspace, _ = _asked(request)
    name = request.match_info["name"]
    try:
        models = await asyncio.to_thread(list_models, workspace.training.models)
    except LiveModelUnreadable as problem:
        raise web.HTTPConflict(text=str(problem)) from None
    model = next((model for model in models if model.name == name), None)
    if model is None:
        raise web.HTTPNotFound(text="Model itu tidak ada lagi.")
    return model


def _asked(request: web.Request) -> tuple[Workspace, Account]:
    account = signed_in(request).account
    access_training(account)
    return request.config_dict[WORKSPACE], account
