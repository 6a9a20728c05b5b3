"""Chatwoot's application API on loopback, as its documentation has it, and the agents behind it.

`POST /contacts` answers 422 for an identifier that is taken; conversations and messages are numbered; what an agent does is
told to the webhook, signed as newer versions do.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from tests.fakes.served import Served

__all__ = ["AGENT", "FakeChatwoot", "Talk"]

ACCOUNT, INBOX, TOKEN = 3, 7, "token-agen"
AGENT = {"id": 11, "name": "Wati", "email": "wati@contoh.test", "type": "user"}


@dataclass
class Talk:
    contact: int
    attributes: dict[str, str]
    status: str = "open"
    assignee: dict[str, Any] | None = None
    messages: list[dict[str, Any]] = field(default_factory=list)

    def said(self, *, private: bool = False) -> list[str]:
        return [message["content"] for message in self.messages if message["private"] is private]


class FakeChatwoot(Served):
    def __init__(self, *, webhook: str = "", secret: str = "rahasia-chatwoot") -> None:
        self.webhook = webhook
        self.secret = secret
        self.now: Callable[[], float] = time.time
        self.contacts: dict[str, int] = {}
        self.talks: dict[int, Talk] = {}
        self.files: dict[str, bytes] = {}
        self.trouble: list[int] = []
        """statuses of the next requests; 0 for one that is done and whose answer is lost"""
        self.lost: set[str] = set()
        """the next `POST` to a path that ends so is done, and its answer is lost"""
        self.refused: set[str] = set()
        """the next `POST` to a path that ends so isn't done"""
        self.asked, self.giving = asyncio.Event(), asyncio.Event()
        """a file is asked for; it is given once this is set"""
        self.giving.set()
        self.requests = 0
        self._ids = itertools.count(100)
        root = f"/api/v1/accounts/{ACCOUNT}"
        app = web.Application(client_max_size=20 * 1024 * 1024, middlewares=[self._guard])
        app.add_routes(
            [
                web.post(f"{root}/contacts", self._contact),
                web.get(f"{root}/contacts/search", self._search),
                web.get(f"{root}/contacts/{{contact}}/conversations", self._conversations),
                web.post(f"{root}/conversations", self._conversation),
                web.post(f"{root}/conversations/{{number}}/messages", self._message),
                web.get(f"{root}/conversations/{{number}}/messages", self._messages),
                web.patch(f"{root}/conversations/{{number}}/messages/{{message}}", self._mark),
                web.post(f"{root}/conversations/{{number}}/toggle_status", self._toggle),
                web.get("/rails/active_storage/{name}", self._file),
            ]
        )
        super().__init__(app)

    @property
    def talk(self) -> Talk:
        """The last one opened."""
        return self.talks[max(self.talks)]

    # What agents do.

    async def agent_says(self, content: str, *, number: int | None = None, private: bool = False, **more: Any) -> int:
        number = number or max(self.talks)
        message = {"id": next(self._ids), "content": content, "message_type": "outgoing", "private": private, **more}
        self.talks[number].messages.append({"source_id": None, **message})
        event = {"event": "message_created", "content_type": "text", "sender": AGENT, "account": {"id": ACCOUNT}}
        return await self.tell({**event, **message, "conversation": self._shown(number)})

    async def agent_takes(self, agent: dict[str, Any] = AGENT) -> int:
        self.talk.assignee = agent
        return await self.tell({"event": "conversation_updated", **self._shown(max(self.talks))})

    async def agent_resolves(self, number: int | None = None) -> int:
        number = number or max(self.talks)
        self.talks[number].status = "resolved"
        return await self.tell({"event": "conversation_status_changed", **self._shown(number)})

    async def tell(self, event: dict[str, Any], *, path: str = "", at: float | None = None, signed: bool = True) -> int:
        raw = json.dumps(event).encode()
        stamp = str(int(self.now() if at is None else at))
        digest = hmac.new(self.secret.encode(), f"{stamp}.".encode() + raw, hashlib.sha256).hexdigest()
        headers = {"X-Chatwoot-Timestamp": stamp, "X-Chatwoot-Signature": f"sha256={digest}"} if signed else {}
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.webhook + path, data=raw, headers=headers) as response,
        ):
            return response.status

    # The API.

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.requests += 1
        is_api = request.path.startswith("/api/")
        if is_api and request.headers.get("api_access_token") != TOKEN:
            return web.json_response({"error": "Invalid Access Token"}, status=401)
        trouble = self.trouble.pop(0) if is_api and self.trouble else None
        if trouble:
            return web.json_response({"error": "trouble"}, status=trouble)
        called = request.path.rsplit("/", 1)[-1] if request.method == "POST" else ""
        if called in self.refused:
            self.refused.remove(called)
            return web.json_response({"error": "trouble"}, status=502)
        answer: web.StreamResponse = await handler(request)
        if called in self.lost:
            self.lost.remove(called)
            trouble = 0
        return web.json_response({"error": "lost"}, status=502) if trouble == 0 else answer

    async def _contact(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body["identifier"] in self.contacts:
            return web.json_response({"message": "Identifier has already been taken"}, status=422)
        self.contacts[body["identifier"]] = next(self._ids)
        shown = self._contact_shown(body["identifier"])
        return web.json_response({"payload": {"contact": shown, "contact_inbox": shown["contact_inboxes"][0]}})

    async def _search(self, request: web.Request) -> web.Response:
        wanted = request.query["q"]
        found = [self._contact_shown(identifier) for identifier in self.contacts if wanted in identifier]
        return web.json_response({"meta": {"count": len(found)}, "payload": found})

    async def _conversation(self, request: web.Request) -> web.Response:
        body = await request.json()
        known = body["contact_id"] in self.contacts.values() and body["source_id"] == f"sumber-{body['contact_id']}"
        if not known or body["inbox_id"] != INBOX:
            return web.json_response({"error": "Resource could not be found"}, status=404)
        number = next(self._ids)
        self.talks[number] = Talk(body["contact_id"], body["custom_attributes"], body["status"])
        return web.json_response(self._shown(number))

    async def _conversations(self, request: web.Request) -> web.Response:
        of_theirs = {n: t for n, t in self.talks.items() if t.contact == int(request.match_info["contact"])}
        shown = [{**self._shown(number), "custom_attributes": talk.attributes} for number, talk in of_theirs.items()]
        return web.json_response({"payload": shown})

    async def _message(self, request: web.Request) -> web.Response:
        body: dict[str, Any] = {}
        if request.content_type.startswith("multipart/"):
            form = await request.post()
            body = {key: value for key, value in form.items() if isinstance(value, str)}
            body["private"] = body["private"] == "true"
            body["attachments"] = [
                value.file.read() for value in form.getall("attachments[]") if isinstance(value, web.FileField)
            ]
        else:
            body = await request.json()
        message = {"id": next(self._ids), "source_id": None, **body}
        self.talks[int(request.match_info["number"])].messages.append(message)
        return web.json_response({"id": message["id"], "content": body["content"]})

    async def _messages(self, request: web.Request) -> web.Response:
        messages = self.talks[int(request.match_info["number"])].messages[-20:]
        shown = [{"id": message["id"], "source_id": message["source_id"]} for message in messages]
        return web.json_response({"meta": {}, "payload": shown})

    async def _mark(self, request: web.Request) -> web.Response:
        wanted, body = int(request.match_info["message"]), await request.json()
        found = [one for one in self.talks[int(request.match_info["number"])].messages if one["id"] == wanted]
        if not found:
            return web.json_response({"error": "Resource could not be found"}, status=404)
        if body["status"] not in ("sent", "delivered", "read", "failed"):
            return web.json_response({"error": "unknown status"}, status=422)
        found[0] |= {"status": body["status"], "external_error": body.get("external_error")}
        return web.json_response({"id": wanted, "status": body["status"]})

    async def _toggle(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.talks[int(request.match_info["number"])].status = body["status"]
        return web.json_response({"payload": {"success": True, "current_status": body["status"]}})

    async def _file(self, request: web.Request) -> web.Response:
        self.asked.set()
        await self.giving.wait()
        return web.Response(body=self.files[request.match_info["name"]])

    def _contact_shown(self, identifier: str) -> dict[str, Any]:
        number = self.contacts[identifier]
        of_inbox = {"source_id": f"sumber-{number}", "inbox": {"id": INBOX, "channel_type": "Channel::Api"}}
        return {"id": number, "identifier": identifier, "contact_inboxes": [of_inbox]}

    def _shown(self, number: int) -> dict[str, Any]:
        talk = self.talks[number]
        sender = {"id": talk.contact, "type": "contact"}
        return {
            "id": number,
            "inbox_id": INBOX,
            "status": talk.status,
            "channel": "Channel::Api",
            "meta": {"sender": sender, "assignee": talk.assignee},
        }
