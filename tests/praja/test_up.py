"""`praja up` until it serves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from praja.ports import free_ports
from tests.stack.checkout import check_out

ENDLESS = "#!/bin/sh\nmktemp\nexec sleep 600\n"
PORTS = ("HTTP", "BACKEND", "ACTIONS", "RASA")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """One whose training has no end."""
    folder = check_out(tmp_path / "checkout")
    (folder / "nlu" / ".venv").unlink()
    python = folder / "nlu" / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(ENDLESS)
    python.chmod(0o755)
    return folder


@pytest.fixture
def starting(checkout: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    (tmp_path / "temporary").mkdir()
    ports = zip(PORTS, free_ports(len(PORTS)), strict=True)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PRAJA_")},
        **{f"PRAJA_{name}_PORT": str(port) for name, port in ports},
        "PRAJA_HOME": str(tmp_path / "home"),
        "TMPDIR": str(tmp_path / "temporary"),
    }
    command = [sys.executable, "-m", "praja.command", "up"]
    with subprocess.Popen(command, cwd=checkout, env=environment, stderr=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_first_training_at_once(
    starting: subprocess.Popen[str], tmp_path: Path, number: signal.Signals
) -> None:
    training = _training(starting)
    starting.send_signal(number)
    assert starting.wait(10) == 0
    assert not training.is_running()
    assert not list((tmp_path / "temporary").iterdir())


def _training(process: subprocess.Popen[str]) -> psutil.Process:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        for child in psutil.Process(process.pid).children():
            if child.name() == "sleep":
                return child
        time.sleep(0.05)
    raise AssertionError("it trains nothing")
