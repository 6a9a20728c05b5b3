"""States of filings: our names for those of a district's own system (`data/status.yml`), and how citizens read them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from actions.texts import Texts
from actions.words import fold

__all__ = ["States", "said_state"]

_SAID: Mapping[str, str] = {
    "MENUNGGU": "status_menunggu",
    "DIPROSES": "status_diproses",
    "PERLU_PERBAIKAN": "status_perlu_perbaikan",
    "DITOLAK": "status_ditolak",
    "DISETUJUI": "status_disetujui",
    "SELESAI": "status_selesai",
    "DIBATALKAN": "status_dibatalkan",
}


class States:
    def __init__(self, data: Path) -> None:
        entries = yaml.safe_load((data / "status.yml").read_text(encoding="utf-8"))
        self._ours: Mapping[str, str] = {
            _plain(name): state for state, names in entries.items() for name in (state, *(names or ()))
        }

    def ours(self, state: str) -> str:
        """Our name; what nobody has mapped stays as it is."""
        return self._ours.get(_plain(state), state)


def said_state(state: str, texts: Texts) -> str:
    """`sedang diproses`; a state we don't know is said in the district's own word."""
    return texts(_SAID[state]) if state in _SAID else _plain(state)


def _plain(name: str) -> str:
    return fold(name.replace("_", " "))
