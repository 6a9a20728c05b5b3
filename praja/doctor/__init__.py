"""`praja doctor`: finds what most often is wrong with a set-up, and says of each what to do. Changes nothing."""

from __future__ import annotations

import fcntl
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from praja.doctor.configuration import look_at_configuration
from praja.doctor.machine import look_at_machine
from praja.doctor.problem import Patient, Problem
from praja.doctor.providers import look_at_providers
from praja.doctor.storage import look_at_storage
from praja.settings import Settings

__all__ = ["Problem", "examine"]

_LOOKS = (look_at_configuration, look_at_machine, look_at_storage, look_at_providers)


async def examine(settings: Settings, now: datetime | None = None) -> Sequence[Problem]:
    """Asks the providers and the database; a quarter of a minute where nobody answers."""
    async with aiohttp.ClientSession() as session:
        patient = Patient(settings, session, now or datetime.now(UTC), _is_running(settings.home))
        return [problem for look in _LOOKS for problem in await look(patient)]


def _is_running(home: Path) -> bool:
    try:
        with (home / "lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False
