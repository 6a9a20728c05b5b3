"""Another model goes live while citizens write: every message is answered, once, and a bad model never answers any."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from learning.live_model import Kind, LiveModel
from praja.parts import NLU_PYTHON, QUIET_RASA
from praja.training import need_model, serving_model, train
from tests.stack.citizen import SimulatorPhone
from tests.stack.running import RASA_TOKEN, ROOT, Running, running

pytestmark = pytest.mark.verify

SAID = ("halo min", "ktp saya hilang, syaratnya apa", "berapa biaya bikin kk baru", "jam buka dispenduk", "suwun yo")
FEW = ("--data", "tests/nlu/data/nlu.yml", "data/rules.yml", "--domain", "domain.yml", "--config", "config.yml")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`old` as the checkout serves it, `new` the same under another name, `few` taught by seventy messages."""
    folder = tmp_path_factory.mktemp("models")
    need_model(ROOT / "models", print, datetime.now(UTC), train)
    served = serving_model(ROOT / "models")
    assert served is not None
    for name in ("new", "old"):
        shutil.copy(served, folder / f"{name}.tar.gz")
    subprocess.run(
        [NLU_PYTHON, "-m", "rasa", "train", *FEW, "--out", folder, "--fixed-model-name", "few"],
        cwd=ROOT, env={**os.environ, **QUIET_RASA}, check=True, capture_output=True,
    )  # fmt: skip
    os.utime(folder / "old.tar.gz")
    return folder


@pytest.fixture(scope="module")
def own_stack(models: Path) -> Iterator[Running]:
    with running(PRAJA_MODELS=str(models)) as stack:
        yield stack


@pytest.fixture
def praja(own_stack: Running, models: Path) -> Praja:
    return Praja(own_stack, models)


class Praja:
    """The command line of whoever runs that stack."""

    def __init__(self, stack: Running, models: Path) -> None:
        self._environment = {
            **os.environ,
            **{name: str(port) for name, port in stack.ports.items()},
            "PRAJA_HOME": str(stack.home),
            "PRAJA_MODELS": str(models),
            "PRAJA_RASA_TOKEN": RASA_TOKEN,
        }

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "praja.command", *arguments]
        return subprocess.run(command, cwd=ROOT, env=self._environment, capture_output=True, text=True, check=False)


class Citizens:
    """Three who write until they are told to stop."""

    def __init__(self, url: str) -> None:
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(url,)) for _ in range(3)]
        self.answered = 0
        self.wrong: list[str] = []

    def __enter__(self) -> Citizens:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _write(self, url: str) -> None:
        phone = SimulatorPhone(url, f"ganti-{uuid.uuid4().hex[:8]}")
        for number in range(10_000):
            if self._over.is_set():
                break
            heard = phone.say(SAID[number % len(SAID)])
            # One answer has two bubbles at the most.
            if not 1 <= len(heard) <= 2 or any("terganggu" in bubble.text for bubble in heard):
                self.wrong.append(f"{SAID[number % len(SAID)]}: {heard}")
            self.answered += 1
        self.wrong += [f"late: {bubble}" for bubble in phone.later(3)]


def test_the_model_changes_and_changes_back_under_load(own_stack: Running, models: Path, praja: Praja) -> None:
    live = LiveModel(models)
    assert live.current() == models / "old.tar.gz"
    with Citizens(own_stack.url) as citizens:
        promoted = praja("promote", str(models / "new.tar.gz"), "--watch", "0")
        assert (promoted.returncode, live.current()) == (0, models / "new.tar.gz"), promoted.stderr
        assert "1 server" in promoted.stdout
        back = praja("rollback", "--reason", "uji")
        assert (back.returncode, live.current()) == (0, models / "old.tar.gz"), back.stderr
    assert citizens.wrong == []
    assert citizens.answered > 20
    assert [change.kind for change in live.history()] == [Kind.FIRST, Kind.PROMOTED, Kind.ROLLED_BACK]


def test_a_bad_model_never_answers(own_stack: Running, models: Path, praja: Praja) -> None:
    few = str(models / "few.tar.gz")
    with Citizens(own_stack.url) as citizens:
        refused = praja("promote", few)
        assert (refused.returncode, "darurat yang dikenali" in refused.stderr) == (3, True), refused.stderr
        # Even forced in, it has to read the probes.
        forced = praja("promote", few, "--override", "uji")
        assert (forced.returncode, "seharusnya" in forced.stderr) == (1, True), forced.stderr
    assert citizens.wrong == []
    assert LiveModel(models).current() == models / "old.tar.gz"


def test_a_server_that_starts_anew_serves_the_live_model(own_stack: Running, models: Path) -> None:
    (models / "new.tar.gz").touch()
    own_stack.kill("rasa")
    own_stack.wait_until_ready(180)
    assert any("old.tar.gz" in word for word in own_stack.part("rasa").cmdline())
