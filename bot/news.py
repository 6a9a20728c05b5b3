"""News of a filing in words: what happened, what the officer says, what can be done about it, and the buttons for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from bot.backend_events import DraftReminder, FilingChanged, Fix, Overdue
from bot.reply import Choice, Reply
from bot.services import Service
from bot.texts import Texts

__all__ = ["News"]

_LONGEST_NOTE = 1000
_LONGEST_ANSWER = 3000
_LONGEST_REASON = 250
_MOST_FIXES = 8
_COMPLAINT = "pengaduan"
_STAFF = "staf"
_MONTHS: Final = (
    *("Januari", "Februari", "Maret", "April", "Mei", "Juni"),
    *("Juli", "Agustus", "September", "Oktober", "November", "Desember"),
)


class News:
    def __init__(self, texts: Texts, services: Mapping[str, Service]) -> None:
        self._texts = texts
        self._services = services

    def wants_survey(self, change: FilingChanged) -> bool:
        """A complaint is asked about once the citizen says that it is settled."""
        return change.state == "SELESAI" and self._mode(change.service) != _COMPLAINT

    def of_change(self, change: FilingChanged, survey: str | None) -> Reply:
        """`survey` is the address of the page with the nine elements."""
        mode = self._mode(change.service)
        named = {"nomor": change.number, "layanan": self._name(change.service)}
        family = {_COMPLAINT: "pemberitahuan_pengaduan", _STAFF: "pemberitahuan_staf"}.get(mode, "pemberitahuan")
        parts = [self._texts.of(family, change.state, **named)]
        if change.fix:
            parts.append("\n".join([self._texts("yang_diperbaiki"), *self._fixes(change.fix, change.fix_names)]))
        note = (change.note or "").strip()
        answered = mode == _STAFF and change.state == "SELESAI"
        if note and answered:
            parts.append(self._texts("jawaban_petugas", catatan=note[:_LONGEST_ANSWER]))
        elif note:
            parts.append(self._texts("catatan", catatan=note[:_LONGEST_NOTE]))
        if not answered:
            ways = "caranya_pengaduan" if mode == _COMPLAINT else "caranya"
            parts.append(self._texts.of(ways, change.state, nomor=change.number))
        if survey is not None:
            parts.append(self._texts("tautan_penilaian", tautan=survey))
        return Reply("\n\n".join(parts), self._choices(change, mode))

    def of_draft(self, notice: DraftReminder) -> Reply:
        text = self._texts("ingat_draf", layanan=self._name(notice.service))
        return Reply(text, (Choice("niat:lanjutkan_draf", self._texts("tombol_lanjutkan")),))

    def of_overdue(self, notice: Overdue) -> Reply:
        text = self._texts(
            "terlambat", nomor=notice.number, layanan=self._name(notice.service), tanggal=_spoken(notice.due_on)
        )
        status = Choice(f"status:{notice.number}", self._texts("tombol_status"))
        return Reply(text, (status, Choice("niat:bicara_petugas", self._texts("tombol_petugas"))))

    def _choices(self, change: FilingChanged, mode: str) -> tuple[Choice, ...]:
        number, texts = change.number, self._texts
        match change.state:
            case "PERLU_PERBAIKAN":
                return (Choice(f"perbaiki:{number}", texts("tombol_perbaiki")),)
            case "SELESAI" if mode == _COMPLAINT:
                return (
                    Choice(f"konfirmasi:{number}:ya", texts("tombol_beres")),
                    Choice(f"konfirmasi:{number}:belum", texts("tombol_belum")),
                )
            case "SELESAI" if mode != _STAFF:
                return (Choice(f"hasil:{number}", texts("tombol_hasil")),)
            case "DITOLAK":
                return (Choice("niat:bicara_petugas", texts("tombol_petugas")),)
            case "DIPROSES" | "DISETUJUI":
                return (Choice(f"status:{number}", texts("tombol_status")),)
            case _:
                return ()

    def _fixes(self, fixes: Sequence[Fix], names: Mapping[str, str]) -> list[str]:
        return [
            self._texts(
                "perbaikan",
                bagian=names.get(item := fix.document or fix.field or "data", item.replace("_", " ")),
                alasan=fix.reason.strip()[:_LONGEST_REASON],
            )
            for fix in fixes[:_MOST_FIXES]
        ]

    def _name(self, service: str) -> str:
        known = self._services.get(service)
        return known.name if known else service.replace("_", " ")

    def _mode(self, service: str) -> str:
        known = self._services.get(service)
        return known.mode if known else ""


def _spoken(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
