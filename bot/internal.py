"""The room's inner doors, for Rasa and the actions: files of a turn, one-time links, and the wish to be forgotten."""

from __future__ import annotations

import json
import uuid
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ValidationError
from sqlalchemy import exists, select

from bot.access import require_bearer
from bot.erasure import wish_erased
from bot.files import load_file
from bot.links import LinkKind, Subject, issue, read_subject
from bot.store import Store
from bot.tables import conversations

__all__ = ["InnerDoors"]


class LinkWish(BaseModel):
    kind: LinkKind
    conversation: uuid.UUID
    subject: dict[str, Any] = {}


class InnerDoors:
    def __init__(self, store: Store, token: str, public_url: str) -> None:
        self._store = store
        self._token = token
        self._public_url = public_url.rstrip("/")

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/internal/files/{id}", self._file),
            web.post("/internal/links", self._link),
            web.post("/internal/people/{conversation}/erasure", self._erase),
        ]

    async def _file(self, request: web.Request) -> web.Response:
        require_bearer(request, self._token)
        found = await load_file(self._store, _uuid(request.match_info["id"]))
        if found is None:
            raise web.HTTPNotFound
        # The citizen's word for the type is passed on as it came, and nobody is to guess another.
        headers = {"Content-Type": found[0], "X-Content-Type-Options": "nosniff"}
        return web.Response(body=found[1], headers=headers)

    async def _link(self, request: web.Request) -> web.Response:
        require_bearer(request, self._token)
        wish, subject = await _read_wish(request)
        async with self._store.engine.begin() as connection:
            if not await connection.scalar(select(exists().where(conversations.c.id == wish.conversation))):
                raise web.HTTPNotFound
            path = await issue(connection, self._store, wish.kind, wish.conversation, subject)
        return web.json_response({"url": self._public_url + path}, status=201)

    async def _erase(self, request: web.Request) -> web.Response:
        """202: it happens as soon as nothing is under way, which the turn that asks for it still is."""
        require_bearer(request, self._token)
        if not await wish_erased(self._store, _uuid(request.match_info["conversation"])):
            raise web.HTTPNotFound
        return web.json_response({}, status=202)


async def _read_wish(request: web.Request) -> tuple[LinkWish, Subject]:
    try:
        wish = LinkWish.model_validate(json.loads(await request.read()))
        return wish, read_subject(wish.kind, wish.subject)
    except ValidationError as error:
        wrong = ", ".join(".".join(map(str, part["loc"])) for part in error.errors())
        raise web.HTTPUnprocessableEntity(text=f"wrong or missing: {wrong}") from None
    except (ValueError, RecursionError):
        raise web.HTTPUnprocessableEntity(text="not JSON") from None


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise web.HTTPNotFound from None
