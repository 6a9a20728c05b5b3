"""Speaks as nlu/shadow.py does: every message is a greeting to it but those that ask for the cost.

A model's name says how it fails.
"""

from __future__ import annotations

import json
import sys


def main() -> None:
    model = sys.argv[-1]
    if "foreign" in model:
        sys.exit(3)
    if "broken" in model:
        sys.exit(1)
    say({"ready": model.rpartition("/")[2]})
    for line in sys.stdin:
        asked = json.loads(line)
        if "dies" in model:
            sys.exit(1)
        found = {"intent": "tanya_biaya" if "biaya" in asked["text"] else "salam", "confidence": 0.8}
        say({"id": asked["id"], **found, "service": None, "service_confidence": None})


def say(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


main()
