"""Who asks something of the desk, and why it may be refused."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from bot.desk.agencies import covers

__all__ = ["DeskRefused", "Officer", "Refusal"]


@dataclass(frozen=True)
class Officer:
    """`agencies` are ids of `bot.desk.agencies`; None: every agency. Who somebody is has been proved before."""

    id: str
    name: str
    agencies: frozenset[str] | None

    def may_see(self, agency: str) -> bool:
        return self.agencies is None or covers(self.agencies, agency)

    def scope(self) -> Sequence[str] | None:
        return None if self.agencies is None else sorted(self.agencies)


class Refusal(enum.StrEnum):
    """Each has its sentence under `meja_ditolak` in `saluran.yml`."""

    TAKEN = "sudah_diambil"
    NOT_WAITING = "tidak_menunggu"
    NOT_HOLDER = "bukan_pemegang"
    OUT_OF_SCOPE = "di_luar_instansi"
    WINDOW_CLOSED = "jendela_tertutup"
    NO_TEMPLATE = "tanpa_templat"
    EMPTY = "kosong"
    TOO_LONG = "terlalu_panjang"
    TOO_LARGE = "terlalu_besar"
    UNKNOWN_AGENCY = "instansi_tidak_dikenal"
    NOT_FAILED = "tidak_gagal"
    NOT_OVER = "belum_selesai"
    GONE = "tidak_ada"


@dataclass
class DeskRefused(Exception):
    reason: Refusal
    sentence: str
    """for the officer, in Indonesian"""
