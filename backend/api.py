"""The routes of the API, who may take them, and what goes in and out. `openapi.yml` describes the same for others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from aiohttp import web

from backend.answer import Problem
from backend.asker import Asker, Role
from backend.border import (
    Cancellation,
    Correction,
    FieldChange,
    NewDraft,
    Transition,
    read_bytes,
    read_header,
    read_identifier,
    read_json,
    read_query,
)
from backend.catalogue_answers import list_services, show_services
from backend.corrections import Corrections
from backend.documents import LARGEST
from backend.drafts import Drafts
from backend.filings import Filings, Filter
from backend.filling import Filling
from backend.submission import submit
from backend.workspace import Workspace

__all__ = ["Api", "Route"]

Handler = Callable[[web.Request, Asker], Awaitable[web.StreamResponse]]

_ANYONE = frozenset({Role.CHANNEL, Role.OFFICER})
_CHANNEL = frozenset({Role.CHANNEL})
_OFFICER = frozenset({Role.OFFICER})
_LARGEST_CORRECTION = LARGEST * 4 // 3 + 64 * 1024
"""base64 of the largest file"""
_EXTENSIONS = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    roles: frozenset[Role]
    handler: Handler


class Api:
    PREFIX: ClassVar[str] = "/api/v1"

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._drafts = Drafts(workspace)
        self._filling = Filling(workspace)
        self._filings = Filings(workspace)
        self._corrections = Corrections(workspace)
        self._services = list_services(workspace.catalogue)
        self._service = show_services(workspace.catalogue)

    def routes(self) -> Sequence[Route]:
        return (
            Route("GET", "/services", _ANYONE, self._list_services),
            Route("GET", "/services/{id}", _ANYONE, self._get_service),
            Route("POST", "/drafts", _CHANNEL, self._open_draft),
            Route("GET", "/drafts", _CHANNEL, self._list_drafts),
            Route("GET", "/drafts/{id}", _CHANNEL, self._get_draft),
            Route("PATCH", "/drafts/{id}", _CHANNEL, self._answer),
            Route("DELETE", "/drafts/{id}", _CHANNEL, self._delete_draft),
            Route("PUT", "/drafts/{id}/documents/{key}", _CHANNEL, self._add_page),
            Route("POST", "/drafts/{id}/submit", _CHANNEL, self._submit),
            Route("GET", "/filings", _ANYONE, self._list_filings),
            Route("GET", "/filings/{number}", _ANYONE, self._get_filing),
            Route("POST", "/filings/{number}/corrections", _CHANNEL, self._correct),
            Route("POST", "/filings/{number}/cancel", _CHANNEL, self._cancel),
            Route("POST", "/filings/{number}/transitions", _OFFICER, self._move_on),
            Route("PUT", "/filings/{number}/result", _OFFICER, self._put_result),
            Route("GET", "/filings/{number}/result", _ANYONE, self._get_result),
        )

    async def _list_services(self, request: web.Request, asker: Asker) -> web.Response:
        return self._services.response()

    async def _get_service(self, request: web.Request, asker: Asker) -> web.Response:
        answer = self._service.get(request.match_info["id"])
        if answer is None:
            raise Problem(404, "not-found", "Layanan itu tidak ada di katalog.")
        return answer.response()

    async def _open_draft(self, request: web.Request, asker: Asker) -> web.Response:
        return (await self._drafts.open(await read_json(request, NewDraft))).response()

    async def _list_drafts(self, request: web.Request, asker: Asker) -> web.Response:
        return (await self._drafts.list_open(_required_contact(asker))).response()

    async def _get_draft(self, request: web.Request, asker: Asker) -> web.Response:
        return (await self._drafts.get(read_identifier(request, "id"), read_query(request, "ask"))).response()

    async def _answer(self, request: web.Request, asker: Asker) -> web.Response:
        change = await read_json(request, FieldChange)
        return (await self._filling.answer(read_identifier(request, "id"), change)).response()

    async def _delete_draft(self, request: web.Request, asker: Asker) -> web.Response:
        await self._drafts.delete(read_identifier(request, "id"))
        return web.Response(status=204)

    async def _add_page(self, request: web.Request, asker: Asker) -> web.Response:
        draft_id = read_identifier(request, "id")
        message_id = read_header(request, "Praja-Message-Id")
        if message_id is None:
            raise Problem(422, "invalid-request", "Kepala `Praja-Message-Id` wajib diisi.", field="Praja-Message-Id")
        known = await self._filling.answered_before(draft_id, message_id)
        if known is not None:
            return known.response()
        content = await read_bytes(request, LARGEST)
        return (await self._filling.add_page(draft_id, request.match_info["key"], message_id, content)).response()

    async def _submit(self, request: web.Request, asker: Asker) -> web.Response:
        confirms = read_header(request, "Praja-Confirm-Duplicate") == "yes"
        return (await submit(self._workspace, read_identifier(request, "id"), confirms)).response()

    async def _list_filings(self, request: web.Request, asker: Asker) -> web.Response:
        wanted = Filter(
            contact=asker.contact if asker.role is Role.OFFICER else _required_contact(asker),
            state=read_query(request, "state"),
            service=read_query(request, "service"),
            office=read_query(request, "office"),
            after=read_query(request, "after"),
        )
        return (await self._filings.list_newest(wanted)).response()

    async def _get_filing(self, request: web.Request, asker: Asker) -> web.Response:
        return (await self._filings.get(asker, request.match_info["number"])).response()

    async def _correct(self, request: web.Request, asker: Asker) -> web.Response:
        correction = await read_json(request, Correction, _LARGEST_CORRECTION)
        return (await self._corrections.correct(asker, request.match_info["number"], correction)).response()

    async def _cancel(self, request: web.Request, asker: Asker) -> web.Response:
        cancellation = await read_json(request, Cancellation)
        return (await self._filings.cancel(asker, request.match_info["number"], cancellation.reason)).response()

    async def _move_on(self, request: web.Request, asker: Asker) -> web.Response:
        step = await read_json(request, Transition)
        return (await self._filings.move_on(asker, request.match_info["number"], step)).response()

    async def _put_result(self, request: web.Request, asker: Asker) -> web.Response:
        content = await read_bytes(request, LARGEST)
        return (await self._filings.put_result(asker, request.match_info["number"], content)).response()

    async def _get_result(self, request: web.Request, asker: Asker) -> web.Response:
        number = request.match_info["number"]
        identifier, content_type = await self._filings.find_result(asker, number)
        content = await asyncio.to_thread(self._workspace.store.read, identifier)
        return web.Response(
            body=content,
            content_type=content_type,
            headers={
                "Cache-Control": "no-store",
                "Content-Disposition": f'attachment; filename="hasil.{_EXTENSIONS[content_type]}"',
                "X-Content-Type-Options": "nosniff",
            },
        )


def _required_contact(asker: Asker) -> str:
    if asker.contact is None:
        raise Problem(422, "invalid-request", "Sebutkan `contact`: warga yang bertanya.", field="contact")
    return asker.contact
