"""A model that reads along without answering: `nlu/.venv/bin/python -m nlu.shadow MODEL`.

Reads JSON lines `{"id", "text"}`; the first line it writes is `{"ready": NAME}`, then one for each read:
`{"id", "intent", "confidence", "service" | null, "service_confidence" | null}`. Ends with its input; with code 3 for a
model of another program, which it would read wrongly.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlu.absent_tensorflow import leave_out_tensorflow
from nlu.server import quieten

if TYPE_CHECKING:
    from rasa.core.agent import Agent

__all__ = ["FOREIGN", "main"]

FOREIGN = 3
"""exit code"""
_ENVIRONMENT = {
    "LOG_LEVEL": "WARNING",
    "RASA_TELEMETRY_ENABLED": "false",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    # One thread a library: citizens' turns come first.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
_GUARD = "\u200b"
"""Rasa reads `/intent{…}` as a command; a character of no width before it makes it text again."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="nlu.shadow", description=__doc__)
    parser.add_argument("model", type=Path)
    model = parser.parse_args().model
    os.environ.update(_ENVIRONMENT)
    leave_out_tensorflow()
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").setLevel(logging.ERROR)

    from nlu.fingerprint import made_of, made_of_model

    made = made_of_model(model)
    if made is None or not made.serves(made_of()):
        sys.exit(FOREIGN)
    from rasa.core.agent import Agent

    quieten()
    # What Rasa's code prints is not for whoever reads our lines.
    written, sys.stdout = sys.stdout, sys.stderr
    _read_along(Agent.load(str(model)), model.name, sys.stdin, lambda line: print(line, file=written, flush=True))


def _read_along(agent: Agent, name: str, lines: Iterable[str], write: Callable[[str], None]) -> None:
    loop = asyncio.new_event_loop()
    write(json.dumps({"ready": name}))
    for line in lines:
        asked = json.loads(line)
        text = asked["text"]
        parsed = loop.run_until_complete(agent.parse_message(_GUARD + text if text.startswith("/") else text))
        write(json.dumps({"id": asked["id"], **_frame(parsed)}))


def _frame(parsed: dict[str, Any]) -> dict[str, Any]:
    service: dict[str, Any] = next((entity for entity in parsed["entities"] if entity["entity"] == "layanan"), {})
    return {
        "intent": parsed["intent"]["name"],
        "confidence": parsed["intent"]["confidence"],
        "service": service.get("value"),
        "service_confidence": service.get("confidence_entity"),
    }


if __name__ == "__main__":
    main()
