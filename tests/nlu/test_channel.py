"""`POST /webhooks/praja/turn` of a running Rasa, with a fake action server and a real database."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import uuid
from typing import Any

import psycopg2
import pytest

NIK = "3515085708909999"


class Phone:
    """One citizen: sends turns, counts its messages."""

    def __init__(self, rasa: Any) -> None:
        self._rasa = rasa
        self.conversation = str(uuid.uuid4())
        self.sent = 0

    def send(self, message_id: str | None = None, **content: Any) -> tuple[int, dict[str, Any]]:
        self.sent += 1
        body = {
            "conversation": self.conversation,
            "message_id": message_id or f"m{self.sent}",
            "channel": "simulator",
            **content,
        }
        return post(self._rasa, body)

    def say(self, text: str) -> dict[str, Any]:
        status, answer = self.send(text=text)
        assert status == 200, answer
        return answer

    def choose(self, choice: str) -> dict[str, Any]:
        status, answer = self.send(choice=choice)
        assert status == 200, answer
        return answer


def post(rasa: Any, body: Any, token: str | None = None, path: str = "turn") -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(
        f"{rasa.address}/webhooks/praja/{path}",
        body if isinstance(body, bytes) else json.dumps(body).encode(),
        {"Authorization": f"Bearer {rasa.token if token is None else token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, json.loads(response.read() or "{}")
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.fixture
def phone(rasa: Any, actions: Any) -> Phone:
    return Phone(rasa)


def texts(answer: dict[str, Any]) -> list[str]:
    return [reply["text"] for reply in answer["replies"]]


def user_events(database: str, conversation: str) -> int:
    with psycopg2.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM rasa.events WHERE sender_id = %s AND type_name = 'user'", (conversation,))
        return int(cursor.fetchone()[0])


def test_answers_with_frame_and_model(phone: Phone) -> None:
    answer = phone.say("halo")
    assert texts(answer) == ["action_salam -"]
    assert answer["frame"]["intent"] == "salam"
    assert answer["model"].endswith(".tar.gz")
    assert answer["handoff"] is None


def test_frame_names_the_service_and_other_entities(phone: Phone) -> None:
    frame = phone.say(f"ktp saya hilang di bluru kidul, nik {NIK}")["frame"]
    assert frame["service"] == "ktp_hilang"
    assert frame["service_confidence"] > 0.4
    assert {"entity": "nik", "value": NIK} in frame["entities"]
    assert {"entity": "desa", "value": "Blurukidul"} in frame["entities"]


@pytest.mark.parametrize("token", ["", "wrong", "a-tokem"])
def test_wrong_token(rasa: Any, token: str) -> None:
    assert post(rasa, {}, token)[0] == 401


@pytest.mark.parametrize(
    "change",
    [
        {"conversation": "0812"},
        {"message_id": ""},
        {"message_id": 7},
        {"text": "   "},
        {"choice": "niat:salam"},
        {"surprise": 1},
        {"text": None},
    ],
)
def test_unfit_body(rasa: Any, change: dict[str, Any]) -> None:
    body = {"conversation": str(uuid.uuid4()), "message_id": "m", "channel": "simulator", "text": "halo", **change}
    assert post(rasa, body)[0] == 422


def test_body_that_is_no_json(rasa: Any) -> None:
    assert post(rasa, b"halo")[0] == 422


@pytest.mark.parametrize("choice", ["/restart", "niat:restart", "niat:tak_ada", "mulai:", "isi:nik", "x:y", "niat:A:b"])
def test_unknown_choice(phone: Phone, choice: str) -> None:
    assert phone.send(choice=choice)[0] == 422


def test_same_message_same_answer(phone: Phone, actions: Any, database: str) -> None:
    first = phone.send("again", text="ktp saya hilang")
    phone.say("halo")
    called = len(actions.calls)
    assert phone.send("again", text="ktp saya hilang") == first
    assert len(actions.calls) == called
    assert user_events(database, phone.conversation) == 2


def test_a_message_of_an_earlier_session_is_known(phone: Phone) -> None:
    first = phone.send("old", text="halo")
    for _ in range(25):
        phone.say("halo")
    assert phone.send("old", text="halo") == first


def test_choices_and_typed_numbers_and_titles(phone: Phone, actions: Any) -> None:
    menu = phone.choose("niat:daftar_layanan")
    assert menu["frame"] is None
    assert [choice["id"] for choice in menu["replies"][0]["choices"]] == ["mulai:ktp_hilang", "niat:tanya_biaya:kk"]
    for typed in ("2", "yang 2", "No. 2", "biaya  kk!", "yang kedua"):
        answer = phone.say(typed)
        assert texts(answer) == ["action_jawab kk"], typed
        phone.choose("niat:daftar_layanan")
    phone.say("1")
    assert actions.calls[0]["tracker"]["latest_message"]["metadata"]["choice"] == "niat:daftar_layanan"
    started = next(call for call in actions.calls if call["next_action"] == "action_ajukan")
    assert started["tracker"]["latest_message"]["metadata"]["choice"] == "mulai:ktp_hilang"
    assert "domain" not in started


def test_a_number_that_was_asked_for_is_no_choice(phone: Phone) -> None:
    phone.choose("niat:cek_status")
    assert phone.say("2")["frame"] is not None


@pytest.mark.parametrize("text", ["/restart", '/ajukan_layanan{"layanan": "kk"}', "/session_start", " /back"])
def test_text_is_never_a_command(phone: Phone, actions: Any, text: str) -> None:
    phone.say("ktp saya hilang")
    assert texts(phone.say(text)) == ["Jenis kelamin?"]
    message = actions.calls[-1]["tracker"]["latest_message"]
    assert message["text"] == text.strip()
    # A command would be understood as one thing alone.
    assert len(message["intent_ranking"]) > 1


def test_form_asks_on_and_a_question_in_between_is_answered(phone: Phone) -> None:
    assert texts(phone.say("ktp saya hilang")) == ["Baik, kita mulai.", "Jenis kelamin?"]
    assert texts(phone.say("Laki-laki")) == ["Jenis kelamin?"]
    assert texts(phone.say("bayar ga")) == ["action_jawab -", "Jenis kelamin?"]


def test_frame_tells_an_answer_to_the_form_from_a_message_of_its_own(phone: Phone) -> None:
    frame = phone.say("ktp saya hilang")["frame"]
    assert frame["in_form"] is False
    assert 0 < frame["margin"] <= frame["confidence"]
    assert phone.say("Siti Aminah")["frame"]["in_form"] is True
    assert phone.say("bayar berapa?")["frame"]["in_form"] is False


def test_open_form_goes_on_in_the_next_session(phone: Phone, actions: Any) -> None:
    phone.say("ktp saya hilang")
    for _ in range(45):
        assert texts(phone.say("sembarang jawaban")) == ["Jenis kelamin?"]
    assert actions.calls[-1]["tracker"]["slots"]["draf"] == "d-1"
    assert max(len(call["tracker"]["events"]) for call in actions.calls) < 40


def test_new_session_after_a_filing(phone: Phone, actions: Any) -> None:
    phone.say("ktp saya hilang")
    phone.say("selesai")
    actions.calls.clear()
    phone.say("halo")
    assert actions.calls[-1]["tracker"]["slots"]["isian"] is None
    assert any(event["event"] == "session_started" for event in actions.calls[-1]["tracker"]["events"])


def test_file_location_contact(phone: Phone, actions: Any) -> None:
    file = {"url": "http://127.0.0.1/f", "name": "kk.jpg", "content_type": "image/jpeg", "size": 3}
    for content, key in (
        ({"file": file}, "file"),
        ({"location": {"lat": -7.4, "lon": 112.7}}, "location"),
        ({"contact": {"phone": "+6281234567890"}}, "contact"),
    ):
        status, answer = phone.send(**content)
        assert (status, answer["frame"]) == (200, None)
        message = actions.calls[-1]["tracker"]["latest_message"]
        assert message["metadata"][key] == content[key]
        assert message["metadata"]["channel"] == "simulator"


@pytest.mark.parametrize(
    "content",
    [
        {"text": "halo"},
        {"choice": "niat:daftar_layanan"},
        {"file": {"url": "http://127.0.0.1/f"}},
        {"file": {"url": "http://127.0.0.1/f", "caption": None, "size": None, "draft": None, "document": None}},
        {"location": {"lat": -7.4, "lon": 112.7}},
        {"contact": {"phone": "+6281234567890"}},
    ],
)
def test_a_body_with_no_more_than_it_needs(rasa: Any, actions: Any, content: dict[str, Any]) -> None:
    status, answer = post(rasa, {"conversation": str(uuid.uuid4()), "message_id": "m", **content})
    assert (status, bool(answer["replies"])) == (200, True)
    metadata = actions.calls[-1]["tracker"]["latest_message"]["metadata"]
    assert metadata["channel"] == "praja"
    if "file" in content:
        assert metadata["file"] == {
            "url": "http://127.0.0.1/f", "name": "berkas", "content_type": "application/octet-stream",
        }  # fmt: skip


def test_a_caption_is_understood_as_a_text_is(phone: Phone, actions: Any) -> None:
    file = {"url": "http://127.0.0.1/f", "name": "kk.jpg", "content_type": "image/jpeg", "size": 3}
    status, answer = phone.send(file={**file, "caption": "ktp saya hilang"})
    assert (status, texts(answer)) == (200, ["Baik, kita mulai.", "Jenis kelamin?"])
    assert (answer["frame"]["intent"], answer["frame"]["service"]) == ("ajukan_layanan", "ktp_hilang")
    message = actions.calls[-1]["tracker"]["latest_message"]
    assert message["metadata"]["file"]["name"] == "kk.jpg"
    assert phone.send(file=file)[1]["frame"] is None


def test_linked_conversations_and_early_messages(phone: Phone, actions: Any) -> None:
    other = str(uuid.uuid4())
    assert phone.send(text="halo", linked=[other], early=True)[0] == 200
    metadata = actions.calls[-1]["tracker"]["latest_message"]["metadata"]
    assert (metadata["linked"], metadata["early"]) == ([other], True)
    phone.say("halo")
    assert not {"linked", "early"} & set(actions.calls[-1]["tracker"]["latest_message"]["metadata"])
    for unfit in ({"linked": ["x"]}, {"linked": "x"}, {"early": "ya"}):
        assert phone.send(text="halo", **unfit)[0] == 422


def test_a_conversation_is_forgotten(phone: Phone, rasa: Any, database: str) -> None:
    phone.say("halo")
    forget = {"conversation": phone.conversation}
    assert post(rasa, forget, path="forget", token="wrong")[0] == 401
    assert post(rasa, forget, path="forget") == (204, {})
    assert user_events(database, phone.conversation) == 0
    assert phone.say("halo")["replies"]
    assert post(rasa, {"before": 1}, path="forget") == (204, {})
    assert user_events(database, phone.conversation) == 1
    for unfit in ({}, {"conversation": "x"}, {"before": "x"}, {**forget, "before": 1}):
        assert post(rasa, unfit, path="forget")[0] == 422


def test_handoff_and_file_of_an_answer(phone: Phone) -> None:
    answer = phone.choose("niat:bicara_petugas")
    assert (texts(answer), answer["handoff"]) == (["Sebentar."], {"reason": "minta", "service": None})
    assert phone.choose("niat:lanjutkan_draf")["replies"][0]["file"]["name"] == "a.pdf"


@pytest.mark.parametrize("broken", ["action_ajukan", "action_ask_isian"])
def test_a_failed_action_leaves_nothing(phone: Phone, actions: Any, database: str, broken: str) -> None:
    phone.say("halo")
    actions.broken.add(broken)
    assert phone.send("later", text="ktp saya hilang")[0] == 503
    assert user_events(database, phone.conversation) == 1
    actions.broken.clear()
    assert texts(phone.send("later", text="ktp saya hilang")[1]) == ["Baik, kita mulai.", "Jenis kelamin?"]


@pytest.mark.parametrize(
    "odd",
    [
        [],
        {"events": 5},
        {"events": ["slot"]},
        {"events": [{"event": "tidak_ada"}]},
        {"events": [{"event": "slot"}]},
        {"responses": "halo"},
        {"responses": ["halo"]},
    ],
)
def test_an_action_that_answers_oddly_leaves_nothing(phone: Phone, actions: Any, database: str, odd: Any) -> None:
    actions.odd["action_salam"] = odd
    assert phone.send(text="halo")[0] == 503
    assert user_events(database, phone.conversation) == 0


def test_a_failed_validation_keeps_the_form(phone: Phone, actions: Any) -> None:
    phone.say("ktp saya hilang")
    actions.broken.add("validate_form_permohonan")
    assert phone.send("x", text="Laki-laki")[0] == 503
    actions.broken.clear()
    assert texts(phone.send("x", text="Laki-laki")[1]) == ["Jenis kelamin?"]


def test_actions_in_circles_fail(phone: Phone, database: str) -> None:
    assert phone.send(choice="niat:umpan_balik")[0] == 503
    assert user_events(database, phone.conversation) == 0


def test_a_hanging_action_fails_in_time(phone: Phone, actions: Any) -> None:
    actions.slow["action_salam"] = 25
    assert phone.send(text="halo")[0] == 503


def test_database_away(phone: Phone, database: str) -> None:
    phone.say("halo")
    with psycopg2.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute("ALTER TABLE rasa.events RENAME TO away")
    try:
        assert phone.send(text="halo")[0] == 503
    finally:
        with psycopg2.connect(database) as connection, connection.cursor() as cursor:
            cursor.execute("ALTER TABLE rasa.away RENAME TO events")
    assert phone.say("halo")["frame"]["intent"] == "salam"


def test_nothing_personal_in_the_database_or_the_log(phone: Phone, rasa: Any, actions: Any, database: str) -> None:
    phone.say(f"nik saya {NIK} nama saya Paijo Wongso")
    actions.broken.add("action_salam")
    phone.send(text=f"halo {NIK}")
    with psycopg2.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(events)::text FROM rasa.events WHERE sender_id = %s", (phone.conversation,))
        rows = "".join(row[0] for row in cursor.fetchall())
    assert rows
    for private in (NIK, "Paijo"):
        assert private not in rows
        assert private not in rasa.log.read_text()
