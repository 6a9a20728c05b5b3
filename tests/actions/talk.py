"""A conversation with the actions alone: what Rasa does between them (slots, the form, rules by intent) is done here."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.action import FORM, DialogueAction
from nlu.choices import meaning, proof_in
from tests.actions.fake_bot import FakeBot
from tests.stack.running import ROOT

__all__ = ["Talk"]

_ASK = "action_ask_isian"
_VALIDATE = f"validate_{FORM}"
_RULES = {
    rule["steps"][0]["intent"]: rule["steps"][1]["action"]
    for rule in yaml.safe_load((ROOT / "data" / "rules.yml").read_text(encoding="utf-8"))["rules"]
    if "intent" in rule["steps"][0]
}
_SENT = {"file": "kirim_berkas", "location": "kirim_lokasi", "contact": "kirim_kontak"}


@dataclass
class Talk:
    actions: Mapping[str, DialogueAction]
    bot: FakeBot
    conversation: str = "percakapan-1"
    slots: dict[str, Any] = field(default_factory=dict)
    form_is_open: bool = False
    choices: list[tuple[str, str]] = field(default_factory=list)
    """(id, title) of the last turn"""
    linked: Sequence[str] = ()
    files: list[dict[str, str]] = field(default_factory=list)
    """documents given in the last turn"""
    events: list[dict[str, Any]] = field(default_factory=list)
    _ids: Any = field(default_factory=lambda: itertools.count(1))

    async def say(
        self,
        text: str,
        intent: str = "nlu_fallback",
        confidence: float = 0.9,
        *,
        about: str | None = None,
        besides: str | None = None,
        **entities: str,
    ) -> str:
        if (proof := proof_in(text, self.slots.get("tawaran"))) is not None:
            return await self.choose(proof)
        found = [{"entity": key, "value": value} for key, value in entities.items()]
        parsed = _understood(intent, confidence, about, besides)
        return await self.turn({**parsed, "entities": [*found, *parsed["entities"]]}, text, {})

    async def tap(self, title: str) -> str:
        chosen = next((c for c, t in self.choices if t == title), None)
        assert chosen is not None, f"{title!r} is not among {[t for _, t in self.choices]}"
        return await self.choose(chosen)

    async def choose(self, choice: str) -> str:
        return await self.turn(meaning(choice, set(_RULES)), None, {"choice": choice})

    async def send(
        self, *, intent: str = "nlu_fallback", confidence: float = 0.9, about: str | None = None, **sent: Any
    ) -> str:
        """`file` (its content), `location`, `contact`; `early`, `caption` and what it is understood as; `draft` and
        `document` of the link that a file came by.
        """
        kind = next(iter(sent))
        metadata: dict[str, Any] = {
            key: value for key, value in sent.items() if key in ("location", "contact", "early")
        }
        if kind == "file":
            metadata["file"] = {"url": self.bot.keep(sent["file"]), "name": "foto.jpg", "content_type": "image/jpeg"}
            metadata["file"] |= {key: sent[key] for key in ("draft", "document") if key in sent}
            if "caption" in sent:
                metadata["file"]["caption"] = sent["caption"]
                return await self.turn(_understood(intent, confidence, about), sent["caption"], metadata)
        return await self.turn({"intent": {"name": _SENT[kind], "confidence": 1.0}, "entities": []}, None, metadata)

    async def turn(self, parsed: Mapping[str, Any], text: str | None, metadata: Mapping[str, Any]) -> str:
        self._message = {
            **parsed,
            "text": text,
            "message_id": f"pesan-{next(self._ids)}",
            "metadata": {"channel": "whatsapp", "linked": list(self.linked), **metadata},
        }
        return await self._deliver()

    async def redelivered(self) -> str:
        """The last message comes again, as when its turn failed after the backend had taken it."""
        self._forget_turn()
        return await self._deliver()

    def _forget_turn(self) -> None:
        slots, self.form_is_open, events = self._before
        self.slots = dict(slots)
        del self.events[events:]

    async def _deliver(self) -> str:
        self._before = (dict(self.slots), self.form_is_open, len(self.events))
        self.events.append({"event": "user", **self._message})
        self._dispatcher = CollectingDispatcher()
        try:
            await self._react(str(self._message["intent"]["name"]))
        except Exception:
            self._forget_turn()
            raise
        self.events += [{"event": "bot", "text": m["text"]} for m in self._dispatcher.messages]
        self.choices = [(b["payload"], b["title"]) for m in self._dispatcher.messages for b in m["buttons"]]
        self.files = [m["custom"]["file"] for m in self._dispatcher.messages if "file" in (m["custom"] or {})]
        return "\n\n".join(m["text"] for m in self._dispatcher.messages)

    async def _react(self, intent: str) -> None:
        if self.form_is_open:
            self.slots["isian"] = self._message["text"] or "[tanpa teks]"
            events = await self._run(_VALIDATE)
            if self.slots.get("isian") == "selesai":
                self.form_is_open = False
            elif not any(e["event"] == "action_execution_rejected" for e in events):
                await self._ask()
            else:
                await self._rule(intent)
            return
        await self._rule(intent)

    async def _rule(self, intent: str) -> None:
        events = await self._run(_RULES[intent])
        if any(e["event"] == "active_loop" and e["name"] is None for e in events):
            self.form_is_open = False
        if any(e["event"] == "followup" and e["name"] == FORM for e in events):
            self.form_is_open = True
        if self.form_is_open:
            await self._run(_VALIDATE)
            await self._ask()

    async def _ask(self) -> None:
        events = await self._run(_ASK)
        if any(e["event"] == "slot" and (e["name"], e["value"]) == ("requested_slot", None) for e in events):
            self.form_is_open = False

    async def _run(self, name: str) -> list[dict[str, Any]]:
        loop = {"name": FORM} if self.form_is_open else {}
        tracker = Tracker(self.conversation, dict(self.slots), self._message, self.events, False, None, loop, None)
        events: list[dict[str, Any]] = await self.actions[name].run(self._dispatcher, tracker, {})
        self.slots |= {e["name"]: e["value"] for e in events if e["event"] == "slot"}
        return events


def _understood(intent: str, confidence: float, about: str | None, besides: str | None = None) -> dict[str, Any]:
    service = {"entity": "layanan", "value": about} | ({"besides": besides} if besides else {})
    return {"intent": {"name": intent, "confidence": confidence}, "entities": [service] if about is not None else []}
