"""The page `/penilaian/TOKEN`: the nine elements of Permenpan RB 14/2017, voluntary, after a filing is done."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from bot.backend import Backend, BackendDown, BackendRefused
from bot.links import Link, LinkKind, SurveySubject, find, use
from bot.page import PagePrinter
from bot.services import Service
from bot.store import Store, clean

__all__ = ["SurveyPage"]

_LONGEST_SUGGESTION = 1000
_MARKS = {"1": 1, "2": 2, "3": 3, "4": 4}


class SurveyPage:
    def __init__(self, store: Store, printer: PagePrinter, backend: Backend, services: Mapping[str, Service]) -> None:
        self._store = store
        self._printer = printer
        self._texts = printer.texts.penilaian
        self._backend = backend
        self._services = services
        self._elements = [name for name, _ in self._texts.unsur]

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/penilaian/{token}", self._show), web.post("/penilaian/{token}", self._take)]

    async def _show(self, request: web.Request) -> web.Response:
        link = await find(self._store, LinkKind.SURVEY, request.match_info["token"])
        if link is None or (link.expired and not link.used):
            return self._printer.told("tidak_berlaku", status=410 if link else 404)
        if link.used:
            return self._printer.page("done", heading=self._texts.terkirim_judul, sentence=self._texts.terkirim)
        return self._form(link, {}, "")

    async def _take(self, request: web.Request) -> web.Response:
        link = await find(self._store, LinkKind.SURVEY, request.match_info["token"])
        if link is None or (link.expired and not link.used):
            return self._printer.told("tidak_berlaku", status=410 if link else 404)
        if not link.used:
            form = await request.post()
            scores = {name: _MARKS[mark] for name in self._elements if (mark := str(form.get(name, ""))) in _MARKS}
            suggestion = clean(str(form.get("saran", ""))).strip()
            if not scores and not suggestion:
                return self._form(link, scores, suggestion, self._texts.kosong)
            if len(suggestion) > _LONGEST_SUGGESTION:
                problem = self._texts.terlalu_panjang.format(huruf=_LONGEST_SUGGESTION)
                return self._form(link, scores, suggestion, problem)
            trouble = await self._rate(link, scores, suggestion)
            if trouble is not None:
                return trouble
        raise web.HTTPSeeOther(request.path)

    async def _rate(self, link: Link, scores: Mapping[str, int], suggestion: str) -> web.Response | None:
        """None when the backend has taken it."""
        subject = _subject(link)
        try:
            # The same id for the same link: what the backend took without saying so it doesn't take twice.
            await self._backend.rate(
                subject.number, str(link.conversation), f"penilaian:{link.fingerprint[:40]}", scores, suggestion or None
            )
        except BackendDown:
            problem = f"{self._printer.texts.gangguan.penjelasan} {self._printer.texts.gangguan.langkah}"
            return self._form(link, scores, suggestion, problem, status=503)
        except BackendRefused:
            return self._printer.page("done", status=409, heading=self._texts.judul, sentence=self._texts.ditolak)
        async with self._store.engine.begin() as connection:
            await use(connection, self._store, link)
        return None

    def _form(
        self, link: Link, scores: Mapping[str, int], suggestion: str, problem: str = "", *, status: int = 422
    ) -> web.Response:
        subject = _subject(link)
        known = self._services.get(subject.service)
        return self._printer.page(
            "survey",
            status=status if problem else 200,
            subject=subject,
            service=known.name if known else subject.service.replace("_", " "),
            scores=scores,
            suggestion=suggestion,
            longest=_LONGEST_SUGGESTION,
            problem=problem,
        )


def _subject(link: Link) -> SurveySubject:
    assert isinstance(link.subject, SurveySubject)
    return link.subject
