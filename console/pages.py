"""Pages from templates: escaped without exception, and every name a template uses must be given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

__all__ = ["Pages"]

_ROOM = Path(__file__).parent
_LOCAL = ZoneInfo("Asia/Jakarta")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des")


_REASONS = {
    "diminta": "Minta petugas",
    "bicara_petugas": "Minta petugas",
    "petugas": "Minta petugas",
    "layanan_staf": "Layanan petugas",
    "buntu": "Bot tidak paham dua kali",
    "marah": "Warga marah",
    "gangguan": "Gangguan sistem",
    "darurat": "Darurat",
}
_HAPPENINGS = {
    "queued": "Masuk antrean",
    "claimed": "Diambil",
    "released": "Dikembalikan ke antrean",
    "lapsed": "Kembali ke antrean karena petugas tidak aktif",
    "transferred": "Dialihkan",
    "handed_over": "Diserahkan",
    "reassigned": "Ditugaskan",
    "closed": "Ditutup, kembali ke bot",
    "raised": "Menunggu terlalu lama, didahulukan",
    "unmasked": "Nomor ditampilkan",
}
_CHANNELS = {"whatsapp": "WhatsApp", "telegram": "Telegram", "simulator": "Simulator"}
_DELIVERY = {
    "held": "ditahan sampai warga menulis",
    "queued": "antre kirim",
    "withheld": "tidak dikirim",
    "sent": "terkirim",
    "delivered": "sampai",
    "read": "dibaca",
    "failed": "gagal",
}


class Pages:
    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(_ROOM / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {
            "moment": _moment,
            "clock": _clock,
            "day": _day,
            "reason": _named(_REASONS),
            "happening": _named(_HAPPENINGS),
            "delivery": _named(_DELIVERY),
            "channel": _named(_CHANNELS),
            "spaced": _named({}),
            "decimal": _decimal,
        }

    def render(self, template: str, values: Mapping[str, Any]) -> str:
        return self._templates.get_template(template).render(values)


def _moment(at: datetime) -> str:
    """As people here write it: 24 Nov 2026, 14.05."""
    local = at.astimezone(_LOCAL)
    return f"{_day(local.date())}, {local:%H.%M}"


def _day(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _clock(at: datetime) -> str:
    return f"{at.astimezone(_LOCAL):%H.%M}"


def _decimal(value: float, places: int) -> str:
    return f"{value:.{places}f}".replace(".", ",")


def _named(names: Mapping[str, str]) -> Callable[[str], str]:
    """What isn't named yet is shown as it is written."""
    return lambda key: names.get(key, str(key).replace("_", " "))
