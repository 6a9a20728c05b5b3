"""What the backend knows of the citizen of a conversation. It is asked beside the page, which waits for no other server."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence

from aiohttp import web

from bot.desk.access import shown
from console.audit import record_look
from console.backend import BackendDown, BackendRefused, Draft, Filing, ListedService
from console.filings import STATES, name_of_service
from console.protection import WORKSPACE, page, signed_in
from console.replies import fill
from console.scope import officer_of
from console.workspace import Workspace

__all__ = ["known_services", "routes"]

_PATIENCE = 2.0
"""seconds"""


def routes() -> list[web.RouteDef]:
    return [web.get("/percakapan/{id}/warga", _show, name="citizen")]


async def known_services(workspace: Workspace) -> Sequence[ListedService]:
    """The catalogue's; none while the backend doesn't answer at once."""
    try:
        async with asyncio.timeout(_PATIENCE):
            return await workspace.backend.services()
    except (BackendDown, BackendRefused, TimeoutError):
        return ()


async def _show(request: web.Request) -> web.Response:
    """Filings and drafts, and the canned replies, in which a filing's number may stand. `?service=` is talked about."""
    workspace, me = request.config_dict[WORKSPACE], signed_in(request).account
    conversation = _conversation(request)
    async with workspace.store.single.connect() as connection:
        found = await shown(connection, workspace.room, officer_of(me), conversation)
    await record_look(workspace, me.id, f"conversation:{conversation}")
    backend, contact, service = workspace.backend, str(conversation), request.query.get("service", "")
    filings: Sequence[Filing] | None = None
    drafts: Sequence[Draft] = ()
    names: dict[str, str] = {}
    try:
        (found_filings, _), drafts, names = await asyncio.gather(
            backend.filings(contact=contact), backend.drafts(contact), backend.names()
        )
        for other in {service, *(f.service for f in found_filings), *(d.service for d in drafts)} - {"", *names}:
            names[other] = await name_of_service(workspace, other)
        filings = found_filings
    except (BackendDown, BackendRefused):
        pass
    variables = {
        "petugas": me.name,
        "layanan": names.get(service),
        "nomor": filings[0].number if filings else None,
    }
    return page(
        request,
        "citizen.html",
        conversation=conversation,
        filings=filings,
        drafts=drafts,
        names=names,
        states=STATES,
        is_holder=found.officer == str(me.id),
        replies=fill(workspace.replies, variables),
    )


def _conversation(request: web.Request) -> uuid.UUID:
    try:
        return uuid.UUID(request.match_info["id"])
    except ValueError:
        raise web.HTTPNotFound(text="Percakapan itu tidak ada.") from None
