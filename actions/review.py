"""The review before sending, and what is said once it is sent; a report and a question are not called filings."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from rasa_sdk.events import EventType, SlotSet

from actions.backend import Draft, DraftItem, Filing
from actions.catalogue import Service
from actions.texts import Texts, indonesian_date
from actions.turn import Reply, Turn
from identity import mask_digits, mask_numbers

__all__ = ["Review"]

_DUPLICATE = "ganda:"


@dataclass(frozen=True)
class _Saying:
    """Keys of sentences."""

    review: str
    sent: str


_SAYINGS: Mapping[str, _Saying] = {
    "permohonan": _Saying("tinjauan", "terkirim"),
    "pengaduan": _Saying("tinjauan_laporan", "terkirim_laporan"),
    "staf": _Saying("tinjauan_pertanyaan", "terkirim_pertanyaan"),
}


@dataclass(frozen=True)
class Review:
    """Slot `ditinjau` holds which review is on the phone, so that it isn't repeated; or the open filing that it repeats."""

    service: Service
    texts: Texts

    def show(self, draft: Draft, turn: Turn, reply: Reply) -> EventType:
        """The review, or the question alone where the citizen has it before them."""
        if (number := self.duplicate(turn)) is not None:
            reply.say(self.texts("masih_berjalan", layanan=self.service.name, nomor=number))
            reply.offer(f"status:{number}", "Lihat statusnya")
            reply.offer("isi:review:tetap", "Tetap kirim")
            reply.offer("niat:batal", "Tidak jadi")
            return SlotSet("ditinjau", _DUPLICATE + number)
        told = self.texts(_SAYINGS[self.service.mode].review, layanan=self.service.name, isi=self._listed(draft))
        mark = hashlib.sha256(told.encode()).hexdigest()[:12]
        seen = turn.slot("ditinjau") == mark and turn.intent != "ulangi"
        reply.say(self.texts("pilih_di_tinjauan") if seen else told)
        reply.offer("isi:review:kirim", "Kirim")
        reply.offer("isi:review:ubah", "Ubah")
        reply.offer("niat:batal", "Batal")
        return SlotSet("ditinjau", mark)

    def sent(self, filing: Filing, due: str) -> str:
        told = self.texts(
            _SAYINGS[self.service.mode].sent,
            layanan=self.service.name,
            nomor=filing.number,
            kantor=filing.office,
            batas=due,
        )
        originals = self.service.originals if self.service.mode == "permohonan" else None
        return f"{told}\n{originals.text}." if originals is not None else told

    @staticmethod
    def note_duplicate(number: str) -> EventType:
        return SlotSet("ditinjau", _DUPLICATE + number)

    @staticmethod
    def duplicate(turn: Turn) -> str | None:
        """The number of the same person's open filing that was found when this one was sent."""
        noted = turn.slot("ditinjau") or ""
        return noted.removeprefix(_DUPLICATE) if noted.startswith(_DUPLICATE) else None

    def _listed(self, draft: Draft) -> str:
        return "\n".join(f"{item.name}: {_shown(item, draft)}" for item in draft.items)


def _shown(item: DraftItem, draft: Draft) -> str:
    if item.is_document:
        sent = draft.documents.get(item.id)
        return f"{sent.pages} berkas" if sent is not None else "-"
    value = draft.answers.get(item.id)
    if value is None:
        return "-"
    text = str(value)
    if text in item.choices:
        return item.choices[text]
    if item.type == "date":
        return _spoken_date(text)
    return mask_digits(text) if item.sensitive else mask_numbers(text)


def _spoken_date(text: str) -> str:
    """`3 November 2026`; as it is where it is no date."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return text
    return indonesian_date(day).partition(", ")[2]
