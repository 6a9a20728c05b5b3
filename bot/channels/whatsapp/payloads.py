"""An outgoing bubble in the Graph API's words (Meta, messages/*-messages; limits of 2026-09)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.channel import Address, Outgoing, OutgoingFile, Template

__all__ = [
    "BUTTONS",
    "BUTTON_TITLE",
    "ROWS",
    "ROW_TITLE",
    "TEXT",
    "TEXT_WITH_BUTTONS",
    "content",
    "envelope",
    "fits_under_file",
    "media_kind",
]

TEXT = 4096
TEXT_WITH_BUTTONS = 1024
BUTTONS = 3
BUTTON_TITLE = 20
ROWS = 10
ROW_TITLE = 24

_CAPTION = 1024
_IMAGES = {"image/jpeg", "image/png"}


def envelope(to: Address, tag: str | None) -> dict[str, Any]:
    """A BSUID goes into `recipient`, a phone into `to`, never both: `to` would win."""
    field = "recipient" if to.kind == "bsuid" else "to"
    payload = {"messaging_product": "whatsapp", "recipient_type": "individual", field: to.value}
    return payload | ({"biz_opaque_callback_data": tag} if tag else {})


def content(message: Outgoing, media: str | None, *, open_list: str, list_title: str) -> dict[str, Any]:
    """`media` is the uploaded file's id, None when there is no file or it went ahead of the text.

    `open_list` and `list_title` are what a list needs besides the choices.
    """
    if message.template:
        return {"type": "template", "template": _template(message.template)}
    header = _media(message.file, media) if message.file and media else None
    if message.choices:
        interactive = _interactive(message, open_list, list_title)
        return {"type": "interactive", "interactive": interactive | ({"header": header} if header else {})}
    if message.file and header:
        kind = media_kind(message.file)
        return {"type": kind, kind: header[kind] | ({"caption": message.text} if message.text else {})}
    return {"type": "text", "text": {"body": message.text, "preview_url": False}}


def fits_under_file(message: Outgoing) -> bool:
    """A list shows no file, and a caption is short."""
    return _fit_buttons(message) if message.choices else len(message.text) <= _CAPTION


def media_kind(file: OutgoingFile) -> str:
    """What isn't a picture WhatsApp shows, at most 5 MB, goes as a document, at most 100 MB."""
    return "image" if file.content_type in _IMAGES else "document"


def _media(file: OutgoingFile, media: str) -> dict[str, Any]:
    kind = media_kind(file)
    return {"type": kind, kind: {"id": media} | ({"filename": file.name} if kind == "document" else {})}


def _interactive(message: Outgoing, open_list: str, list_title: str) -> dict[str, Any]:
    body = {"text": message.text}
    if _fit_buttons(message):
        buttons = [{"type": "reply", "reply": {"id": choice, "title": title}} for choice, title in message.choices]
        return {"type": "button", "body": body, "action": {"buttons": buttons}}
    section = {"title": list_title, "rows": [{"id": choice, "title": title} for choice, title in message.choices]}
    return {"type": "list", "body": body, "action": {"button": open_list, "sections": [section]}}


def _fit_buttons(message: Outgoing) -> bool:
    titles: Sequence[str] = [title for _, title in message.choices]
    return (
        len(titles) <= BUTTONS
        and len(set(titles)) == len(titles)
        and all(len(title) <= BUTTON_TITLE for title in titles)
        and len(message.text) <= TEXT_WITH_BUTTONS
    )


def _template(template: Template) -> dict[str, Any]:
    """A parameter with a line break, a tab or more than four spaces in a row is refused (100)."""
    parameters = [{"type": "text", "text": " ".join(parameter.split())} for parameter in template.parameters]
    components = [{"type": "body", "parameters": parameters}] if parameters else []
    return {"name": template.name, "language": {"code": template.language}, "components": components}
