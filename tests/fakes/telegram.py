"""Telegram's Bot API and the phones behind it, on loopback.

In a test: `async with FakeTelegram() as telegram: await telegram.say("halo")`.
As a program, driven over HTTP by a person or another process:

    python -m tests.fakes.telegram --port 8091
    curl -d '{"from": 5001, "text": "halo"}' 127.0.0.1:8091/_control/say
    curl 127.0.0.1:8091/_control/messages

Updates wait until they are asked for (getUpdates, by offset) or, after setWebhook, are pushed one by one with the secret
header, each repeated until it is answered with 2xx. It refuses what Telegram refuses, in Telegram's words.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import itertools
import json
import re
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
from aiohttp import web

from tests.fakes.served import Served

__all__ = ["CITIZEN", "FakeTelegram", "Sent"]

CITIZEN = 5001
_MB = 1024 * 1024
_LARGEST_DOWNLOAD = 20 * _MB
_LARGEST_UPLOAD = {"photo": 10 * _MB, "document": 50 * _MB}
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_BOT = {"id": 7001, "is_bot": True, "first_name": "Praja", "username": "praja_uji_bot"}


class Refused(Exception):
    """Answered in Telegram's shape of an error."""

    def __init__(self, code: int, description: str, retry_after: int | None = None) -> None:
        super().__init__(description)
        self.code, self.description, self.retry_after = code, description, retry_after


@dataclass(frozen=True)
class Sent:
    """A message the chat `to` shows."""

    id: int
    to: int
    text: str
    choices: Sequence[tuple[str, str]]
    """(callback data, title)"""
    rows: Sequence[int]
    """buttons in each row of the keyboard"""
    file: tuple[str, bytes] | None = None
    """name, content"""
    typed: Sequence[tuple[str, bool]] = ()
    """buttons of a reply keyboard: title, and whether it sends the own contact instead"""

    def as_json(self) -> dict[str, Any]:
        choices = [{"id": choice, "title": title} for choice, title in self.choices]
        return {
            "id": self.id,
            "to": self.to,
            "text": self.text,
            "choices": choices,
            "typed": [{"title": title, "shares_contact": shares} for title, shares in self.typed],
            "file": self.file[0] if self.file else None,
        }

    def keyboard(self) -> list[list[dict[str, str]]]:
        buttons = iter([{"text": title, "callback_data": data} for data, title in self.choices])
        return [list(itertools.islice(buttons, count)) for count in self.rows]


@dataclass
class _Trouble:
    times: int
    method: str
    error: Refused | None = None
    hang: bool = False


class FakeTelegram(Served):
    def __init__(
        self,
        *,
        token: str = "7001:token-uji",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        retry_pause: float = 0.05,
    ) -> None:
        self.token, self.clock, self.retry_pause = token, clock, retry_pause
        self.messages: list[Sent] = []
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        """every method called, with its parameters"""
        self.pending: list[Mapping[str, Any]] = []
        """updates Telegram still keeps: not yet confirmed by an offset or a 2xx"""
        self.blocked: set[int] = set()
        """citizens who blocked the bot"""
        self.webhook = ""
        self.webhook_secret = ""
        self.last_error = ""
        """what went wrong when the webhook was called last, as Telegram tells it"""
        self.allowed: list[str] = []
        self.files: dict[str, bytes] = {}
        self.answered: set[str] = set()
        """ids of the taps whose spinner was stopped"""
        self._open_taps: set[str] = set()
        self._chats: set[int] = set()
        self._troubles: list[_Trouble] = []
        self._numbers = itertools.count(1)
        self._changed = asyncio.Condition()
        self._closing = False
        self._pushing: asyncio.Task[None] | None = None
        self.app = self._application()
        super().__init__(self.app)

    def _application(self) -> web.Application:
        app = web.Application(client_max_size=60 * _MB)
        app.add_routes(
            [
                web.route("*", "/bot{token}/{method}", self._call),
                web.get("/file/bot{token}/{path:.+}", self._download),
                web.post("/_control/{action}", self._control),
                web.get("/_control/messages", self._control_messages),
            ]
        )
        app.cleanup_ctx.append(self._lifetime)
        app.on_shutdown.append(self._shut)
        return app

    async def _lifetime(self, app: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as self._session:
            self._pushing = asyncio.create_task(self._push())
            yield
            self._pushing.cancel()
            await asyncio.gather(self._pushing, return_exceptions=True)

    async def _shut(self, app: web.Application) -> None:
        """Let go of the requests that hang, else the server waits for them."""
        self._closing = True
        async with self._changed:
            self._changed.notify_all()

    # ---- the citizen's side

    async def say(self, text: str, sender: int = CITIZEN) -> int:
        """Write to the bot; the id of the update."""
        return await self.receive({"text": text}, sender)

    async def tap(self, choice: str | int, sender: int = CITIZEN) -> int:
        """Tap a button of the last message with choices, by its title or its place."""
        sent = next((sent for sent in reversed(self.messages) if sent.choices and sent.to == sender), None)
        if sent is None:
            raise LookupError(f"{sender} has no message with choices")
        titles = [title for _, title in sent.choices]
        data, _ = sent.choices[choice if isinstance(choice, int) else titles.index(choice)]
        tap = secrets.token_hex(8)
        self._open_taps.add(tap)
        asked = self._message(sent.to, {"text": sent.text, "reply_markup": {"inline_keyboard": sent.keyboard()}}, _BOT)
        query = {"id": tap, "from": _user(sender), "chat_instance": "1", "data": data}
        return await self.send_raw({"callback_query": query | {"message": asked | {"message_id": sent.id}}})

    async def send_photo(self, content: bytes, sender: int = CITIZEN, *, caption: str | None = None) -> int:
        key = self.add_file(content)
        sizes = [
            {"file_id": f"kecil-{key}", "file_unique_id": "k", "width": 90, "height": 60, "file_size": 1000},
            {"file_id": key, "file_unique_id": "b", "width": 1280, "height": 960, "file_size": len(content)},
        ]
        return await self.receive({"photo": sizes} | ({"caption": caption} if caption else {}), sender)

    async def send_document(
        self, content: bytes, name: str, content_type: str, sender: int = CITIZEN, *, caption: str | None = None
    ) -> int:
        key = self.add_file(content)
        document: dict[str, Any] = {"file_id": key, "file_unique_id": "d", "file_name": name}
        document |= {"mime_type": content_type, "file_size": len(content)}
        return await self.receive({"document": document} | ({"caption": caption} if caption else {}), sender)

    async def send_location(self, latitude: float, longitude: float, sender: int = CITIZEN) -> int:
        return await self.receive({"location": {"latitude": latitude, "longitude": longitude}}, sender)

    async def send_contact(self, phone: str, sender: int = CITIZEN) -> int:
        """The citizen's own, as the button asks for."""
        contact = {"phone_number": phone, "first_name": "Warga", "user_id": sender}
        return await self.receive({"contact": contact}, sender)

    async def receive(self, content: Mapping[str, Any], sender: int = CITIZEN) -> int:
        """A message of any kind, in a private chat."""
        return await self.send_raw({"message": self._message(sender, content, _user(sender))})

    async def send_raw(self, update: Mapping[str, Any]) -> int:
        """Any update; it gets an `update_id` if it has none."""
        update = {"update_id": next(self._numbers), **update}
        kind = next(key for key in update if key != "update_id")
        if not self.allowed or kind in self.allowed:
            async with self._changed:
                self.pending.append(update)
                self._changed.notify_all()
        return int(update["update_id"])

    async def wait_messages(self, count: int = 1, *, after: int = 0, timeout: float = 60) -> list[Sent]:  # noqa: ASYNC109
        """All messages but the first `after`, once there are `count` of them."""
        async with asyncio.timeout(timeout), self._changed:
            await self._changed.wait_for(lambda: len(self.messages) >= after + count)
        return self.messages[after:]

    async def wait_confirmed(self, *, timeout: float = 60) -> None:  # noqa: ASYNC109
        """Until Telegram keeps no update any more."""
        async with asyncio.timeout(timeout), self._changed:
            await self._changed.wait_for(lambda: not self.pending)

    def add_file(self, content: bytes) -> str:
        key = f"file-{next(self._numbers)}"
        self.files[key] = content
        return key

    # ---- trouble to order

    def fail(
        self, code: int, description: str, *, retry_after: int | None = None, times: int = 1, method: str = "send"
    ) -> None:
        """Refuse the next calls of methods whose name begins with `method`."""
        self._troubles.append(_Trouble(times, method, Refused(code, description, retry_after)))

    def hang(self, *, times: int = 1, method: str = "send") -> None:
        """Carry the next calls out, and never answer."""
        self._troubles.append(_Trouble(times, method, hang=True))

    # ---- the API

    async def _call(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        parameters = await _parameters(request)
        self.calls.append((method, parameters))
        try:
            if request.match_info["token"] != self.token:
                raise Refused(401, "Unauthorized")
            trouble = next((t for t in self._troubles if t.times and method.startswith(t.method)), None)
            if trouble:
                trouble.times -= 1
                if trouble.error:
                    raise trouble.error
            result = await self._carry_out(method, parameters)
            if trouble:
                await self._until_closed()
            return web.json_response({"ok": True, "result": result})
        except Refused as refused:
            body: dict[str, Any] = {"ok": False, "error_code": refused.code, "description": refused.description}
            if refused.retry_after:
                body["parameters"] = {"retry_after": refused.retry_after}
            return web.json_response(body, status=refused.code)

    async def _carry_out(self, method: str, parameters: Mapping[str, Any]) -> object:
        match method:
            case "getMe":
                return {**_BOT, "can_join_groups": False, "can_read_all_group_messages": False}
            case "getUpdates":
                return await self._get_updates(parameters)
            case "setWebhook":
                return await self._set_webhook(parameters)
            case "deleteWebhook":
                self.webhook = ""
                return True
            case "getWebhookInfo":
                info = {"url": self.webhook, "has_custom_certificate": False, "pending_update_count": len(self.pending)}
                failed = {"last_error_message": self.last_error} if self.last_error else {}
                return info | {"allowed_updates": self.allowed} | failed
            case "sendMessage":
                return await self._show(parameters, _text(parameters.get("text"), 4096, "message text", "message"))
            case "sendPhoto":
                return await self._show_file("photo", parameters)
            case "sendDocument":
                return await self._show_file("document", parameters)
            case "sendChatAction":
                self._reach(parameters)
                return True
            case "answerCallbackQuery":
                return self._answer(str(parameters.get("callback_query_id")))
            case "getFile":
                return self._get_file(str(parameters.get("file_id")))
            case _:
                raise Refused(404, "Not Found")

    async def _get_updates(self, parameters: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        if self.webhook:
            raise Refused(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook")
        self._allow(parameters)
        offset, limit = int(parameters.get("offset", 0)), int(parameters.get("limit", 100))
        async with self._changed:
            self.pending = [update for update in self.pending if update["update_id"] >= offset]
            self._changed.notify_all()
            try:
                async with asyncio.timeout(min(float(parameters.get("timeout", 0)), 50)):
                    await self._changed.wait_for(lambda: self.pending or self._closing)
            except TimeoutError:
                return []
            return self.pending[:limit]

    async def _set_webhook(self, parameters: Mapping[str, Any]) -> bool:
        secret = parameters.get("secret_token", "")
        if secret and not _SECRET.fullmatch(secret):
            raise Refused(400, "Bad Request: secret token contains unallowed characters")
        self._allow(parameters)
        async with self._changed:
            self.webhook, self.webhook_secret = parameters.get("url", ""), secret
            self._changed.notify_all()
        return True

    def _allow(self, parameters: Mapping[str, Any]) -> None:
        """Left out, what an earlier call asked for stays."""
        if "allowed_updates" in parameters:
            self.allowed = list(_decoded(parameters["allowed_updates"]))

    async def _push(self) -> None:
        pause = self.retry_pause
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self.webhook and self.pending)
                update = self.pending[0]
            if await self._post(update):
                pause = self.retry_pause
                async with self._changed:
                    self.pending = [kept for kept in self.pending if kept is not update]
                    self._changed.notify_all()
            else:
                await asyncio.sleep(pause)
                pause = min(pause * 2, 60)

    async def _post(self, update: Mapping[str, Any]) -> bool:
        headers = {"X-Telegram-Bot-Api-Secret-Token": self.webhook_secret} if self.webhook_secret else {}
        try:
            async with self._session.post(self.webhook, json=update, headers=headers) as response:
                return 200 <= response.status < 300
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def _show_file(self, kind: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        given = parameters.get(kind)
        file = parameters.get(given.removeprefix("attach://")) if isinstance(given, str) else given
        if not isinstance(file, web.FileField):
            raise Refused(400, f"Bad Request: there is no {kind} in the request")
        with file.file:
            content = file.file.read()
        if len(content) > _LARGEST_UPLOAD[kind]:
            raise Refused(413, "Request Entity Too Large")
        caption = _text(parameters.get("caption", ""), 1024, "message caption", "message caption", empty=True)
        return await self._show(parameters, caption, (file.filename, content))

    async def _show(
        self, parameters: Mapping[str, Any], text: str, file: tuple[str, bytes] | None = None
    ) -> Mapping[str, Any]:
        chat = self._reach(parameters)
        markup = _decoded(parameters.get("reply_markup", "{}"))
        rows = _keyboard(markup)
        choices = [(button["callback_data"], button["text"]) for row in rows for button in row]
        typed = [
            (button["text"], button.get("request_contact", False))
            for row in markup.get("keyboard", [])
            for button in row
        ]
        sent = Sent(next(self._numbers), chat, text, choices, [len(row) for row in rows], file, typed)
        async with self._changed:
            self.messages.append(sent)
            self._changed.notify_all()
        return self._message(chat, {"text": text}, _BOT) | {"message_id": sent.id}

    def _reach(self, parameters: Mapping[str, Any]) -> int:
        """Only who wrote first can be written to."""
        chat = int(parameters.get("chat_id", 0))
        if chat not in self._chats:
            raise Refused(400, "Bad Request: chat not found")
        if chat in self.blocked:
            raise Refused(403, "Forbidden: bot was blocked by the user")
        return chat

    def _answer(self, tap: str) -> bool:
        if tap not in self._open_taps:
            raise Refused(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        self._open_taps.discard(tap)
        self.answered.add(tap)
        return True

    def _get_file(self, key: str) -> Mapping[str, Any]:
        if key not in self.files:
            raise Refused(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        size = len(self.files[key])
        if size > _LARGEST_DOWNLOAD:
            raise Refused(400, "Bad Request: file is too big")
        return {"file_id": key, "file_unique_id": key, "file_size": size, "file_path": f"documents/{key}"}

    async def _download(self, request: web.Request) -> web.Response:
        if request.match_info["token"] != self.token:
            return web.json_response({"ok": False, "error_code": 401, "description": "Unauthorized"}, status=401)
        content = self.files.get(request.match_info["path"].removeprefix("documents/"))
        if content is None:
            return web.json_response({"ok": False, "error_code": 404, "description": "Not Found"}, status=404)
        return web.Response(body=content)

    async def _until_closed(self) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self._closing)

    # ---- control

    async def _control(self, request: web.Request) -> web.Response:
        order = await request.json()
        sender = int(order.get("from", CITIZEN))
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
            case "raw":
                await self.send_raw(order)
            case "fail":
                self.fail(
                    order["code"],
                    order["description"],
                    retry_after=order.get("retry_after"),
                    times=order.get("times", 1),
                    method=order.get("method", "send"),
                )
            case "hang":
                self.hang(times=order.get("times", 1))
            case _:
                raise web.HTTPNotFound
        return web.json_response({"done": True})

    async def _control_messages(self, request: web.Request) -> web.Response:
        after = int(request.query.get("after", 0))
        messages = [sent.as_json() for sent in self.messages[after:]]
        return web.json_response({"messages": messages, "pending": len(self.pending)})

    def _message(self, chat: int, content: Mapping[str, Any], sender: Mapping[str, Any]) -> dict[str, Any]:
        self._chats.add(chat)
        date = int(self.clock().timestamp())
        private = {"id": chat, "type": "private", "first_name": "Warga"}
        return {"message_id": next(self._numbers), "from": sender, "chat": private, "date": date, **content}


def _user(sender: int) -> dict[str, Any]:
    return {"id": sender, "is_bot": False, "first_name": "Warga", "language_code": "id"}


async def _parameters(request: web.Request) -> dict[str, Any]:
    """The API takes them from the query, a form, a multipart form or JSON."""
    if request.content_type == "application/json":
        return {**request.query, **await request.json()}
    return {**request.query, **await request.post()}


def _decoded(value: object) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _keyboard(markup: Mapping[str, Any]) -> list[list[Mapping[str, str]]]:
    rows: list[list[Mapping[str, str]]] = markup.get("inline_keyboard", [])
    for button in itertools.chain.from_iterable(rows):
        if not 1 <= len(button.get("callback_data", "").encode()) <= 64:
            raise Refused(400, "Bad Request: BUTTON_DATA_INVALID")
        if not button.get("text"):
            raise Refused(400, "Bad Request: text buttons are not allowed to be empty")
    if sum(map(len, rows)) > 100 or any(len(row) > 8 for row in rows):
        raise Refused(400, "Bad Request: reply markup is too long")
    return rows


def _text(value: object, longest: int, name: str, short: str, *, empty: bool = False) -> str:
    if not isinstance(value, str) or not (empty or value.strip()):
        raise Refused(400, f"Bad Request: {name} is empty")
    if len(value) > longest:
        raise Refused(400, f"Bad Request: {short} is too long")
    return value


def main() -> None:
    parser = argparse.ArgumentParser(description="Telegram's Bot API on loopback, driven over /_control/")
    parser.add_argument("--port", type=int, default=8091)
    parser.add_argument("--token", default="7001:token-uji")
    options = parser.parse_args()

    async def application() -> web.Application:
        return FakeTelegram(token=options.token).app

    web.run_app(application(), host="127.0.0.1", port=options.port)


if __name__ == "__main__":
    main()
