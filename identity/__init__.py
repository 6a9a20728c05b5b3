"""NIK, KK number and phone: parse, mask, seal.

A leaf: it imports nothing of ours, every room may import it, and it runs on Python 3.10 too.
"""

from identity.numbers import (
    InvalidNumber,
    Nik,
    mask_digits,
    mask_numbers,
    parse_kk_number,
    parse_nik,
    parse_phone,
    redact,
)
from identity.seal import Seal, SealBroken, Secrets, present

__all__ = [
    "InvalidNumber",
    "Nik",
    "Seal",
    "SealBroken",
    "Secrets",
    "mask_digits",
    "mask_numbers",
    "parse_kk_number",
    "parse_nik",
    "parse_phone",
    "present",
    "redact",
]
