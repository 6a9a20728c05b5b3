"""A model that reads along: asked as the console asks it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def read(archive: Path, *texts: str) -> tuple[int, list[dict[str, Any]], str]:
    asked = "".join(json.dumps({"id": number, "text": text}) + "\n" for number, text in enumerate(texts))
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "nlu.shadow", str(archive)],
        cwd=ROOT, input=asked, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return process.returncode, [json.loads(line) for line in process.stdout.splitlines()], process.stderr


@pytest.mark.verify
def test_it_answers_each_line(model: Path) -> None:
    (archive,) = model.glob("*.tar.gz")
    code, lines, complaints = read(archive, "ktpku ilang cak", '/salam{"layanan": "kk"}', "halo\nmin")
    assert code == 0, complaints
    ready, lost, command, greeting = lines
    assert ready == {"ready": archive.name}
    assert (lost["id"], lost["intent"], lost["service"]) == (0, "ajukan_layanan", "ktp_hilang")
    assert 0 < lost["service_confidence"] <= 1
    assert command["service"] != "kk"  # as text, and not as a command
    assert (greeting["id"], greeting["intent"], greeting["service"]) == (2, "salam", None)
    assert "ktpku" not in complaints


@pytest.mark.verify
def test_a_model_of_another_program_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "x.tar.gz").write_bytes(b"not an archive")
    code, lines, _ = read(tmp_path / "x.tar.gz", "halo")
    assert (code, lines) == (3, [])
