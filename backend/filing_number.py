"""Numbers of filings: `SDA-YYMM-XXXXXC`, made to be read aloud and typed.

`X` is drawn from Crockford's alphabet, `C` is the ISO 7064 MOD 37,36 check character over `YYMMXXXXX`; a draw whose check
character is I, L, O or U is thrown away.
"""

from __future__ import annotations

import re
import secrets
from datetime import date

from stdnum.iso7064 import mod_37_36

__all__ = ["InvalidFilingNumber", "draw_filing_number", "parse_filing_number"]

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_COMPACT = re.compile(rf"SDA(\d{{4}})([{_ALPHABET}]{{6}})", re.ASCII)
_LOOK_ALIKE = str.maketrans("OIL", "011")


class InvalidFilingNumber(ValueError):
    """Not a number that was ever given out: mistyped, or something else."""


def draw_filing_number(day: date) -> str:
    """A random number of the month of `day`; the caller sees to it that it is new."""
    while True:
        drawn = f"{day:%y%m}" + "".join(secrets.choice(_ALPHABET) for _ in range(5))
        check = mod_37_36.calc_check_digit(drawn)
        if check in _ALPHABET:
            return f"SDA-{drawn[:4]}-{drawn[4:]}{check}"


def parse_filing_number(text: str) -> str:
    """Read a number however it is cased and spaced, O for 0, I or L for 1. Raises InvalidFilingNumber."""
    compact = re.sub(r"[\s\-.]+", "", text).upper()
    match = _COMPACT.fullmatch(compact[:3] + compact[3:].translate(_LOOK_ALIKE))
    if match is None or not mod_37_36.is_valid(match[1] + match[2]):
        raise InvalidFilingNumber(text)
    return f"SDA-{match[1]}-{match[2]}"
