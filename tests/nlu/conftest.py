"""Trained models, PostgreSQL, an action server and Rasa, each made once for all tests of the room."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nlu.evaluation import Models
    from nlu.examples import Example
    from nlu.measures import Judged

# As in `tests/conftest.py`, which isn't read in this environment.
hypothesis.settings.load_profile("ci")

if importlib.util.find_spec("rasa") is None:
    # The other Python collects this folder too.
    collect_ignore_glob = ["test_*.py"]

_ROOT = Path(__file__).parents[2]
_TOKEN = "a-token"
_POSTGRES = """
import os, pathlib, signal, sys, tempfile
from praja.postgres import create_database, embedded_postgres
with tempfile.TemporaryDirectory(prefix="praja-nlu-", ignore_cleanup_errors=True) as folder:
    os.chmod(folder, 0o755)
    with embedded_postgres(pathlib.Path(folder) / "db") as address:
        print(create_database(address, "nlu"), flush=True)
        sys.stdin.read()
"""


@dataclass(frozen=True)
class RunningRasa:
    address: str
    token: str
    log: Path


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    """Of `PRAJA_TEST_DATABASE_URL`, else of an embedded server that the other Python runs until its input ends."""
    given = os.environ.get("PRAJA_TEST_DATABASE_URL")
    if given:
        yield given
        return
    python = _ROOT / ".venv" / "bin" / "python"
    if not python.exists():
        pytest.skip("no PostgreSQL: set PRAJA_TEST_DATABASE_URL or run `make setup`")
    server = subprocess.Popen(
        [python, "-c", _POSTGRES], cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdin is not None
    assert server.stdout is not None
    yield server.stdout.readline().strip()
    server.stdin.close()
    server.wait(30)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trained on a few messages with the components and rules that citizens get."""
    folder = tmp_path_factory.mktemp("model")
    files = ["--data", "tests/nlu/data/nlu.yml", "data/rules.yml", "--domain", "domain.yml", "--config", "config.yml"]
    subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "rasa", "train", *files, "--out", folder],
        cwd=_ROOT,
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(_ROOT), "RASA_TELEMETRY_ENABLED": "false"},
    )
    return folder


@pytest.fixture(scope="session")
def examples() -> Sequence[Example]:
    """All that the model which citizens get is trained from."""
    from nlu.examples import read_examples

    return read_examples(_ROOT / "data" / "nlu")


@pytest.fixture(scope="session")
def models(examples: Sequence[Example]) -> Models:
    """The two classifiers, trained from all of `data/` (a minute)."""
    from nlu.catalogue import read_catalogue
    from nlu.evaluation import learn

    return learn(examples, read_catalogue())


@pytest.fixture(scope="session")
def frozen_set() -> Sequence[Example]:
    from nlu.examples import read_messages

    return read_messages(_ROOT / "tests" / "data" / "understanding" / "messages.jsonl")


@pytest.fixture(scope="session")
def judged(models: Models, frozen_set: Sequence[Example]) -> Sequence[Judged]:
    from nlu.evaluation import judge

    return list(judge(models, frozen_set))


@pytest.fixture(scope="session")
def judged_another_hand(models: Models) -> Sequence[Judged]:
    from nlu.evaluation import judge
    from nlu.examples import read_messages

    return list(judge(models, read_messages(_ROOT / "tests" / "data" / "understanding" / "messages_f.jsonl")))


@pytest.fixture(scope="session")
def action_server() -> Iterator[tuple[object, str]]:
    """The fake and its address; it runs in a thread, so that a test may change how it behaves."""
    from aiohttp import web

    spec = importlib.util.spec_from_file_location("fake_actions", Path(__file__).parent / "fake_actions.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    fake, port, loop = module.FakeActions(), _free_port(), asyncio.new_event_loop()

    async def start() -> None:
        runner = web.AppRunner(fake.application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()

    loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield fake, f"http://127.0.0.1:{port}/webhook"
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)


@pytest.fixture
def actions(action_server: tuple[object, str]) -> object:
    """The fake action server, behaving."""
    fake = action_server[0]
    fake.broken.clear()  # type: ignore[attr-defined]
    fake.slow.clear()  # type: ignore[attr-defined]
    fake.odd.clear()  # type: ignore[attr-defined]
    fake.calls.clear()  # type: ignore[attr-defined]
    return fake


@pytest.fixture(scope="session")
def rasa(
    database: str, model: Path, action_server: tuple[object, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningRasa]:
    port, log = _free_port(), tmp_path_factory.mktemp("rasa") / "log"
    environment = {
        **os.environ,
        "PYTHONPATH": str(_ROOT),
        "PRAJA_RASA_TOKEN": _TOKEN,
        "PRAJA_ACTIONS_URL": action_server[1],
        "PRAJA_RASA_DATABASE_URL": database,
        "PRAJA_SECRET_KEY": "a-secret",
    }
    command = [sys.executable, "-m", "nlu.server", "--port", str(port), "--model", str(model)]
    with log.open("w") as output:
        server = subprocess.Popen(command, cwd=_ROOT, env=environment, stdout=output, stderr=output)
    address = f"http://127.0.0.1:{port}"
    _wait_for(address, server, log)
    yield RunningRasa(address, _TOKEN, log)
    server.terminate()
    server.wait(30)


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        assert server.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(address, timeout=1)
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise AssertionError("Rasa isn't up after a minute")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
