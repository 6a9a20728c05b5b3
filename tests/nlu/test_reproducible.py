"""The same data, configuration, program and seed give the same model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
ASK = """
import json, sys
from pathlib import Path
from nlu.catalogue import Named
from nlu.evaluation import learn
from nlu.examples import read_examples
models = learn(read_examples(Path("tests/nlu/data")), [Named("ktp_hilang", ["ktp hilang"], [], ["ktp"], False)])
asked = ("ktpku ilang", "bikin kk", "berapa bayarnya", "halo")
json.dump([[models.intents.probabilities(text), models.services.find(text).id if models.services.find(text) else None]
           for text in asked], sys.stdout)
"""


def test_trained_twice_it_answers_the_same() -> None:
    """In processes that hash strings differently."""
    answers = [
        json.loads(
            subprocess.run(
                [sys.executable, "-W", "ignore", "-c", ASK],
                cwd=ROOT, check=True, capture_output=True, text=True,
                env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            ).stdout
        )
        for seed in ("1", "2")
    ]  # fmt: skip
    assert answers[0] == answers[1]
