"""One Praja at a time on one `PRAJA_HOME`."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from praja.settings import SettingsUnfit

__all__ = ["alone_at_home"]


@contextlib.contextmanager
def alone_at_home(home: Path) -> Iterator[None]:
    """Raises SettingsUnfit while another one runs there."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingsUnfit(
                f"Praja lain sudah berjalan dengan PRAJA_HOME {home}; hentikan dulu atau pilih PRAJA_HOME lain."
            ) from None
        yield
