"""What people and machines really send: each ends in a clear answer or a clean refusal, and nothing half-stored."""

from __future__ import annotations

import base64

import httpx
import pytest

from tests.stack.citizen import Heard, SimulatorPhone, begin
from tests.stack.running import Running


def said(heard: list[Heard]) -> str:
    return "\n".join(bubble.text for bubble in heard)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("/restart", id="a command of Rasa"),
        pytest.param('/ajukan_layanan{"layanan": "ktp_hilang"}', id="an intent with entities"),
        pytest.param("/session_start", id="a session command"),
        pytest.param("😀😀😀", id="emoji only"),
        pytest.param("مرحبا أريد بطاقة", id="right to left"),
        pytest.param("ktp\x00 hilang\x00", id="NUL bytes"),
        pytest.param("ktp saya hilang " * 313, id="5000 characters"),
        pytest.param("?", id="a mark"),
        pytest.param("\u200b", id="nothing visible"),
        pytest.param("'; DROP TABLE inbox; --", id="SQL"),
        pytest.param("<script>alert(1)</script>", id="HTML"),
    ],
)
def test_text_is_answered_in_indonesian(phone: SimulatorPhone, text: str) -> None:
    heard = said(phone.say(text))
    assert heard
    assert "Traceback" not in heard
    assert "KTP-el hilang bisa diajukan" not in heard or "hilang" in text.replace("\x00", "").replace("layanan", "")
    assert "Halo" in said(phone.say("halo"))


def test_typed_commands_do_not_touch_an_open_filing(phone: SimulatorPhone) -> None:
    begin(phone, phone.say("ktp saya hilang"))
    phone.say("/restart")
    assert "nomor KK" in said(phone.say("3515085708909999"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("besar.jpg", b"\xff\xd8\xff" + b"0" * 30_000_000, id="30 MB"),
        pytest.param("surat.pdf", b"bukan pdf sama sekali", id="not what its name says"),
        pytest.param("kosong.jpg", b"", id="empty"),
    ],
)
def test_a_file_outside_a_filing_is_answered(phone: SimulatorPhone, name: str, content: bytes) -> None:
    assert said(phone.send_photo(content, name))


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(b"{", 400, id="malformed"),
        pytest.param(b"[]", 400, id="not an object"),
        pytest.param(b'{"sender": "x"}', 400, id="no content"),
        pytest.param(b'{"text": "halo"}', 400, id="no sender"),
    ],
)
def test_a_malformed_request_is_refused(stack: Running, body: bytes, status: int) -> None:
    answer = httpx.post(f"{stack.url}/simulator/messages", content=body, headers={"Content-Type": "application/json"})
    assert 400 <= answer.status_code < 500, (status, answer.status_code)


def test_an_unknown_choice_is_answered(stack: Running, phone: SimulatorPhone) -> None:
    phone.say("halo")
    for choice in ("1:99", "999999:0", "isi:nik:1", "x" * 300):
        answer = httpx.post(
            f"{stack.url}/simulator/messages", json={"sender": phone.sender, "choice": choice}, timeout=40
        )
        assert answer.status_code in (200, 400, 422), answer.text


def test_other_kinds_are_answered(stack: Running, phone: SimulatorPhone) -> None:
    for body in ({"location": {"lat": -7.45, "lon": 112.71}}, {"contact": {"phone": "+6281234567890"}}):
        answer = httpx.post(f"{stack.url}/simulator/messages", json={"sender": phone.sender, **body}, timeout=40)
        assert answer.status_code == 200
        assert answer.json()["replies"]


def test_internal_files_and_turns_need_the_token(stack: Running) -> None:
    assert httpx.get(f"{stack.url}/internal/files/{'0' * 8}-0000-0000-0000-{'0' * 12}").status_code == 401
    assert httpx.post(f"{stack.rasa}/webhooks/praja/turn", json={}).status_code == 401
    assert httpx.post(f"{stack.rasa}/model/parse", json={"text": "halo"}).status_code == 401
    data = base64.b64encode(b"x").decode()
    assert httpx.post(f"{stack.backend}/api/v1/drafts", json={"x": data}).status_code == 401
