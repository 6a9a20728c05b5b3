"""The pages that one-time links open: plain HTML that works without scripts, on any phone."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.page_texts import PageTexts

__all__ = ["PagePrinter", "local_hour"]

_TEMPLATES = Path(__file__).parent / "pages"
_LOCAL_TIME: Final = ZoneInfo("Asia/Jakarta")
_POLICY = "; ".join(
    (
        *("default-src 'none'", "style-src 'self'", "img-src data:", "form-action 'self'"),
        *("base-uri 'none'", "frame-ancestors 'none'"),
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    # The address is the secret: it goes to nobody, into no cache and no search engine.
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
}


class PagePrinter:
    def __init__(self, texts: PageTexts) -> None:
        self.texts = texts
        self._templates = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/halaman.css", self._style)]

    def page(self, template: str, *, status: int = 200, **values: Any) -> web.Response:
        body = self._templates.get_template(f"{template}.html").render(t=self.texts, **values)
        return web.Response(text=body, status=status, content_type="text/html", charset="utf-8", headers=_HEADERS)

    def told(self, which: str, *, status: int) -> web.Response:
        """`tidak_berlaku` or `gangguan`: what is the matter, and what to do."""
        return self.page("told", status=status, told=getattr(self.texts, which))

    async def _style(self, request: web.Request) -> web.Response:
        headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "public, max-age=3600"}
        body = (_TEMPLATES / "halaman.css").read_bytes()
        return web.Response(body=body, content_type="text/css", charset="utf-8", headers=headers)


def local_hour(at: datetime) -> str:
    """`20.15`"""
    return f"{at.astimezone(_LOCAL_TIME):%H.%M}"
