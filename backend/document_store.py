"""Files of citizens and officers, sealed, one file each under `PRAJA_HOME/documents`.

A file is complete on disk before the row that names it is committed. The table `stored_files` knows of it before that, so
that one which a crash left without its row is found again, by the database that wrote it and by no other.
"""

from __future__ import annotations

import os
from pathlib import Path
from uuid import UUID

from identity import Seal

__all__ = ["DocumentStore"]


class DocumentStore:
    """Blocking; call it from a thread."""

    def __init__(self, folder: Path, seal: Seal) -> None:
        self._folder = folder
        self._seal = seal

    def write(self, identifier: UUID, content: bytes) -> None:
        path = self._path(identifier)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = _unfinished(path)
        try:
            with open(temporary, "xb", opener=_private) as file:
                file.write(self._seal.seal(content))
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        _fsync(path.parent)

    def read(self, identifier: UUID) -> bytes:
        """Raises FileNotFoundError and SealBroken."""
        return self._seal.open(self._path(identifier).read_bytes())

    def delete(self, identifier: UUID) -> None:
        path = self._path(identifier)
        # `.new`: `praja rotate` was killed while it sealed this one anew.
        for each in (path, _unfinished(path), path.with_suffix(".new")):
            each.unlink(missing_ok=True)

    def _path(self, identifier: UUID) -> Path:
        return self._folder / identifier.hex[:2] / identifier.hex


def _unfinished(path: Path) -> Path:
    return path.with_suffix(".part")


def _fsync(folder: Path) -> None:
    """Else a power cut may take the file's name, whose row is committed."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
