"""Training a model in the environment where Rasa lives, and measuring it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from backend.catalogue import CatalogueError, load_catalogue
from learning.data_set import labelled_now, measured_files
from learning.live_model import Kind, LiveModel
from learning.reviewed_set import ReviewedSet
from nlu.fingerprint import MadeOf, made_of, made_of_model
from praja.dataset import FROZEN, DatasetUnfit, check_dataset
from praja.lock import locked
from praja.offspring import mortal
from praja.parts import NLU_PYTHON, QUIET_RASA
from praja.settings import ROOT

__all__ = [
    *("TrainingFailed", "evaluate", "gate", "gate_report", "need_model", "newest_model", "serving_model", "train"),
]

_DATA = ROOT / "data"


class TrainingFailed(Exception):
    """No model came out; the message says why."""


def newest_model(models: Path) -> Path | None:
    return max(models.glob("*.tar.gz"), default=None, key=lambda path: (path.stat().st_mtime_ns, path.name))


def serving_model(models: Path) -> Path | None:
    """What a server that starts now has to load: the live model, or the newest while none was ever made live."""
    return LiveModel(models).current() or newest_model(models)


def need_model(
    models: Path, tell: Callable[[str], None], now: datetime, train: Callable[[Path, Callable[[str], None]], Path]
) -> None:
    """See to it that a live model is there that the program as it is now reads right. Raises what `train` raises."""
    live = LiveModel(models)
    with live.changing(wait=True):
        here, current = made_of(), live.current()
        why = "" if current is None else "program atau konfigurasi berubah"
        for model in filter(None, (current, newest_model(models))):
            made = made_of_model(model)
            if made is None or not made.serves(here):
                continue
            if model != current:
                live.set(model, now, Kind.FIRST, why)
            elif made.data != here.data:
                tell(f"data berubah sejak {model.name} dilatih; `praja train`, lalu `praja promote MODEL`")
            return
        if current is not None:
            tell(f"model {current.name} dibuat dari program yang lain; dilatih ulang")
        live.set(train(models, tell), now, Kind.FIRST, why)


def train(models: Path, tell: Callable[[str], None]) -> Path:
    """Train from `data/` and give the new model's path. Raises TrainingFailed."""
    _need_environment()
    try:
        load_catalogue(_DATA)
    except CatalogueError as error:
        raise TrainingFailed(f"Katalog perlu diperbaiki dulu:\n{error}") from None
    try:
        findings = check_dataset()
    except DatasetUnfit as error:
        raise TrainingFailed(str(error)) from None
    if findings.is_fatal:
        listed = "\n".join(findings.sentences()[:20])
        raise TrainingFailed(f"Data perlu diperbaiki dulu (`praja dataset check`):\n{listed}")
    with _only_one(models):
        return _train(models, tell)


def _train(models: Path, tell: Callable[[str], None]) -> Path:
    before, made, version = newest_model(models), made_of(), ReviewedSet(_DATA / "tinjauan").version()
    started = time.monotonic()
    with (
        labelled_now(_DATA) as now,
        # Rasa leaves its files where they are when it is ended.
        tempfile.TemporaryDirectory(prefix="praja-latih-") as folder,
        _Progress("melatih model", tell),
    ):
        command = [
            *(str(NLU_PYTHON), "-m", "rasa", "train"),
            *("--data", str(now.written), "data/rules.yml", *map(str, sorted(now.reviewed.glob("*.yml")))),
            *("--domain", "domain.yml", "--config", "config.yml", "--out", str(models)),
        ]
        result = subprocess.run(  # noqa: S603
            mortal(command),
            cwd=ROOT,
            env={**os.environ, **QUIET_RASA, "TMPDIR": folder},
            capture_output=True,
            text=True,
            check=False,
        )
    model = newest_model(models)
    if result.returncode != 0 or model is None or model == before:
        tail = "\n".join((result.stdout + result.stderr).splitlines()[-15:])
        raise TrainingFailed(f"Pelatihan model gagal:\n{tail}")
    _record(model, made, version, time.monotonic() - started)
    return model


def evaluate(models: Path) -> int:
    """Measure what `data/` teaches now, beside the live model: prints, and writes to `reports/`."""
    _need_environment()
    live = serving_model(models)
    with labelled_now(_DATA, measured_files(_DATA, FROZEN)) as now:
        return _run(
            *("nlu.evaluation", "--data", str(now.written), str(now.reviewed)),
            *("--test", *map(str, now.measured)),
            *(() if live is None else ("--live", str(live))),
        )


def gate(candidate: Path, live: Path | None) -> int:
    """Set a trained model beside the live one by `data/gerbang.yml`: prints; 0 it may go live, 3 it may not.

    Figures and reasons are in its `gate_report`. Raises TrainingFailed where neither came out.
    """
    _need_environment()
    here, of_candidate = made_of(), made_of_model(candidate)
    # What another program has made would answer wrongly here, and any candidate would look good beside it.
    comparable = live is not None and (made := made_of_model(live)) is not None and made.serves(here)
    with labelled_now(_DATA, measured_files(_DATA, FROZEN)) as now:
        # What it was taught can be asked only while it is what lies here.
        taught = ("--data", str(now.written), str(now.reviewed)) if of_candidate == here else ()
        code = _run(
            *("nlu.gate", str(candidate), "--report", str(gate_report(candidate))),
            *("--test", *map(str, now.measured)),
            *(("--live", str(live)) if comparable else ()),
            *taught,
        )
    if code not in (0, 3):
        raise TrainingFailed(f"{candidate.name} tidak bisa diukur.")
    return code


def gate_report(model: Path) -> Path:
    """What the gate found when it was asked last, beside the archive."""
    return model.with_name(model.name.removesuffix(".tar.gz") + ".gate.json")


@contextlib.contextmanager
def _only_one(models: Path) -> Iterator[None]:
    """Two trainings at a time would each be twice as long, and take each other's model for theirs."""
    with locked(models / ".train.lock", TrainingFailed("Model lain sedang dilatih di sini; tunggu sampai selesai.")):
        yield


def _record(model: Path, made: MadeOf, reviewed_version: str, seconds: float) -> None:
    """Beside the archive, for people: what it was made of, when and how."""
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"],  # noqa: S607
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    written = {
        "model": model.name,
        **asdict(made),
        "reviewed_version": reviewed_version,
        "commit": commit.stdout.strip() or None,
        "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds),
    }
    path = model.with_name(model.name.removesuffix(".tar.gz") + ".json")
    path.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")


def _run(*arguments: str) -> int:
    command = mortal([str(NLU_PYTHON), "-m", *arguments])
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
