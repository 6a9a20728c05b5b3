"""Ports, time zone, holidays, data and model, as they are on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays

from backend.catalogue import CatalogueError, load_catalogue
from learning.live_model import LiveModel, LiveModelUnreadable
from nlu.fingerprint import made_of, made_of_model
from praja.doctor.problem import Patient, Problem
from praja.parts import NLU_PYTHON, parts
from praja.settings import Settings
from praja.supervisor import PortTaken, check_ports

__all__ = ["look_at_machine"]

_NEXT_YEAR_KNOWN = 11
"""the month by which the ministers have decreed the joint leave of the year to come"""


async def look_at_machine(patient: Patient) -> list[Problem]:
    return await asyncio.to_thread(
        lambda: [
            *(() if patient.is_running else _ports(patient.settings)),
            *_time(patient.now.date()),
            *_data(patient.settings),
            *_model(patient.settings),
        ]
    )


def _ports(settings: Settings) -> Iterator[Problem]:
    try:
        check_ports(parts(settings))
    except PortTaken as taken:
        yield Problem("port", str(taken))


def _time(today: date) -> Iterator[Problem]:
    try:
        ZoneInfo("Asia/Jakarta")
    except ZoneInfoNotFoundError:
        yield Problem("time-zone", "Zona waktu Asia/Jakarta tidak dikenal mesin ini; pasang paket tzdata.")
    years = [today.year, *([today.year + 1] if today.month >= _NEXT_YEAR_KNOWN else [])]
    for year in years:
        if not holidays.country_holidays("ID", years=year, categories=("government",)):
            yield Problem(
                "holidays",
                f"Cuti bersama {year} belum dikenal, jadi jam buka dan tenggat bisa keliru; perbarui paket `holidays` "
                "(`make lock`, lalu `make setup`).",
            )
            return


def _data(settings: Settings) -> Iterator[Problem]:
    try:
        load_catalogue(settings.data)
    except CatalogueError as error:
        yield Problem("data", f"Katalog di {settings.data} perlu diperbaiki: {str(error).splitlines()[0]}")


def _model(settings: Settings) -> Iterator[Problem]:
    if settings.rasa_urls is not None:
        return
    if not NLU_PYTHON.exists():
        yield Problem("rasa-environment", f"Lingkungan Rasa belum ada ({NLU_PYTHON}); jalankan `make setup`.")
    try:
        model = LiveModel(settings.models).current()
    except LiveModelUnreadable as error:
        yield Problem("model-pointer", str(error))
        return
    if model is None:
        yield Problem(
            "model-missing", f"Belum ada model yang hidup di {settings.models}; jalankan `praja up` atau `praja train`."
        )
        return
    made = made_of_model(model)
    if made is None or not made.serves(made_of()):
        yield Problem(
            "model-other",
            f"Model {model.name} dibuat oleh program atau konfigurasi yang lain; `praja up` melatih yang baru.",
        )
