"""States of filings by our names: a district's own backend may have its own, and `data/status.yml` maps them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from bot.texts import TextsUnfit

__all__ = ["FIRST", "OPEN_STATES", "States", "load_states"]

FIRST = "MENUNGGU"
"""What brings a filing here, sending it or what was to be mended, is told by the dialogue in which the citizen does it."""
OPEN_STATES = frozenset({"MENUNGGU", "DIPROSES", "PERLU_PERBAIKAN", "DISETUJUI"})
_CLOSED_STATES = frozenset({"DITOLAK", "SELESAI", "DIBATALKAN"})


class States:
    def __init__(self, names: Mapping[str, str]) -> None:
        """`names` gives our name of each foreign one, folded."""
        self._names = names

    def ours(self, state: str) -> str:
        """Our name; what nobody has mapped stays as it is."""
        return self._names.get(_fold(state), state)


def load_states(data: Path) -> States:
    """Raises TextsUnfit, which names the entry to mend."""
    file = data / "status.yml"
    try:
        entries = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise TextsUnfit(f"{file} tidak bisa dibaca: {error}") from None
    known = OPEN_STATES | _CLOSED_STATES
    if not isinstance(entries, dict) or not set(entries) <= known:
        raise TextsUnfit(f"status.yml: kuncinya hanya boleh {', '.join(sorted(known))}")
    names = {_fold(state): state for state in known}
    for state, foreign in entries.items():
        for name in foreign or ():
            if not isinstance(name, str) or names.setdefault(_fold(name), state) != state:
                raise TextsUnfit(
                    f"status.yml: '{name}' di bawah {state} bukan kata, atau dipakai dua kali; hapus salah satu"
                )
    return States(names)


def _fold(name: str) -> str:
    return " ".join(re.findall(r"\w+", name.casefold().replace("_", " ")))
