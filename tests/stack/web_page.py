"""A page as a phone's browser shows it: its words, its form, and what comes after the form is sent."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import httpx

from tests.stack.citizen import SentFile

__all__ = ["LINK", "Page", "link_in", "open_page"]

LINK = re.compile(r"https?://\S+/(?:unggah|penilaian|data)/[\w-]+")


@dataclass
class Page:
    url: str
    status: int
    words: str
    content: bytes
    content_type: str
    controls: Mapping[str, Sequence[str]]
    """of the form: the values that each name may have, none for free ones"""
    action: str | None
    """None: the page has no form"""

    def send(self, values: Mapping[str, str] | None = None, files: Sequence[SentFile] = ()) -> Page:
        """Fills in and sends the form; the page that follows."""
        assert self.action is not None, f"{self.url} has no form: {self.words}"
        values = values or {}
        for name, value in values.items():
            assert name in self.controls, f"the form asks for {', '.join(self.controls)}, not for {name}"
            allowed = self.controls[name]
            assert not allowed or value in allowed, f"{name} may be {', '.join(allowed)}, not {value}"
        (place,) = [name for name in self.controls if name == "berkas"] or [""]
        parts = [(place, (file.name, file.content, file.content_type)) for file in files]
        more: dict[str, Any] = {"files": parts} if parts else {}
        return _page(httpx.post(self.action, data=dict(values), follow_redirects=True, timeout=30, **more))


def open_page(url: str) -> Page:
    return _page(httpx.get(url, follow_redirects=True, timeout=30))


def link_in(text: str) -> str:
    found = LINK.search(text)
    assert found is not None, f"no link in {text!r}"
    return found[0]


def _page(answer: httpx.Response) -> Page:
    reader = _Reader()
    if answer.headers["content-type"].startswith("text/html"):
        reader.feed(answer.text)
    return Page(
        url=str(answer.url),
        status=answer.status_code,
        words=" ".join(" ".join(reader.words).split()),
        content=answer.content,
        content_type=answer.headers["content-type"],
        controls=reader.controls,
        action=None if reader.action is None else urljoin(str(answer.url), reader.action),
    )


@dataclass
class _Reader(HTMLParser):
    words: list[str] = field(default_factory=list)
    controls: dict[str, list[str]] = field(default_factory=dict)
    action: str | None = None

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.action = given.get("action") or ""
        if tag in ("input", "textarea", "select") and (name := given.get("name")):
            values = self.controls.setdefault(name, [])
            if given.get("type") in ("radio", "checkbox", "hidden"):
                values.append(given.get("value") or "")

    def handle_data(self, data: str) -> None:
        self.words.append(data)
