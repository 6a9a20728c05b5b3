"""One Praja at a time on one `PRAJA_HOME`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from praja.lock import locked
from praja.settings import SettingsUnfit

__all__ = ["alone_at_home"]


@contextlib.contextmanager
def alone_at_home(home: Path) -> Iterator[None]:
    """Raises SettingsUnfit while another one runs there."""
    running = f"Praja lain sudah berjalan dengan PRAJA_HOME {home}; hentikan dulu atau pilih PRAJA_HOME lain."
    with locked(home / "lock", SettingsUnfit(running)):
        yield
