"""Where untrusted input becomes typed: bodies, queries, headers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Self, TypeVar
from uuid import UUID

from aiohttp import web
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StrictBool,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from backend.answer import Problem
from backend.satisfaction import Element
from backend.states import State

__all__ = [
    "Cancellation",
    "Confirmation",
    "Consent",
    "Correction",
    "FieldChange",
    "Flaw",
    "Message",
    "Move",
    "NewDraft",
    "Survey",
    "Transition",
    "read_beginning",
    "read_bytes",
    "read_header",
    "read_identifier",
    "read_json",
    "read_month",
    "read_part",
    "read_query",
]

_LARGEST_JSON = 1024 * 1024
_MONTH = re.compile(r"\d{4}-\d{2}", re.ASCII)

Token = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""Something that is stored and compared, never shown: PostgreSQL takes no NUL."""
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000, pattern=r"^[^\x00]*$")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class NewDraft(_Body):
    service: Token
    contact: Token
    channel: Token
    on_behalf_of: Token | None = None


class Message(_Body):
    message_id: Token


class Consent(Message):
    contact: Token
    version: Token
    channel: Token


class Move(Message):
    """To another contact of the same person."""

    contact: Token
    channel: Token


class Survey(Message):
    scores: Mapping[Element, Annotated[int, Field(strict=True, ge=1, le=4)]]
    suggestion: Words | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.scores and not self.suggestion:
            raise ValueError("Isi paling sedikit satu nilai, atau saran.")
        return self


class FieldChange(_Body):
    message_id: Token
    field: Token
    value: JsonValue


class _Wish(_Body):
    """What a citizen wants done with a filing."""

    contact: Token | None = None
    """who, where neither header nor query says it"""


class _Item(_Body):
    """A field or a document, by its id."""

    field: Token | None = None
    document: Token | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.field is None) == (self.document is None):
            raise ValueError("Sebutkan salah satu: `field` atau `document`.")
        return self


class Correction(_Wish, _Item):
    """`value` of a document: its pages, each the file in base64; one string stands for one page."""

    message_id: Token
    value: JsonValue


class Flaw(_Item):
    reason: Annotated[Words, StringConstraints(min_length=1)]


class Cancellation(_Wish):
    reason: Words


class Confirmation(_Wish):
    """Whether a complaint is settled."""

    message_id: Token
    resolved: StrictBool
    note: Words | None = None


class Transition(_Body):
    to: State
    note: Words | None = None
    fix: tuple[Flaw, ...] = ()
    officer: Token


Model = TypeVar("Model", bound=BaseModel)
_TOKEN: TypeAdapter[str] = TypeAdapter(Token)


async def read_json(request: web.Request, model: type[Model], largest: int = _LARGEST_JSON) -> Model:
    body = await read_bytes(request, largest)
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        raise Problem(400, "malformed", "Isi permintaan bukan JSON yang sah.")
    if first["type"] == "value_error":
        raise Problem(422, "invalid-request", str(first["ctx"]["error"]))
    if not first["loc"]:
        raise Problem(422, "invalid-request", "Isi permintaan harus satu objek JSON.")
    name = ".".join(str(step) for step in first["loc"])
    detail = f"`{name}` wajib diisi." if first["type"] == "missing" else f"Isi `{name}` tidak sesuai yang diminta."
    raise Problem(422, "invalid-request", detail, field=name)


async def read_bytes(request: web.Request, largest: int) -> bytes:
    """The body, refused as soon as it proves larger than `largest` bytes."""
    if (request.content_length or 0) <= largest:
        body = await read_beginning(request, largest)
        if len(body) <= largest:
            return body
    raise Problem(413, "too-large", f"Kirimannya terlalu besar; paling besar {largest // 1024 // 1024} MB.")


async def read_beginning(request: web.Request, most: int) -> bytes:
    """The body, or what of it had come once that was more than `most` bytes."""
    body = bytearray()
    async for part in request.content.iter_any():
        body += part
        if len(body) > most:
            break
    return bytes(body)


def read_identifier(request: web.Request, name: str) -> UUID:
    try:
        return UUID(request.match_info[name])
    except ValueError:
        raise Problem(404, "not-found", "Tidak ada draf dengan pengenal itu.") from None


def read_part(request: web.Request, name: str) -> str:
    """Of the path."""
    return _required_token(request.match_info[name], name)


def read_month(request: web.Request, name: str) -> date | None:
    """`2026-11`, or a date in it; its first day."""
    value = read_query(request, name)
    if value is None:
        return None
    try:
        return date.fromisoformat(f"{value}-01" if _MONTH.fullmatch(value) else value).replace(day=1)
    except ValueError:
        raise Problem(422, "invalid-request", f"Tulis `{name}` seperti 2026-11.", field=name) from None


def read_query(request: web.Request, name: str) -> str | None:
    return _token(request.query.get(name), name)


def read_header(request: web.Request, name: str) -> str | None:
    return _token(request.headers.get(name), name)


def _token(value: str | None, name: str) -> str | None:
    return None if value is None else _required_token(value, name)


def _required_token(value: str, name: str) -> str:
    try:
        return _TOKEN.validate_python(value)
    except ValidationError:
        raise Problem(422, "invalid-request", f"Isi `{name}` tidak sesuai yang diminta.", field=name) from None
