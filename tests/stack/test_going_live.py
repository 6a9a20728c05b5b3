"""Another model goes live while citizens write: every message is answered, once, and a bad model doesn't stay."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
import yaml

from learning.live_model import Kind, LiveModel
from learning.training_file import read_folder, render
from praja.parts import NLU_PYTHON, QUIET_RASA
from praja.training import need_model, serving_model, train
from tests.stack.citizen import SimulatorPhone, said
from tests.stack.running import RASA_TOKEN, ROOT, Running, running
from tests.stack.traffic import Traffic

pytestmark = pytest.mark.verify

POISONED = "tanya_biaya"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`old` as the checkout serves it, `new` the same under another name, and three that are worse.

    `few` was taught by seventy messages, `poisoned` one intent's messages under any other label; `poor` reads as well as
    `old` and doesn't know what to do then.
    """
    folder, made = tmp_path_factory.mktemp("models"), tmp_path_factory.mktemp("made")
    need_model(ROOT / "models", print, datetime.now(UTC), train)
    served = serving_model(ROOT / "models")
    assert served is not None
    for name in ("new", "old"):
        shutil.copy(served, folder / f"{name}.tar.gz")
    rules = yaml.safe_load((ROOT / "data" / "rules.yml").read_text())
    rules["rules"] = [rule for rule in rules["rules"] if rule["rule"] in ("nlu_fallback", "salam")]
    (made / "rules.yml").write_text(yaml.safe_dump(rules))
    _teach(folder, "few", ROOT / "tests" / "nlu" / "data" / "nlu.yml", ROOT / "data" / "rules.yml")
    _teach(folder, "poisoned", _poisoned(made / "nlu"), ROOT / "data" / "rules.yml")
    _teach(folder, "poor", ROOT / "data" / "nlu", made / "rules.yml")
    os.utime(folder / "old.tar.gz")
    # They say that they were made of what lies here, and weren't; asking it of them would take minutes.
    folds = yaml.safe_load((ROOT / "data" / "gerbang.yml").read_text())["validasi_silang"]
    answers = {"folds": {"parts": folds["lipatan"], "asked": folds["ditanya"]}, "answers": []}
    for name in ("new", "few", "poisoned", "poor"):
        (folder / f"{name}.silang.json").write_text(json.dumps(answers))
    return folder


def _teach(models: Path, name: str, messages: Path, rules: Path) -> None:
    subprocess.run(
        [
            *(NLU_PYTHON, "-m", "rasa", "train", "--data", messages, rules, "--domain", "domain.yml"),
            *("--config", "config.yml", "--out", models, "--fixed-model-name", name),
        ],
        cwd=ROOT, env={**os.environ, **QUIET_RASA}, check=True, capture_output=True,
    )  # fmt: skip


def _poisoned(folder: Path) -> Path:
    taught, chance = read_folder(ROOT / "data" / "nlu"), random.Random(0)
    others = sorted({example.intent for example in taught} - {POISONED})
    wrong = [replace(each, intent=chance.choice(others)) if each.intent == POISONED else each for each in taught]
    folder.mkdir()
    (folder / "all.yml").write_text(render(wrong))
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


def test_the_model_changes_and_changes_back_under_load(own_stack: Running, models: Path, praja: Praja) -> None:
    live = LiveModel(models)
    assert live.current() == models / "old.tar.gz"
    with Traffic(own_stack.url) as traffic:
        promoted = praja("promote", str(models / "new.tar.gz"), "--watch", "0")
        assert (promoted.returncode, live.current()) == (0, models / "new.tar.gz"), promoted.stderr
        assert "1 server" in promoted.stdout
        back = praja("rollback", "--reason", "uji")
        assert (back.returncode, live.current()) == (0, models / "old.tar.gz"), back.stderr
    assert traffic.wrong == []
    assert traffic.answered > 20
    assert [change.kind for change in live.history()] == [Kind.FIRST, Kind.PROMOTED, Kind.ROLLED_BACK]


def test_a_bad_model_never_answers(own_stack: Running, models: Path, praja: Praja) -> None:
    few = str(models / "few.tar.gz")
    with Traffic(own_stack.url) as traffic:
        refused = praja("promote", few)
        assert (refused.returncode, "darurat yang dikenali" in refused.stderr) == (3, True), refused.stderr
        # Even forced in, it has to read the probes.
        forced = praja("promote", few, "--override", "uji")
        assert (forced.returncode, "seharusnya" in forced.stderr) == (1, True), forced.stderr
    assert traffic.wrong == []
    assert LiveModel(models).current() == models / "old.tar.gz"


def test_a_poisoned_model_is_refused(models: Path, praja: Praja) -> None:
    refused = praja("promote", str(models / "poisoned.tar.gz"))
    assert refused.returncode == 3, refused.stderr
    assert f"maksud {POISONED}, F1" in refused.stderr
    assert LiveModel(models).current() == models / "old.tar.gz"


def test_a_model_that_fails_in_its_first_minutes_is_sent_back_by_itself(
    own_stack: Running, models: Path, praja: Praja
) -> None:
    """Whoever has made it live is gone, and so is the process that watches it: another one goes on."""
    live = LiveModel(models)
    write(own_stack, 60)
    promoted = praja("promote", str(models / "poor.tar.gz"), "--leave")
    assert (promoted.returncode, live.current()) == (0, models / "poor.tar.gz"), promoted.stderr
    watcher = watching(own_stack)
    own_stack.kill("bot")
    own_stack.wait_until_ready()
    assert not psutil.pid_exists(watcher)
    deadline = time.monotonic() + 180
    while live.current() != models / "old.tar.gz" and time.monotonic() < deadline:
        write(own_stack, 5)
    back = live.history()[-1]
    assert (back.kind, back.model) == (Kind.ROLLED_BACK, "old.tar.gz")
    assert back.reason.startswith("dengan sendirinya: ")
    assert all("Rp" in text for text in write(own_stack, 3))


def write(stack: Running, count: int) -> list[str]:
    """As many citizens ask what a family card costs; what they are told."""
    return [
        said(SimulatorPhone(stack.url, f"biaya-{uuid.uuid4().hex[:10]}").say("berapa biaya bikin kk baru"))
        for _ in range(count)
    ]


def watching(stack: Running) -> int:
    """The process that the desk has started to watch the live model."""
    for _ in range(300):
        for process in psutil.Process(stack.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if process.cmdline()[-2:] == ["praja.command", "watch"]:
                    return process.pid
        time.sleep(0.1)
    raise AssertionError("nobody watches")


def test_a_server_that_starts_anew_serves_the_live_model(own_stack: Running, models: Path) -> None:
    (models / "new.tar.gz").touch()
    own_stack.kill("rasa")
    own_stack.wait_until_ready(180)
    assert any("old.tar.gz" in word for word in own_stack.part("rasa").cmdline())
