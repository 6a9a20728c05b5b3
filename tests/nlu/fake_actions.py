"""An action server as Rasa sees it, with the dialogue's skeleton: one form that asks on, a menu, a question answered.

Run by `python tests/nlu/fake_actions.py PORT` for measuring; tests run it in their own loop.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from aiohttp import web

__all__ = ["FakeActions"]

Body = dict[str, Any]


class FakeActions:
    """`calls` are the requests seen; actions named in `broken` answer 500, those in `slow` after that many seconds, those
    in `odd` with that.
    """

    def __init__(self) -> None:
        self.calls: list[Body] = []
        self.broken: set[str] = set()
        self.slow: dict[str, float] = {}
        self.odd: dict[str, Any] = {}
        self.application = web.Application(client_max_size=2**24)
        self.application.router.add_post("/webhook", self._answer)

    async def _answer(self, request: web.Request) -> web.Response:
        call = await request.json()
        name = call["next_action"]
        self.calls.append(call)
        del self.calls[:-1000]
        await asyncio.sleep(self.slow.get(name, 0))
        if name in self.broken:
            return web.json_response({"error": "boom", "request_body": call}, status=500)
        if name in self.odd:
            return web.json_response(self.odd[name])
        if name == "validate_form_permohonan" and _is_question(call):
            return web.json_response({"error": "a question", "action_name": name}, status=400)
        return web.json_response(_ACTIONS.get(name, _say_name)(call))


def _is_question(call: Body) -> bool:
    """Once: called again after the question was answered, there is no answer to validate."""
    tracker = call["tracker"]
    return tracker["latest_message"]["intent"]["name"] == "tanya_biaya" and tracker["events"][-1]["event"] == "slot"


def _start(call: Body) -> Body:
    return {
        "events": [_slot("draf", "d-1"), {"event": "followup", "name": "form_permohonan"}],
        "responses": [{"text": "Baik, kita mulai."}],
    }


def _ask(call: Body) -> Body:
    buttons = [{"title": "Laki-laki", "payload": "isi:jk:l"}, {"title": "Perempuan", "payload": "isi:jk:p"}]
    return {"events": [], "responses": [{"text": "Jenis kelamin?", "buttons": buttons}]}


def _validate(call: Body) -> Body:
    message = call["tracker"]["latest_message"]
    given = message.get("metadata", {}).get("choice") or message["text"]
    if given == "selesai":
        return {"events": [_slot("isian", "selesai"), _slot("draf", None)], "responses": []}
    return {"events": [_slot("isian", None)], "responses": []}


def _menu(call: Body) -> Body:
    buttons = [
        {"title": "KTP hilang", "payload": "mulai:ktp_hilang"},
        {"title": "Biaya KK", "payload": "niat:tanya_biaya:kk"},
    ]
    return {"events": [], "responses": [{"text": "Pilih:", "buttons": buttons}]}


def _count(call: Body) -> Body:
    return {"events": [], "responses": [{"text": "Berapa lembar?", "custom": {"expects": "number"}}]}


def _officer(call: Body) -> Body:
    handoff = {"handoff": {"reason": "minta", "service": None}}
    return {"events": [], "responses": [{"text": "Sebentar."}, {"custom": handoff}]}


def _file(call: Body) -> Body:
    file = {"url": "http://127.0.0.1/f", "name": "a.pdf", "content_type": "application/pdf"}
    return {"events": [], "responses": [{"text": "Ini berkasnya.", "custom": {"file": file}}]}


def _circle(call: Body) -> Body:
    return {"events": [{"event": "followup", "name": "action_umpan_balik"}], "responses": []}


def _say_name(call: Body) -> Body:
    message = call["tracker"]["latest_message"]
    service = next((e["value"] for e in message.get("entities", []) if e["entity"] == "layanan"), "-")
    return {"events": [], "responses": [{"text": f"{call['next_action']} {service}"}]}


def _slot(name: str, value: Any) -> Body:
    return {"event": "slot", "name": name, "value": value}


_ACTIONS = {
    "action_ajukan": _start,
    "action_ask_isian": _ask,
    "validate_form_permohonan": _validate,
    "action_daftar_layanan": _menu,
    "action_status": _count,
    "action_petugas": _officer,
    "action_lanjutkan": _file,
    "action_umpan_balik": _circle,
}


if __name__ == "__main__":
    web.run_app(FakeActions().application, host="127.0.0.1", port=int(sys.argv[1]), print=None)
