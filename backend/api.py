"""The routes of the API, who may take them, and what goes in and out. `openapi.yml` describes the same for others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from aiohttp import web

from backend.abandonment import show_abandonment
from backend.adoption import adopt_draft
from backend.answer import Problem
from backend.asker import Asker, Role
from backend.border import (
    Cancellation,
    Confirmation,
    Consent,
    Correction,
    FieldChange,
    Message,
    Move,
    NewDraft,
    Survey,
    Transition,
    read_beginning,
    read_bytes,
    read_header,
    read_identifier,
    read_json,
    read_month,
    read_part,
    read_query,
)
from backend.catalogue_answers import list_services, show_service, show_services
from backend.complaints import confirm
from backend.consents import give_consent, withdraw_consent
from backend.corrections import Corrections
from backend.documents import LARGEST
from backend.dossier import find_page, show_dossier
from backend.drafts import Drafts
from backend.filings import Filings, Filter
from backend.filling import Filling
from backend.people import People
from backend.satisfaction import Sought, export_satisfaction, show_satisfaction
from backend.submission import submit
from backend.survey import keep_survey
from backend.verification import verify
from backend.workspace import Workspace

__all__ = ["Api", "Route"]

Handler = Callable[[web.Request, Asker], Awaitable[web.StreamResponse]]

_ANYONE = frozenset({Role.CHANNEL, Role.OFFICER})
_CHANNEL = frozenset({Role.CHANNEL})
_OFFICER = frozenset({Role.OFFICER})
_MESSAGE = "Praja-Message-Id"
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
        self._people = People(workspace)
        self._services = list_services(workspace.catalogue)
        self._entries = show_services(workspace.catalogue)

    def routes(self) -> Sequence[Route]:
        return (
            Route("GET", "/services", _ANYONE, self._list_services),
            Route("GET", "/services/{id}", _ANYONE, self._get_service),
            Route("POST", "/drafts", _CHANNEL, self._open_draft),
            Route("GET", "/drafts", _ANYONE, self._list_drafts),
            Route("GET", "/drafts/{id}", _CHANNEL, self._get_draft),
            Route("PATCH", "/drafts/{id}", _CHANNEL, self._answer),
            Route("DELETE", "/drafts/{id}", _CHANNEL, self._delete_draft),
            Route("PUT", "/drafts/{id}/documents/{key}", _CHANNEL, self._add_page),
            Route("POST", "/drafts/{id}/contact", _CHANNEL, self._adopt_draft),
            Route("POST", "/drafts/{id}/submit", _CHANNEL, self._submit),
            Route("GET", "/filings", _ANYONE, self._list_filings),
            Route("GET", "/filings/{number}", _ANYONE, self._get_filing),
            Route("POST", "/filings/{number}/corrections", _CHANNEL, self._correct),
            Route("POST", "/filings/{number}/cancel", _CHANNEL, self._cancel),
            Route("POST", "/filings/{number}/confirmations", _CHANNEL, self._confirm),
            Route("POST", "/filings/{number}/transitions", _OFFICER, self._move_on),
            Route("GET", "/filings/{number}/dossier", _OFFICER, self._get_dossier),
            Route("GET", "/filings/{number}/documents/{key}/{page}", _OFFICER, self._get_page),
            Route("PUT", "/filings/{number}/result", _OFFICER, self._put_result),
            Route("GET", "/filings/{number}/result", _ANYONE, self._get_result),
            Route("PUT", "/filings/{number}/survey", _CHANNEL, self._put_survey),
            Route("GET", "/verifications/{code}", _CHANNEL, self._verify),
            Route("GET", "/abandonment", _OFFICER, self._show_abandonment),
            Route("GET", "/satisfaction", _OFFICER, self._show_satisfaction),
            Route("GET", "/satisfaction.csv", _OFFICER, self._export_satisfaction),
            Route("POST", "/consents", _CHANNEL, self._give_consent),
            Route("DELETE", "/consents/{contact}", _CHANNEL, self._withdraw_consent),
            Route("GET", "/people/{contact}", _CHANNEL, self._show_person),
            Route("GET", "/people/{contact}/export", _CHANNEL, self._export_person),
            Route("DELETE", "/people/{contact}", _CHANNEL, self._erase_person),
        )

    async def _list_services(self, request: web.Request, asker: Asker) -> web.Response:
        return self._services.response()

    async def _get_service(self, request: web.Request, asker: Asker) -> web.Response:
        service = self._workspace.service(request.match_info["id"])
        if service is None:
            raise Problem(404, "not-found", "Layanan itu tidak ada di katalog.")
        return show_service(self._entries[service.id], service, self._workspace.today()).response()

    async def _open_draft(self, request: web.Request, asker: Asker) -> web.Response:
        return (await self._drafts.open(await read_json(request, NewDraft))).response()

    async def _list_drafts(self, request: web.Request, asker: Asker) -> web.Response:
        masked = asker.role is Role.OFFICER
        return (await self._drafts.list_open(_required_contact(asker), masked=masked)).response()

    async def _get_draft(self, request: web.Request, asker: Asker) -> web.Response:
        draft_id, ask = read_identifier(request, "id"), read_query(request, "ask")
        return (await self._drafts.get(draft_id, ask, read_header(request, _MESSAGE))).response()

    async def _answer(self, request: web.Request, asker: Asker) -> web.Response:
        change = await read_json(request, FieldChange)
        return (await self._filling.answer(read_identifier(request, "id"), change)).response()

    async def _delete_draft(self, request: web.Request, asker: Asker) -> web.Response:
        await self._drafts.delete(read_identifier(request, "id"))
        return web.Response(status=204)

    async def _add_page(self, request: web.Request, asker: Asker) -> web.Response:
        draft_id = read_identifier(request, "id")
        message_id = read_header(request, _MESSAGE)
        if message_id is None:
            raise Problem(422, "invalid-request", f"Kepala `{_MESSAGE}` wajib diisi.", field=_MESSAGE)
        known = await self._filling.answered_before(draft_id, message_id)
        if known is not None:
            return known.response()
        content = await read_beginning(request, LARGEST)
        return (await self._filling.add_page(draft_id, request.match_info["key"], message_id, content)).response()

    async def _adopt_draft(self, request: web.Request, asker: Asker) -> web.Response:
        move = await read_json(request, Move)
        return (await adopt_draft(self._workspace, read_identifier(request, "id"), move)).response()

    async def _submit(self, request: web.Request, asker: Asker) -> web.Response:
        refuse = read_header(request, "Praja-Refuse-Duplicate") == "yes"
        return (await submit(self._workspace, read_identifier(request, "id"), refuse_duplicate=refuse)).response()

    async def _list_filings(self, request: web.Request, asker: Asker) -> web.Response:
        wanted = Filter(
            contact=asker.contact if asker.role is Role.OFFICER else _required_contact(asker),
            state=read_query(request, "state"),
            service=read_query(request, "service"),
            office=read_query(request, "office"),
            after=read_query(request, "after"),
        )
        return (await self._filings.list_newest(wanted, asker.role)).response()

    async def _get_filing(self, request: web.Request, asker: Asker) -> web.Response:
        message_id = read_header(request, _MESSAGE)
        return (await self._filings.get(asker, request.match_info["number"], message_id)).response()

    async def _correct(self, request: web.Request, asker: Asker) -> web.Response:
        correction = await read_json(request, Correction, _LARGEST_CORRECTION)
        asker = asker.for_contact(correction.contact)
        return (await self._corrections.correct(asker, request.match_info["number"], correction)).response()

    async def _cancel(self, request: web.Request, asker: Asker) -> web.Response:
        cancellation = await read_json(request, Cancellation)
        asker = asker.for_contact(cancellation.contact)
        return (await self._filings.cancel(asker, request.match_info["number"], cancellation.reason)).response()

    async def _confirm(self, request: web.Request, asker: Asker) -> web.Response:
        confirmation = await read_json(request, Confirmation)
        asker = asker.for_contact(confirmation.contact)
        return (await confirm(self._workspace, asker, request.match_info["number"], confirmation)).response()

    async def _move_on(self, request: web.Request, asker: Asker) -> web.Response:
        step = await read_json(request, Transition)
        return (await self._filings.move_on(asker, request.match_info["number"], step)).response()

    async def _get_dossier(self, request: web.Request, asker: Asker) -> web.Response:
        number, reveal = request.match_info["number"], read_query(request, "reveal")
        return (await show_dossier(self._workspace, asker, number, reveal)).response()

    async def _get_page(self, request: web.Request, asker: Asker) -> web.Response:
        names = request.match_info
        identifier, content_type = await find_page(self._workspace, asker, names["number"], names["key"], names["page"])
        return await self._file(identifier, content_type, f"{names['key']}-{names['page']}")

    async def _put_result(self, request: web.Request, asker: Asker) -> web.Response:
        content = await read_bytes(request, LARGEST)
        return (await self._filings.put_result(asker, request.match_info["number"], content)).response()

    async def _get_result(self, request: web.Request, asker: Asker) -> web.Response:
        number = request.match_info["number"]
        identifier, content_type = await self._filings.find_result(asker, number)
        return await self._file(identifier, content_type, "hasil")

    async def _put_survey(self, request: web.Request, asker: Asker) -> web.Response:
        survey = await read_json(request, Survey)
        await keep_survey(self._workspace, asker, request.match_info["number"], survey)
        return web.Response(status=204)

    async def _verify(self, request: web.Request, asker: Asker) -> web.Response:
        code = read_part(request, "code")
        return (await verify(self._workspace, _required_contact(asker), code)).response()

    async def _show_abandonment(self, request: web.Request, asker: Asker) -> web.Response:
        return (await show_abandonment(self._workspace)).response()

    async def _show_satisfaction(self, request: web.Request, asker: Asker) -> web.Response:
        return (await show_satisfaction(self._workspace, _sought(request))).response()

    async def _export_satisfaction(self, request: web.Request, asker: Asker) -> web.Response:
        sheet = await export_satisfaction(self._workspace, _sought(request))
        return web.Response(
            text=sheet, content_type="text/csv", charset="utf-8", headers=_attached("indeks-kepuasan.csv")
        )

    async def _give_consent(self, request: web.Request, asker: Asker) -> web.Response:
        return (await give_consent(self._workspace, await read_json(request, Consent))).response()

    async def _withdraw_consent(self, request: web.Request, asker: Asker) -> web.Response:
        await read_json(request, Message)
        async with self._workspace.engine.begin() as connection:
            await withdraw_consent(connection, self._workspace, read_part(request, "contact"))
        return web.Response(status=204)

    async def _show_person(self, request: web.Request, asker: Asker) -> web.Response:
        return (await self._people.show(read_part(request, "contact"))).response()

    async def _export_person(self, request: web.Request, asker: Asker) -> web.Response:
        content = await self._people.export(read_part(request, "contact"))
        return web.Response(body=content, content_type="application/json", headers=_attached("data-saya.json"))

    async def _erase_person(self, request: web.Request, asker: Asker) -> web.Response:
        message = await read_json(request, Message)
        return (await self._people.erase(read_part(request, "contact"), message.message_id)).response()

    async def _file(self, identifier: UUID, content_type: str, name: str) -> web.Response:
        content = await asyncio.to_thread(self._workspace.store.read, identifier)
        return web.Response(
            body=content,
            content_type=content_type,
            headers=_attached(f"{name}.{_EXTENSIONS[content_type]}"),
        )


def _required_contact(asker: Asker) -> str:
    if asker.contact is None:
        raise Problem(422, "invalid-request", "Sebutkan `contact`: warga yang bertanya.", field="contact")
    return asker.contact


def _attached(name: str) -> dict[str, str]:
    return {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
    }


def _sought(request: web.Request) -> Sought:
    return Sought(
        service=read_query(request, "service"),
        agency=read_query(request, "agency"),
        first=read_month(request, "from"),
        last=read_month(request, "to"),
    )
