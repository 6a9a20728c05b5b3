"""Where every random choice of training starts from."""

from __future__ import annotations

__all__ = ["SEED"]

SEED = 0
