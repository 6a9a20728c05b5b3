"""The states of drafts and filings, and who may move a filing where."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from backend.catalogue import Mode

__all__ = ["CANCELLABLE", "OPEN", "STEPS", "DraftState", "State", "steps_from"]


class DraftState(enum.StrEnum):
    OPEN = "open"
    SUBMITTED = "submitted"
    DELETED = "deleted"
    EXPIRED = "expired"


class State(enum.StrEnum):
    MENUNGGU = "MENUNGGU"
    DIPROSES = "DIPROSES"
    PERLU_PERBAIKAN = "PERLU_PERBAIKAN"
    DITOLAK = "DITOLAK"
    DISETUJUI = "DISETUJUI"
    SELESAI = "SELESAI"
    DIBATALKAN = "DIBATALKAN"


CANCELLABLE = frozenset({State.MENUNGGU, State.DIPROSES, State.PERLU_PERBAIKAN})
OPEN = frozenset({*CANCELLABLE, State.DISETUJUI})

STEPS: Mapping[State, frozenset[State]] = {
    State.MENUNGGU: frozenset({State.DIPROSES, State.DIBATALKAN}),
    State.DIPROSES: frozenset({State.PERLU_PERBAIKAN, State.DITOLAK, State.DISETUJUI, State.DIBATALKAN}),
    State.PERLU_PERBAIKAN: frozenset({State.DIBATALKAN}),
    State.DISETUJUI: frozenset({State.SELESAI}),
    State.DITOLAK: frozenset(),
    State.SELESAI: frozenset(),
    State.DIBATALKAN: frozenset(),
}
"""The steps an officer may take. Back from PERLU_PERBAIKAN to MENUNGGU leads only the citizen's correction."""

_ANSWERED = frozenset({Mode.STAFF, Mode.COMPLAINT})
"""nothing is approved there; the officer's answer ends it"""


def steps_from(state: State, mode: Mode | None) -> frozenset[State]:
    """As STEPS; a question or complaint that is worked on may be answered at once."""
    if state is State.DIPROSES and mode in _ANSWERED:
        return STEPS[state] | {State.SELESAI}
    return STEPS[state]
