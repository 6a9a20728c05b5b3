"""What the doctor finds, and what it looks at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import aiohttp

from praja.settings import Settings

__all__ = ["Patient", "Problem"]


@dataclass(frozen=True)
class Problem:
    id: str
    sentence: str
    """what is wrong and what to do about it, in Indonesian"""


@dataclass(frozen=True)
class Patient:
    settings: Settings
    session: aiohttp.ClientSession
    now: datetime
    is_running: bool
    """whether `praja up` runs on this home"""
