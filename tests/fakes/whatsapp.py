"""WhatsApp's Graph API and the phones behind it, on loopback.

In a test: `async with FakeWhatsApp(webhook=…) as whatsapp: await whatsapp.say("halo")`.
As a program, driven over HTTP by a person or another process:

    python -m tests.fakes.whatsapp --port 8090 --webhook http://127.0.0.1:8080/webhooks/whatsapp --app-secret rahasia
    curl -d '{"from": "+6281234500001", "text": "halo"}' 127.0.0.1:8090/_control/say
    curl 127.0.0.1:8090/_control/messages

It takes what Meta takes and refuses what Meta refuses (limits as in `bot/channels/whatsapp/payloads.py`'s sources, written
here again so that both must be wrong for a mistake to pass), keeps the 24-hour window by its clock, and signs each webhook
over the bytes it sends, with `\\uXXXX` for every non-ASCII letter.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import hmac
import io
import itertools
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from aiohttp import web

from tests.fakes.served import Served

__all__ = ["CITIZEN", "FakeWhatsApp", "Sent"]

CITIZEN = "+6281234500001"
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_WINDOW = timedelta(hours=24)
_URL_LIFE = timedelta(minutes=5)
_MB = 1024 * 1024
_LARGEST = {"image/jpeg": 5 * _MB, "image/png": 5 * _MB}
_LARGEST_DOCUMENT = 100 * _MB
_TITLES = {
    100: "Invalid parameter",
    190: "Access token has expired",
    130429: "Rate limit hit",
    131008: "Required parameter is missing",
    131009: "Parameter value is not valid",
    131026: "Message undeliverable",
    131047: "Re-engagement message",
    131053: "Media upload error",
    131056: "(Business Account, Consumer Account) pair rate limit hit",
    132001: "Template name does not exist in the translation",
}


class Refused(Exception):
    """Answered in Meta's shape of an error."""

    def __init__(self, code: int, details: str, status: int = 400) -> None:
        super().__init__(details)
        self.code, self.details, self.status = code, details, status


@dataclass(frozen=True)
class Sent:
    """A message the phone `to` shows: `+62…`, or the BSUID it was addressed by."""

    id: str
    to: str
    payload: Mapping[str, Any]

    @property
    def text(self) -> str:
        part = self.payload[self.payload["type"]]
        match self.payload["type"]:
            case "text":
                return str(part["body"])
            case "interactive":
                return str(part["body"]["text"])
            case "template":
                return " ".join(p["text"] for c in part.get("components", ()) for p in c["parameters"])
            case _:
                return str(part.get("caption", ""))

    @property
    def choices(self) -> list[tuple[str, str]]:
        """(id, title) of the buttons or rows."""
        action = self.payload.get("interactive", {}).get("action", {})
        rows = [row for section in action.get("sections", ()) for row in section["rows"]]
        return [(reply["id"], reply["title"]) for reply in [b["reply"] for b in action.get("buttons", ())] or rows]

    def as_json(self) -> dict[str, Any]:
        choices = [{"id": choice, "title": title} for choice, title in self.choices]
        return {"id": self.id, "to": self.to, "text": self.text, "choices": choices, "payload": self.payload}


@dataclass(frozen=True)
class _Media:
    content_type: str
    content: bytes


@dataclass
class _Trouble:
    """What happens to the next requests; `at` is a part of the path, such as `/messages`."""

    times: int
    at: str
    code: int | None = None
    status: int | None = None
    hang: bool = False


class FakeWhatsApp(Served):
    def __init__(
        self,
        *,
        webhook: str | None = None,
        token: str = "token-uji",
        phone_number_id: str = "100000000000001",
        app_secret: str = "rahasia-uji",
        verify_token: str = "verifikasi-uji",
        version: str = "v26.0",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        statuses: Sequence[str] = ("sent", "delivered", "read"),
        window_refusal: str = "now",
        retry_pause: float = 0.05,
    ) -> None:
        """`window_refusal` is `now`, in the answer, or `later`, as a failed status: Meta does either."""
        self.webhook, self.token, self.phone_number_id = webhook, token, phone_number_id
        self.app_secret, self.verify_token, self.version = app_secret, verify_token, version
        self.clock, self.statuses, self.window_refusal, self.retry_pause = clock, statuses, window_refusal, retry_pause
        self.messages: list[Sent] = []
        self.webhooks: list[Mapping[str, Any]] = []
        """every body delivered or, without a webhook, that would have been"""
        self.acknowledged: list[Mapping[str, Any]] = []
        self.without_phone: set[str] = set()
        """citizens, by phone, whose username hides the number from the webhooks"""
        self.stale_urls = 0
        """how many of the next media addresses have expired when they are given out"""
        self.told_sha256: str | None = None
        """a false hash to tell of every medium"""
        self.told_url: str | None = None
        """a false address to tell of every medium"""
        self.redirects: list[str] = []
        """where the next media addresses lead instead, one each"""
        self.media: dict[str, _Media] = {}
        self.templates: set[tuple[str, str]] = set()
        self.token_expires_at = 0
        """Unix time; 0: never"""
        self._last_heard: dict[str, datetime] = {}
        self._urls: dict[str, tuple[str, datetime]] = {}
        self._troubles: list[_Trouble] = []
        self._numbers = itertools.count(1)
        self._arrived = asyncio.Condition()
        self._closing = asyncio.Event()
        self._tasks: set[asyncio.Task[object]] = set()
        self.app = self._application()
        super().__init__(self.app)

    def _application(self) -> web.Application:
        app = web.Application(client_max_size=_LARGEST_DOCUMENT + _MB, middlewares=[self._guard])
        number = f"/{self.version}/{self.phone_number_id}"
        app.add_routes(
            [
                web.post(f"{number}/messages", self._messages),
                web.post(f"{number}/media", self._upload),
                web.get("/_media/{key}", self._download),
                web.get(number, self._describe_number),
                web.get(f"/{self.version}/debug_token", self._describe_token),
                web.get(f"/{self.version}/{{media}}", self._describe),
                web.post("/_control/{action}", self._control),
                web.get("/_control/messages", self._control_messages),
            ]
        )
        app.cleanup_ctx.append(self._lifetime)
        app.on_shutdown.append(self._shut)
        return app

    async def _lifetime(self, app: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as self._session:
            yield
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _shut(self, app: web.Application) -> None:
        """Let go of the requests that hang, else the server waits for them."""
        self._closing.set()

    # ---- the citizen's side

    async def say(self, text: str, sender: str = CITIZEN) -> str:
        """Deliver a text; the id of the message."""
        return await self.receive({"type": "text", "text": {"body": text}}, sender)

    async def tap(self, choice: str | int, sender: str = CITIZEN) -> str:
        """Tap a button or row of the last message with choices, by its title or its place."""
        sent = next((sent for sent in reversed(self.messages) if sent.choices and self._is_for(sent, sender)), None)
        if sent is None:
            raise LookupError(f"{sender} has no message with choices")
        titles = [title for _, title in sent.choices]
        key, title = sent.choices[choice if isinstance(choice, int) else titles.index(choice)]
        kind = "button_reply" if sent.payload["interactive"]["type"] == "button" else "list_reply"
        interactive = {"type": kind, kind: {"id": key, "title": title}}
        message = {"type": "interactive", "interactive": interactive, "context": {"id": sent.id}}
        return await self.receive(message, sender)

    async def send_photo(self, content: bytes, sender: str = CITIZEN, *, caption: str | None = None) -> str:
        return await self._send_media("image", content, "image/jpeg", sender, {"caption": caption} if caption else {})

    async def send_document(
        self, content: bytes, name: str, content_type: str, sender: str = CITIZEN, *, caption: str | None = None
    ) -> str:
        extra = {"filename": name} | ({"caption": caption} if caption else {})
        return await self._send_media("document", content, content_type, sender, extra)

    async def send_location(self, latitude: float, longitude: float, sender: str = CITIZEN) -> str:
        return await self.receive(
            {"type": "location", "location": {"latitude": latitude, "longitude": longitude}}, sender
        )

    async def send_contact(self, phone: str, sender: str = CITIZEN) -> str:
        number = {"phone": phone, "wa_id": phone.lstrip("+"), "type": "CELL"}
        card = {"name": {"formatted_name": "Kontak Uji", "first_name": "Kontak"}, "phones": [number]}
        return await self.receive({"type": "contacts", "contacts": [card]}, sender)

    async def send_again(self, sender: str = CITIZEN) -> int:
        """Deliver the citizen's last message once more under the same id, as Meta does when in doubt."""
        ours = (body for body in reversed(self.webhooks) if self.bsuid(sender) in json.dumps(body.get("entry", "")))
        return await self.send_raw(next(body for body in ours if "messages" in body["entry"][0]["changes"][0]["value"]))

    async def receive(self, message: Mapping[str, Any], sender: str = CITIZEN) -> str:
        """Deliver a message of any type, opening the window."""
        self._last_heard[sender] = self.clock()
        wamid = self._wamid(sender)
        seconds = str(int(self.clock().timestamp()))
        phone = {} if sender in self.without_phone else {"from": sender[1:]}
        contact: dict[str, Any] = {"profile": {"name": "Warga Uji"}, "user_id": self.bsuid(sender)}
        contact |= {"wa_id": sender[1:]} if phone else {}
        received = {**phone, "from_user_id": self.bsuid(sender), "id": wamid, "timestamp": seconds, **message}
        await self.send_raw(self._body({"contacts": [contact], "messages": [received]}))
        return wamid

    async def send_raw(self, body: Mapping[str, Any]) -> int:
        """Deliver any body, repeated until it is answered with 200 as Meta does; the last status, 0 if nobody answered."""
        async with self._arrived:
            self.webhooks.append(body)
            self._arrived.notify_all()
        if self.webhook is None:
            return 0
        status = 0
        for attempt in range(8):
            status = await self._post(body)
            if status == 200:
                break
            await asyncio.sleep(self.retry_pause * 2**attempt)
        return status

    async def verify_webhook(self) -> bool:
        """What Meta does when the address or the token is edited."""
        challenge = secrets.token_hex(8)
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": self.verify_token}
        async with self._session.get(str(self.webhook), params=query) as response:
            return response.status == 200 and await response.text() == challenge

    async def wait_messages(self, count: int = 1, *, after: int = 0, timeout: float = 60) -> list[Sent]:  # noqa: ASYNC109
        """All messages but the first `after`, once there are `count` of them."""
        async with asyncio.timeout(timeout), self._arrived:
            await self._arrived.wait_for(lambda: len(self.messages) >= after + count)
        return self.messages[after:]

    async def wait_webhooks(self, count: int, *, timeout: float = 60) -> list[Mapping[str, Any]]:  # noqa: ASYNC109
        async with asyncio.timeout(timeout), self._arrived:
            await self._arrived.wait_for(lambda: len(self.webhooks) >= count)
        return self.webhooks

    @staticmethod
    def bsuid(sender: str) -> str:
        return "ID." + str(int(hashlib.sha256(sender.encode()).hexdigest()[:15], 16))

    # ---- trouble to order

    def open_window(self, citizen: str = CITIZEN) -> None:
        """For a day, as a message would; `citizen` is a phone or a BSUID."""
        self._last_heard[citizen] = self.clock()

    def close_window(self, citizen: str = CITIZEN) -> None:
        """Before its time: Meta's word counts, not our clock's."""
        self._last_heard.pop(citizen, None)

    def fail(
        self, code: int | None = None, *, status: int | None = None, times: int = 1, at: str = "/messages"
    ) -> None:
        """Answer the next requests with an error of Meta's, or with a bare status as a gateway in trouble would."""
        self._troubles.append(_Trouble(times, at, code=code, status=status))

    def hang(self, *, times: int = 1, at: str = "/messages") -> None:
        """Carry the next requests out, and never answer."""
        self._troubles.append(_Trouble(times, at, hang=True))

    # ---- the API

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        if request.path.startswith("/_control/"):
            return await handler(request)
        try:
            return await self._answer(request, handler)
        except Refused as refused:
            return web.json_response({"error": _error(refused)}, status=refused.status)

    async def _answer(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            raise Refused(190, "The access token is invalid", 401)
        trouble = self._trouble(request.path)
        if trouble and trouble.code is not None:
            raise Refused(
                trouble.code, "asked for by the test", trouble.status or (401 if trouble.code == 190 else 400)
            )
        if trouble and trouble.status:
            return web.Response(status=trouble.status, text="<html>Bad gateway</html>")
        response = await handler(request)
        if trouble and trouble.hang:
            await self._closing.wait()
        return response

    def _trouble(self, path: str) -> _Trouble | None:
        trouble = next((trouble for trouble in self._troubles if trouble.times and trouble.at in path), None)
        if trouble:
            trouble.times -= 1
        return trouble

    async def _messages(self, request: web.Request) -> web.Response:
        payload = await request.json()
        if payload.get("status") == "read":
            self.acknowledged.append(payload)
            return web.json_response({"success": True})
        _check(payload, self.media, self.templates)
        to = payload.get("to") or payload["recipient"]
        sent = Sent(self._wamid(to), to, payload)
        closed = payload["type"] != "template" and self._window_closed(sent)
        if closed and self.window_refusal == "now":
            raise Refused(131047, "More than 24 hours have passed since the customer last replied to this number.")
        if not closed:
            async with self._arrived:
                self.messages.append(sent)
                self._arrived.notify_all()
        self._start(self._report(sent, ("failed",) if closed else self.statuses))
        contact = {"input": sent.to} | (
            {"user_id": sent.to} if "recipient" in payload else {"wa_id": sent.to.lstrip("+")}
        )
        return web.json_response(
            {"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": sent.id}]}
        )

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        file = form.get("file")
        if form.get("messaging_product") != "whatsapp" or not isinstance(file, web.FileField):
            raise Refused(100, "messaging_product and file are required")
        with file.file:
            content = file.file.read()
        if not content or len(content) > _LARGEST.get(file.content_type, _LARGEST_DOCUMENT):
            raise Refused(131053, f"A {file.content_type} of {len(content)} bytes can't be uploaded")
        return web.json_response({"id": self._add_media(content, file.content_type)})

    async def _describe(self, request: web.Request) -> web.Response:
        key = request.match_info["media"]
        if key not in self.media:
            raise Refused(100, f"Object with ID '{key}' does not exist")
        media, url = self.media[key], secrets.token_hex(8)
        stale, self.stale_urls = self.stale_urls > 0, max(self.stale_urls - 1, 0)
        self._urls[url] = key, self.clock() - _URL_LIFE * stale
        return web.json_response(
            {
                "messaging_product": "whatsapp",
                "url": self.told_url or str(request.url.origin() / "_media" / url),
                "mime_type": media.content_type,
                "sha256": self.told_sha256 or hashlib.sha256(media.content).hexdigest(),
                "file_size": len(media.content),
                "id": key,
            }
        )

    async def _download(self, request: web.Request) -> web.Response:
        if self.redirects:
            return web.Response(status=302, headers={"Location": self.redirects.pop(0)})
        key, given_out = self._urls.get(request.match_info["key"], ("", self.clock() - _URL_LIFE))
        if self.clock() - given_out >= _URL_LIFE:
            return web.Response(status=404)
        return web.Response(body=self.media[key].content, content_type=self.media[key].content_type)

    # ---- webhooks

    async def _report(self, sent: Sent, states: Sequence[str]) -> None:
        for state in states:
            await self.send_raw(self._body(self._status(sent, state)))

    def _status(self, sent: Sent, state: str) -> dict[str, Any]:
        status: dict[str, Any] = {"id": sent.id, "status": state, "timestamp": str(int(self.clock().timestamp()))}
        status |= {"recipient_id": sent.to.lstrip("+")} if "to" in sent.payload else {"recipient_user_id": sent.to}
        if "biz_opaque_callback_data" in sent.payload:
            status["biz_opaque_callback_data"] = sent.payload["biz_opaque_callback_data"]
        if state == "failed":
            return {"statuses": [status | {"errors": [_failed_error(131047)]}]}
        category = "utility" if sent.payload["type"] == "template" else "service"
        pricing = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": category}
        return {"statuses": [status | ({"pricing": pricing} if state == "delivered" else {})]}

    def _body(self, value: Mapping[str, Any]) -> dict[str, Any]:
        metadata = {"display_phone_number": "623112345678", "phone_number_id": self.phone_number_id}
        change = {"field": "messages", "value": {"messaging_product": "whatsapp", "metadata": metadata, **value}}
        return {"object": "whatsapp_business_account", "entry": [{"id": "200000000000002", "changes": [change]}]}

    async def _post(self, body: Mapping[str, Any]) -> int:
        raw = json.dumps(body).replace("/", "\\/").encode()
        signature = hmac.new(self.app_secret.encode(), raw, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={signature}"}
        try:
            async with self._session.post(str(self.webhook), data=io.BytesIO(raw), headers=headers) as response:
                return response.status
        except (aiohttp.ClientError, TimeoutError):
            return 0

    async def _describe_number(self, request: web.Request) -> web.Response:
        return web.json_response({"id": self.phone_number_id, "quality_rating": "GREEN"})

    async def _describe_token(self, request: web.Request) -> web.Response:
        is_valid = request.query.get("input_token") == self.token
        return web.json_response({"data": {"is_valid": is_valid, "expires_at": self.token_expires_at}})

    # ---- control

    async def _control(self, request: web.Request) -> web.Response:
        order = await request.json()
        sender = order.get("from", CITIZEN)
        match request.match_info["action"]:
            case "say":
                await self.say(order["text"], sender)
            case "tap":
                await self.tap(order["title"] if "title" in order else order["index"], sender)
            case "photo":
                await self.send_photo(base64.b64decode(order["data"]), sender, caption=order.get("caption"))
            case "location":
                await self.send_location(order["latitude"], order["longitude"], sender)
            case "document":
                content = base64.b64decode(order["data"])
                await self.send_document(content, order["name"], order["content_type"], sender)
            case "contact":
                await self.send_contact(order["phone"], sender)
            case "again":
                await self.send_again(sender)
            case "raw":
                await self.send_raw(order)
            case "fail":
                self.fail(order.get("code"), status=order.get("status"), times=order.get("times", 1))
            case "hang":
                self.hang(times=order.get("times", 1))
            case _:
                raise web.HTTPNotFound
        return web.json_response({"done": True})

    async def _control_messages(self, request: web.Request) -> web.Response:
        after = int(request.query.get("after", 0))
        return web.json_response({"messages": [sent.as_json() for sent in self.messages[after:]]})

    # ---- what it keeps

    async def _send_media(
        self, kind: str, content: bytes, content_type: str, sender: str, extra: Mapping[str, Any]
    ) -> str:
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        media = {"id": self._add_media(content, content_type), "mime_type": content_type, "sha256": digest, **extra}
        return await self.receive({"type": kind, kind: media}, sender)

    def _add_media(self, content: bytes, content_type: str) -> str:
        key = str(900000000000000 + next(self._numbers))
        self.media[key] = _Media(content_type, content)
        return key

    def _wamid(self, person: str) -> str:
        """As Meta's: the person's number or BSUID, and something random, in base64."""
        number = person.removeprefix("+").encode()
        random = f"{next(self._numbers):08X}{secrets.token_hex(6).upper()}".encode()
        parts = (b"\x1c\x18", bytes([len(number)]), number, b"\x15\x02\x00\x12\x18\x14", random, b"\x00")
        return f"wamid.{base64.b64encode(b''.join(parts)).decode()}"

    def _is_for(self, sent: Sent, citizen: str) -> bool:
        return sent.to in (citizen, citizen[1:], self.bsuid(citizen))

    def _window_closed(self, sent: Sent) -> bool:
        heard = next((when for citizen, when in self._last_heard.items() if self._is_for(sent, citizen)), None)
        return heard is None or self.clock() - heard > _WINDOW

    def _start(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _error(refused: Refused) -> dict[str, Any]:
    title = _TITLES.get(refused.code, "Error")
    return {
        "message": f"(#{refused.code}) {title}",
        "type": "OAuthException",
        "code": refused.code,
        "error_data": {"messaging_product": "whatsapp", "details": refused.details},
        "fbtrace_id": "AFakeTraceId",
    }


def _failed_error(code: int) -> dict[str, Any]:
    title = _TITLES[code]
    details = "Message failed to send because more than 24 hours have passed since the customer last replied."
    return {"code": code, "title": title, "message": title, "error_data": {"details": details}}


# ---- what Meta refuses


def _check(payload: Mapping[str, Any], media: Mapping[str, _Media], templates: set[tuple[str, str]]) -> None:
    _demand(payload.get("messaging_product") == "whatsapp", 100, "messaging_product must be whatsapp")
    _demand(("to" in payload) != ("recipient" in payload), 131008, "one of to and recipient is required")
    _demand(len(payload.get("biz_opaque_callback_data", "")) <= 512, 131009, "biz_opaque_callback_data is too long")
    kind = payload.get("type")
    part = payload.get(kind) if isinstance(kind, str) else None
    if not isinstance(part, dict):
        raise Refused(131008, f"{kind} is required")
    match kind:
        case "text":
            _text(part.get("body"), 4096, "text['body']")
        case "image" | "document":
            _demand(part.get("id") in media, 131009, "no such media id")
            _text(part.get("caption", ""), 1024, "caption", empty=True)
        case "interactive":
            _check_interactive(part, media)
        case "template":
            _check_template(part, templates)
        case _:
            raise Refused(100, f"this fake doesn't know {kind}")


def _check_interactive(part: Mapping[str, Any], media: Mapping[str, _Media]) -> None:
    action, header, body = part["action"], part.get("header"), part.get("body", {}).get("text")
    if part["type"] == "button":
        _text(body, 1024, "body")
        replies = [button["reply"] for button in action["buttons"]]
        _demand(1 <= len(replies) <= 3, 131009, "Min buttons: 1, max buttons: 3")
        _demand(len({reply["title"] for reply in replies}) == len(replies), 131009, "button titles must be unique")
        _unique_ids(replies, 256)
        for reply in replies:
            _text(reply["title"], 20, "button title")
        if header:
            _demand(header[header["type"]].get("id") in media, 131009, "no such media id in the header")
        return
    _demand(part["type"] == "list", 100, "this fake knows buttons and lists")
    _text(body, 4096, "body")
    _text(action.get("button"), 20, "action['button']")
    _demand(header is None or header["type"] == "text", 131009, "a list's header is text")
    sections = action["sections"]
    rows = [row for section in sections for row in section["rows"]]
    _demand(1 <= len(sections) <= 10 and 1 <= len(rows) <= 10, 131009, "Total row count exceed max allowed count: 10")
    for section in sections:
        _text(section.get("title", ""), 24, "section title", empty=len(sections) == 1)
    _unique_ids(rows, 200)
    for row in rows:
        _text(row["title"], 24, "row title")
        _text(row.get("description", ""), 72, "row description", empty=True)


def _check_template(part: Mapping[str, Any], templates: set[tuple[str, str]]) -> None:
    name = part.get("name"), part.get("language", {}).get("code")
    _demand(not templates or name in templates, 132001, f"no template {name}")
    for component in part.get("components", ()):
        for parameter in component.get("parameters", ()):
            text = parameter["text"]
            broken = any(mark in text for mark in ("\n", "\t", "     "))
            _demand(not broken, 100, "Param text cannot have new-line/tab characters or more than 4 consecutive spaces")
            _text(text, 1024, "template parameter")


def _unique_ids(replies: Sequence[Mapping[str, Any]], longest: int) -> None:
    ids = [reply["id"] for reply in replies]
    _demand(len(set(ids)) == len(ids), 131009, "ids must be unique")
    for key in ids:
        _text(key, longest, "id")
        _demand(key == key.strip(), 131009, "an id can't begin or end with a space")


def _text(value: object, longest: int, name: str, *, empty: bool = False) -> None:
    if not isinstance(value, str):
        raise Refused(131008, f"{name} is required")
    _demand(empty or bool(value.strip()), 131008, f"{name} is required")
    _demand(len(value) <= longest, 131009, f"{name} must be at most {longest} characters long")


def _demand(holds: bool, code: int, details: str) -> None:
    if not holds:
        raise Refused(code, details)


def main() -> None:
    parser = argparse.ArgumentParser(description="WhatsApp's Graph API on loopback, driven over /_control/")
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--webhook", help="where Praja takes WhatsApp's webhooks")
    parser.add_argument("--token", default="token-uji")
    parser.add_argument("--phone-number-id", default="100000000000001")
    parser.add_argument("--app-secret", default="rahasia-uji")
    parser.add_argument("--verify-token", default="verifikasi-uji")
    options = vars(parser.parse_args())
    port = options.pop("port")

    async def application() -> web.Application:
        return FakeWhatsApp(**options, retry_pause=0.5).app

    web.run_app(application(), host="127.0.0.1", port=port)


if __name__ == "__main__":
    main()
