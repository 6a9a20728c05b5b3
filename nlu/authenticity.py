"""Codes by which anyone can check a finished document (`7K4Q-XB2M-9D3F`), and wishes to check one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Optional

from nlu.normaliser import flatten

__all__ = ["asks_authenticity", "find_codes"]

_SIGN = "[0-9a-tv-z]"
"""Crockford's alphabet, and o, i, l as people misread 0 and 1."""
_HYPHEN = r"[\-\u2010-\u2015\u2212]"
_CODES = (
    re.compile(rf"(?<![\w\-])(?P<code>{_SIGN}{{4}} ?{_HYPHEN} ?{_SIGN}{{4}} ?{_HYPHEN} ?{_SIGN}{{4}})(?![\w\-])"),
    # Without hyphens it could be anything but for the word before it.
    re.compile(rf"\b(?:kode|keaslian)\w{{0,3}}[ :]+(?P<code>{_SIGN}{{4}}[ .]?{_SIGN}{{4}}[ .]?{_SIGN}{{4}})(?![\w\-])"),
)
_MISREAD = str.maketrans("oil", "011")
_CUE = re.compile(r"\b(?:keaslian|asli|palsu|kode)(?:kah|nya|ne|e)?\b")
_CHECK = re.compile(r"\bkeaslian\b")
_FEW_WORDS = 6
"""A longer message about a certificate's authenticity is about something that isn't ours."""
_NOTHING_ELSE = 3


def find_codes(text: str) -> Iterator[tuple[str, int, int]]:
    """(code as issued, start, end)."""
    flat = flatten(text)
    for pattern in _CODES:
        for match in pattern.finditer(flat):
            if _is_mixed(match["code"]):
                yield _issued(match["code"]), match.start("code"), match.end("code")


def asks_authenticity(text: str, code: Optional[str]) -> bool:
    """Whether a document is to be checked; `code` is the one the message holds."""
    flat = flatten(text)
    words = len(flat.split())
    if code is not None:
        return words <= _NOTHING_ELSE or _CUE.search(flat) is not None
    return words <= _FEW_WORDS and _CHECK.search(flat) is not None


def _is_mixed(code: str) -> bool:
    """Letters and digits: neither a phone number nor words."""
    return any(map(str.isdigit, code)) and any(map(str.isalpha, code))


def _issued(written: str) -> str:
    code = re.sub(r"[\W_]", "", written).translate(_MISREAD).upper()
    return "-".join((code[:4], code[4:8], code[8:]))
