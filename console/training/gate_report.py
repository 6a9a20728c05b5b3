"""What the gate found of a model, as `nlu/gate.py` writes it beside the archive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

__all__ = ["Check", "GateReport", "read_gate_report"]


class Check(BaseModel):
    model_config = ConfigDict(frozen=True)

    measured_by: str
    """beku, acak or silang"""
    kind: str
    """maksud, ragam, …; "" for what is of all messages"""
    name: str
    subject: str
    """all of it, in Indonesian"""
    examples: int
    candidate: float
    live: float | None
    difference: tuple[float, float] | None
    """what candidate minus live may be beyond chance"""
    passed: bool

    @property
    def change(self) -> str:
        """In plain Indonesian, in points of a hundred."""
        if self.live is None:
            return "tanpa pembanding"
        points = f"{self.candidate - self.live:+.1%}".replace("%", " poin").replace(".", ",").replace("-", "−")
        if self.candidate == self.live:
            return "sama"
        if self.difference is None:
            return points
        low, high = self.difference
        if low > 0:
            return f"lebih baik, {points}"
        return f"lebih buruk, {points}" if high < 0 else f"{points}, bisa kebetulan"


class GateReport(BaseModel):
    model_config = ConfigDict(frozen=True)

    live: str | None
    """the model it was set beside"""
    passed: bool
    reasons: Sequence[str]
    checks: Sequence[Check]


def read_gate_report(model: Path) -> GateReport | None:
    """None where the gate wasn't asked yet, or by a program of before."""
    path = model.with_name(model.name.removesuffix(".tar.gz") + ".gate.json")
    try:
        return GateReport.model_validate_json(path.read_text("utf-8"))
    except (OSError, ValidationError):
        return None
