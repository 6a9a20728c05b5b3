"""Another model goes live in a running server, with citizens writing all the while."""

from __future__ import annotations

import json
import shutil
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PROBES = [
    {"text": "halo min", "intent": "salam", "service": None},
    {"text": "ktpku ilang cak", "intent": "ajukan_layanan", "service": "ktp_hilang"},
]


def post(rasa: Any, path: str, body: object, token: str | None = None) -> tuple[int, Any]:
    request = urllib.request.Request(
        f"{rasa.address}/webhooks/praja/{path}",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {token or rasa.token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def answering(rasa: Any) -> str:
    body = {"conversation": str(uuid.uuid4()), "message_id": "1", "channel": "simulator", "text": "halo"}
    return str(post(rasa, "turn", body)[1]["model"])


@pytest.fixture
def other(rasa: Any, model: Path, actions: Any, tmp_path: Path) -> Iterator[Path]:
    """The same model under another name; afterwards the server has its own back."""
    (own,) = model.glob("*.tar.gz")
    shutil.copy(own, tmp_path / "other.tar.gz")
    yield tmp_path / "other.tar.gz"
    assert post(rasa, "model", {"model_file": str(own), "probes": []})[0] == 200
    assert answering(rasa) == own.name


def test_no_turn_fails_while_it_changes(rasa: Any, other: Path) -> None:
    over = threading.Event()
    statuses: list[int] = []
    models: set[str] = set()

    def talk() -> None:
        conversation = str(uuid.uuid4())
        for number in range(10_000):
            if over.is_set():
                return
            body = {"conversation": conversation, "message_id": str(number), "channel": "simulator", "text": "halo"}
            status, answer = post(rasa, "turn", body)
            statuses.append(status)
            models.add(str(answer.get("model")))

    citizens = [threading.Thread(target=talk) for _ in range(3)]
    for citizen in citizens:
        citizen.start()
    status, answer = post(rasa, "model", {"model_file": str(other), "probes": PROBES})
    assert (status, answer["model"]) == (200, "other.tar.gz")
    assert Path(answer["previous"]).exists()
    assert answering(rasa) == "other.tar.gz"
    over.set()
    for citizen in citizens:
        citizen.join()
    assert set(statuses) == {200}
    assert len(statuses) > 3
    assert "other.tar.gz" in models or len(models) == 1


def test_one_that_answers_already_is_not_loaded_again(rasa: Any, other: Path) -> None:
    """Whoever makes sure that all servers serve it asks again and again while one of them is down."""
    body = {"model_file": str(other), "probes": PROBES}
    assert post(rasa, "model", body)[0] == 200
    other.write_bytes(b"can't be loaded")
    assert post(rasa, "model", body) == (200, {"model": other.name, "previous": str(other)})
    assert answering(rasa) == other.name


def test_a_form_goes_on_with_the_other_model(rasa: Any, other: Path) -> None:
    body = {"conversation": str(uuid.uuid4()), "channel": "simulator"}
    post(rasa, "turn", {**body, "message_id": "1", "text": "ktp saya hilang"})
    assert post(rasa, "model", {"model_file": str(other), "probes": []})[0] == 200
    status, answer = post(rasa, "turn", {**body, "message_id": "2", "text": "Laki-laki"})
    assert (status, answer["model"]) == (200, "other.tar.gz")
    assert [reply["text"] for reply in answer["replies"]] == ["Jenis kelamin?"]


def test_a_model_that_reads_a_probe_wrongly_never_answers(rasa: Any, other: Path) -> None:
    before = answering(rasa)
    probes = [*PROBES, {"text": "halo kak", "intent": "pamit", "service": None}]
    status, answer = post(rasa, "model", {"model_file": str(other), "probes": probes})
    assert (status, answer["failed"]) == (409, [{"text": "halo kak", "expected": "pamit", "found": "salam"}])
    assert answering(rasa) == before


@pytest.mark.parametrize("content", [None, b"not an archive"])
def test_what_is_no_model_is_refused(rasa: Any, actions: Any, tmp_path: Path, content: bytes | None) -> None:
    before = answering(rasa)
    if content is not None:
        (tmp_path / "x.tar.gz").write_bytes(content)
    assert post(rasa, "model", {"model_file": str(tmp_path / "x.tar.gz"), "probes": []})[0] == 409
    assert answering(rasa) == before


@pytest.mark.parametrize(
    "body",
    [{}, {"model_file": "/x"}, {"model_file": "", "probes": []}, {"model_file": "/x", "probes": [{"text": "a"}]}],
)
def test_a_wrong_body_is_refused(rasa: Any, body: object) -> None:
    assert post(rasa, "model", body)[0] == 422
    assert post(rasa, "model", body, token="wrong")[0] == 401
