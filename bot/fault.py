"""What may be said of an exception in a log or a table: its kind and place. Its text may quote what a citizen wrote."""

from __future__ import annotations

import traceback
from pathlib import Path

__all__ = ["fault"]


def fault(error: BaseException) -> str:
    """`ValueError in events.py:61`"""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return type(error).__name__
    ours = [frame for frame in frames if "site-packages" not in frame.filename] or frames
    return f"{type(error).__name__} in {Path(ours[-1].filename).name}:{ours[-1].lineno}"
