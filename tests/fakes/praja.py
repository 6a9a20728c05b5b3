"""`praja` as the console starts it, without Rasa: `python praja.py COMMAND …` in a folder that holds `models/`.

`how.txt` there, where there is one, says how it goes: `slow` (until it is ended), `hungry` (takes memory), `fails`,
`refuses` (the gate does). What was asked for goes to `asked.txt`.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from learning.live_model import Kind, LiveModel

MODELS = Path("models")


def main(arguments: list[str]) -> int:
    how = Path("how.txt").read_text() if Path("how.txt").exists() else ""
    with Path("asked.txt").open("a") as asked:
        asked.write(" ".join(arguments) + "\n")
    sys.stderr.write("melatih model … 0 detik\n")
    sys.stderr.flush()
    if how == "slow":
        time.sleep(60)
    if how == "hungry":
        held = bytearray(300 * 1024 * 1024)
        held[::4096] = b"x" * len(held[::4096])
        time.sleep(60)
    if how == "fails":
        sys.stderr.write("Data perlu diperbaiki dulu\n")
        return 1
    return COMMANDS[arguments[0]](arguments[1:], how)


def train(arguments: list[str], how: str) -> int:
    model = MODELS / f"m{len(list(MODELS.glob('*.tar.gz'))) + 1}.tar.gz"
    model.touch()
    model.with_name(model.name.replace(".tar.gz", ".json")).write_text(json.dumps({"seed": 7, "commit": "a" * 40}))
    sys.stdout.write(f"{model}\n")
    return 0


def evaluate(arguments: list[str], how: str) -> int:
    passed = how != "refuses"
    check = {
        "measured_by": "beku", "kind": "maksud", "name": "tanya_biaya", "subject": "maksud tanya_biaya, F1",
        "examples": 41, "candidate": 0.98 if passed else 0.41, "live": 0.97,
        "difference": [-0.01, 0.03] if passed else [-0.7, -0.4], "passed": passed,
    }  # fmt: skip
    report = {"live": "m1.tar.gz", "passed": passed, "reasons": [], "checks": [check]}
    Path(arguments[1].replace(".tar.gz", ".gate.json")).write_text(json.dumps(report))
    return 0 if passed else 3


def promote(arguments: list[str], how: str) -> int:
    kind = Kind.OVERRIDDEN if "--override" in arguments else Kind.PROMOTED
    LiveModel(MODELS).set(Path(arguments[0]), datetime.now(UTC), kind)
    return 0


def rollback(arguments: list[str], how: str) -> int:
    before = LiveModel(MODELS).before()
    assert before is not None
    LiveModel(MODELS).set(before, datetime.now(UTC), Kind.ROLLED_BACK, arguments[1])
    return 0


def watch(arguments: list[str], how: str) -> int:
    LiveModel(MODELS).settle()
    return 0


COMMANDS = {"train": train, "evaluate": evaluate, "promote": promote, "rollback": rollback, "watch": watch}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
