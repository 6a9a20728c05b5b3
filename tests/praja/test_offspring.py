from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from praja.offspring import humble, mortal

PARENT = """
import subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdout=sys.stdout)
child.wait()
"""
CHILD = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"


@pytest.fixture(params=[mortal, humble])
def family(request: pytest.FixtureRequest) -> Iterator[tuple[subprocess.Popen[str], psutil.Process]]:
    """A parent, and the child that it has started."""
    command = request.param([sys.executable, "-c", CHILD])
    parent = subprocess.Popen([sys.executable, "-c", PARENT, *command], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    yield parent, psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdout.close()


def test_it_ends_with_its_parent_however_that_ends(family: tuple[subprocess.Popen[str], psutil.Process]) -> None:
    parent, child = family
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 10
    while child.is_running() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not child.is_running()


def test_what_is_humble_steps_back() -> None:
    shown = "import os; print(os.nice(0), open('/proc/self/oom_score_adj').read().strip())"
    said = subprocess.run(humble([sys.executable, "-c", shown]), capture_output=True, text=True, check=True).stdout
    assert said.split() == [str(os.nice(0) + 10), "1000"]


def test_the_command_s_end_is_its_own() -> None:
    assert subprocess.run(mortal([sys.executable, "-c", "raise SystemExit(3)"]), check=False).returncode == 3
