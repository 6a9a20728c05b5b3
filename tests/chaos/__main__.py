"""`python -m tests.chaos`: prints what it does and what it found; 1 when something was lost, doubled, out of order or stuck."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.run import Size, run


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("PRAJA_CHAOS_SEED") or random.randrange(10**6)))
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=270, help="in which the people write")
    parser.add_argument("--faults", type=float, default=1.0, help="share of the full run's")
    parser.add_argument("--only", default="", help="kinds of faults, comma-separated")
    parser.add_argument(
        "--without-rasa", action="store_true", help="it is quicker, nothing is understood, nobody files"
    )
    parser.add_argument("--keep", action="store_true", help="leave the folder with logs and database")
    options = parser.parse_args()
    size = Size(
        options.messages,
        options.people,
        options.seconds,
        options.faults,
        tuple(filter(None, options.only.split(","))),
        not options.without_rasa,
    )
    begun = time.monotonic()

    def tell(text: str) -> None:
        print(f"[{time.monotonic() - begun:5.0f} s] {text}", flush=True)  # noqa: T201

    tell(f"PRAJA_CHAOS_SEED={options.seed}")
    folder = Path(tempfile.mkdtemp(prefix="praja-chaos-"))
    folder.chmod(0o755)
    try:
        verdict = asyncio.run(run(size, random.Random(options.seed), folder, tell))
    finally:
        if options.keep:
            tell(f"kept in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    for name, figure in verdict.figures.items():
        tell(f"{name}: {figure}")
    for wrong in verdict.wrong[:40]:
        tell(f"WRONG: {wrong}")
    tell(
        "chaos: " + (f"{len(verdict.wrong)} wrong" if verdict.wrong else "nothing lost, doubled, out of order or stuck")
    )
    return bool(verdict.wrong)


if __name__ == "__main__":
    sys.exit(main())
