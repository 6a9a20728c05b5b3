"""What the backend calls us for, tamed: a filing that has moved on, and the notices beside (`backend-api.md`)."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from bot.store import Cleaned

__all__ = ["BackendEvent", "DraftReminder", "FilingChanged", "Fix", "Overdue", "read_event", "verify_backend"]

Word = Annotated[Cleaned, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Fix(BaseModel):
    field: Cleaned | None = None
    document: Cleaned | None = None
    reason: Cleaned


class _Event(BaseModel):
    event_id: Word
    contact: Word
    """our conversation's id"""
    service: Word


def _or_none(value: Any, read: ValidatorFunctionWrapHandler) -> datetime | None:
    try:
        found: datetime | None = read(value)
    except ValidationError:
        return None
    return found


class FilingChanged(_Event):
    kind: None = None
    at: Annotated[AwareDatetime | None, WrapValidator(_or_none)] = None
    """when it happened; None where that can't be read"""
    number: Word
    state: Word
    note: Cleaned | None = None
    fix: list[Fix] | None = None
    fix_names: dict[str, Cleaned] = {}
    """what `fix` names by id, as citizens know it; a backend may leave it out"""


class DraftReminder(_Event):
    """A form that hasn't been touched for a day."""

    kind: Literal["draft_reminder"]


class Overdue(_Event):
    """A filing that is still open the day after it should have been done."""

    kind: Literal["overdue"]
    number: Word
    due_on: date


BackendEvent = FilingChanged | DraftReminder | Overdue
_BY_KIND: dict[object, type[BackendEvent]] = {None: FilingChanged, "draft_reminder": DraftReminder, "overdue": Overdue}


def verify_backend(raw: bytes, header: str | None, secret: str) -> bool:
    """Whether `X-Praja-Signature` is `sha256=` + HMAC-SHA256 of the raw body."""
    expected = "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    return bool(secret) and hmac.compare_digest(expected.encode(), (header or "").encode(errors="replace"))


def read_event(raw: bytes) -> BackendEvent:
    """Raises ValueError, which names fields and never their values."""
    try:
        body = json.loads(raw)
        kind = body.get("kind") if isinstance(body, dict) else None
        wanted = _BY_KIND.get(kind) if isinstance(kind, str | None) else None
        if wanted is None:
            raise ValueError("unknown kind")
        return wanted.model_validate(body)
    except ValidationError as error:
        wrong = ", ".join(".".join(map(str, part["loc"])) for part in error.errors())
        raise ValueError(f"wrong or missing: {wrong}") from None
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        raise ValueError("not JSON") from None
