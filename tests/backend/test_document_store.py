"""The document store when the disk is full."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from backend.document_store import DocumentStore
from identity import Seal


@contextlib.contextmanager
def _little_room(size: int) -> Iterator[None]:
    """No file can grow beyond `size` bytes: writing fails half-way, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_nothing_and_the_same_file_can_be_written_later(tmp_path: Path) -> None:
    store, identifier = DocumentStore(tmp_path, Seal("kunci-uji", "backend.documents")), uuid4()
    with _little_room(4096), pytest.raises(OSError, match="File too large"):
        store.write(identifier, bytes(100_000))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    store.write(identifier, b"isi")
    assert store.read(identifier) == b"isi"


@pytest.mark.parametrize("suffix", [".part", ".new"])
def test_what_a_killed_process_left_half_written_is_deleted_with_its_file(tmp_path: Path, suffix: str) -> None:
    """`.new` is of a rotation, which lies beside the file."""
    store, identifier = DocumentStore(tmp_path, Seal("kunci-uji", "backend.documents")), uuid4()
    store.write(identifier, b"isi")
    (whole,) = (path for path in tmp_path.rglob("*") if path.is_file())
    whole.with_suffix(suffix).write_bytes(whole.read_bytes())
    store.delete(identifier)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
