"""`python -m tests.fuzz.fuzz TARGET CORPUS… [-libFuzzer options]`: one target, led by what its code does (`make fuzz`)."""

from __future__ import annotations

import sys

import atheris  # type: ignore[import-not-found]

_OURS = ["backend", "bot", "identity", "learning"]
_BENEATH = {"berkas": ["pypdf", "PIL"]}
"""what a parser stands on: an error that comes out of it is ours to tame"""

with atheris.instrument_imports(include=[*_OURS, *_BENEATH.get(sys.argv[1], [])]):
    from tests.fuzz.targets import TARGETS

if __name__ == "__main__":
    atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[sys.argv[1]])
    atheris.Fuzz()
