"""Every parser at a border, as a function of bytes: it returns, or raises what it says it raises, and nothing else."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from pydantic import ValidationError

from backend import border
from backend.documents import FileRefused, check_file
from backend.filing_number import InvalidFilingNumber, parse_filing_number
from bot.backend_events import read_event
from bot.channel import Update
from bot.channels.telegram import updates
from bot.channels.whatsapp import events, webhook
from bot.simulator import Sent
from bot.store import clean
from identity import InvalidNumber, mask_numbers, parse_kk_number, parse_nik, parse_phone, redact
from learning.spreadsheet import SpreadsheetUnfit, parse_csv

__all__ = ["TARGETS"]

_OURS = "109"
_TODAY = date(2026, 11, 30)
_BODIES = (
    *(border.NewDraft, border.FieldChange, border.Correction, border.Transition, border.Move),
    *(border.Cancellation, border.Confirmation, border.Consent, border.Survey, border.Message),
)


def _file(data: bytes) -> None:
    with contextlib.suppress(FileRefused):
        checked = check_file(data)
        again = check_file(checked.content)
        assert again.content == checked.content, "what is clean isn't cleaned further"


def _whatsapp(data: bytes) -> None:
    _updates(data, lambda body: webhook.split(body, _OURS), lambda body: events.parse(body, _OURS))


def _telegram(data: bytes) -> None:
    _updates(data, updates.split, updates.parse)


def _updates(
    data: bytes, split: Callable[[Mapping[str, Any]], list[Update]], parse: Callable[[Mapping[str, Any]], object]
) -> None:
    """As the webhook does: whatever is an object is stored, and only then read."""
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return
    if not isinstance(body, dict):
        return
    for update in split(body):
        clean(update.external_id).encode()
        with contextlib.suppress(ValueError):
            parse(update.body)


def _backend_event(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        read_event(data)


def _bodies(data: bytes) -> None:
    """The first byte says of which operation."""
    model = _BODIES[data[0] % len(_BODIES)] if data else _BODIES[0]
    with contextlib.suppress(ValidationError):
        model.model_validate_json(data[1:])


def _simulator(data: bytes) -> None:
    with contextlib.suppress(ValueError, RecursionError):
        Sent.model_validate(json.loads(data))


def _numbers(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    for parse in (
        lambda: parse_nik(text, today=_TODAY),
        lambda: parse_kk_number(text, today=_TODAY),
        lambda: parse_phone(text),
    ):
        with contextlib.suppress(InvalidNumber):
            parse()
    with contextlib.suppress(InvalidFilingNumber):
        parse_filing_number(text)
    redact(mask_numbers(text))


def _spreadsheet(data: bytes) -> None:
    with contextlib.suppress(SpreadsheetUnfit):
        parse_csv(data.decode("utf-8", "replace"))


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "berkas": _file,
    "whatsapp": _whatsapp,
    "telegram": _telegram,
    "kabar": _backend_event,
    "isi": _bodies,
    "simulator": _simulator,
    "nomor": _numbers,
    "lembar": _spreadsheet,
}
