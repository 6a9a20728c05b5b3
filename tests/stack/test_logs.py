"""One message can be followed through every part by the number of its turn."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.stack.citizen import SimulatorPhone, begin
from tests.stack.running import Running

_PARTS = ("bot", "rasa", "actions", "backend")


def test_a_message_is_followed_through_every_part(stack: Running, phone: SimulatorPhone) -> None:
    offer = phone.say("mau bikin surat keterangan umum desa")
    before = _sizes(stack)
    begin(phone, offer)
    lines = list(_written_since(stack, before))
    (turn,) = {line["turn"] for line in lines if line["part"] == "bot" and "turn" in line}
    parts = [line["part"] for line in lines if line.get("turn") == turn]
    assert set(parts) == set(_PARTS)
    assert {line["at"] for line in lines}
    # Whoever reads them learns what was done and how long it took, and nothing of what was written.
    assert all(line["level"] == "info" and " ms" in line["message"] for line in lines if line.get("turn") == turn), (
        lines
    )


def _sizes(stack: Running) -> Mapping[str, int]:
    return {part: (stack.home / "logs" / f"{part}.log").stat().st_size for part in _PARTS}


def _written_since(stack: Running, before: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    for part in _PARTS:
        with (stack.home / "logs" / f"{part}.log").open(encoding="utf-8") as log:
            log.seek(before[part])
            yield from (json.loads(line) for line in log)
