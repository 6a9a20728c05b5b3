"""Training and measuring the model, in the environment where Rasa lives."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from backend.catalogue import CatalogueError, load_catalogue
from nlu.fingerprint import fingerprint_of_model, understanding_fingerprint
from praja.parts import NLU_PYTHON, QUIET_RASA
from praja.settings import ROOT

__all__ = ["TrainingFailed", "evaluate", "need_model", "newest_model", "train"]

MODELS = ROOT / "models"
FROZEN_SETS = ROOT / "tests" / "data" / "understanding"


class TrainingFailed(Exception):
    """No model came out; the message says why."""


def newest_model() -> Path | None:
    return max(MODELS.glob("*.tar.gz"), default=None, key=lambda path: path.stat().st_mtime)


def need_model(tell: Callable[[str], None]) -> None:
    """Train where there is no model, or one made of other code or data than is here now. Raises TrainingFailed."""
    model = newest_model()
    if model is not None and fingerprint_of_model(model) == understanding_fingerprint():
        return
    if model is not None:
        tell(f"model {model.name} dibuat dari data atau program yang lain; dilatih ulang")
    train(tell)


def train(tell: Callable[[str], None]) -> Path:
    """Train from `data/` and give the new model's path. Raises TrainingFailed."""
    _need_environment()
    try:
        load_catalogue(ROOT / "data")
    except CatalogueError as error:
        raise TrainingFailed(f"Katalog perlu diperbaiki dulu:\n{error}") from None
    before = newest_model()
    command = [
        *(str(NLU_PYTHON), "-m", "rasa", "train"),
        *("--data", "data/nlu", "data/rules.yml"),
        *("--domain", "domain.yml", "--config", "config.yml", "--out", "models"),
    ]
    with _Progress("melatih model", tell):
        result = subprocess.run(  # noqa: S603
            command, cwd=ROOT, env={**os.environ, **QUIET_RASA}, capture_output=True, text=True, check=False
        )
    model = newest_model()
    if result.returncode != 0 or model is None or model == before:
        tail = "\n".join((result.stdout + result.stderr).splitlines()[-15:])
        raise TrainingFailed(f"Pelatihan model gagal:\n{tail}")
    return model


def evaluate() -> int:
    """Measure what `data/` teaches now, beside the newest model: prints, and writes to `reports/`."""
    _need_environment()
    live = newest_model()
    command = [
        *(str(NLU_PYTHON), "-m", "nlu.evaluation", "--test"),
        *map(str, sorted(FROZEN_SETS.glob("messages*.jsonl"))),
        *(() if live is None else ("--live", str(live))),
    ]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **QUIET_RASA}, check=False).returncode  # noqa: S603


def _need_environment() -> None:
    if not NLU_PYTHON.exists():
        raise TrainingFailed(f"Lingkungan Rasa belum ada ({NLU_PYTHON}); jalankan `make setup` dulu.")


class _Progress:
    """Says every few seconds that it is still going: training is the longest wait of a first start."""

    def __init__(self, what: str, tell: Callable[[str], None]) -> None:
        self._what, self._tell = what, tell
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> None:
        self._tell(f"{self._what} … (satu sampai beberapa menit)")
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        started = time.monotonic()
        while not self._over.wait(10):
            self._tell(f"{self._what} … {time.monotonic() - started:.0f} detik")
