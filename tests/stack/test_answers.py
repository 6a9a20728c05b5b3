"""In a form the answer to the question asked comes first: the frozen cases, with the model that is served.

`expected`: an answer is kept, a question or a command is left to its own rule, and what is neither is asked again.
"""

from __future__ import annotations

import csv
import json
from datetime import date
from typing import Any

import httpx

from actions.backend import Question
from actions.interpretation import Aside, Explain, File, Meaning, Value, interpret
from actions.turn import Turn
from backend.regions import find_place, load_regions
from identity import InvalidNumber, parse_kk_number, parse_nik, parse_phone
from tests.stack.running import RASA_TOKEN, ROOT, Running

TODAY = date(2026, 11, 24)
RIGHT_AT_LEAST = 0.85
CASES = [json.loads(line) for line in (ROOT / "tests/data/understanding/answers.jsonl").read_text("utf-8").splitlines()]
PLACES = list(csv.DictReader((ROOT / "data" / "wilayah.csv").read_text("utf-8").splitlines()))
REGIONS = load_regions(ROOT / "data")
CHECKS = {
    "nik": lambda t: parse_nik(t, today=TODAY),
    "kk_number": lambda t: parse_kk_number(t, today=TODAY),
    "phone": parse_phone,
}


def test_frozen_answers(stack: Running) -> None:
    wrong = []
    with httpx.Client(base_url=stack.rasa, params={"token": RASA_TOKEN}, timeout=20) as rasa:
        for case in CASES:
            question = _question(case)
            parsed = rasa.post("/model/parse", json={"text": case["text"]}).json()
            became = _kind(question, interpret(question, _turn(parsed)))
            if became != {"question": "aside", "command": "aside"}.get(case["expected"], case["expected"]):
                wrong.append((case["expected"], became, question.type, case["text"]))
    assert len(wrong) <= (1 - RIGHT_AT_LEAST) * len(CASES), "\n".join(map(str, wrong))
    kept_wrongly = [case for case in wrong if case[1] == "answer" and case[0] in ("question", "command")]
    assert len(kept_wrongly) <= 4, kept_wrongly


def _kind(question: Question, meaning: Meaning) -> str:
    """As the citizen would see it: a number or place that the backend refuses is asked again, a skipped question is a command."""
    match meaning:
        case Value(None):
            return "aside"
        case Value(value) if question.type in CHECKS:
            try:
                CHECKS[question.type](value)
            except InvalidNumber:
                return "unfit"
            return "answer"
        case Value(str(value)) if question.type in ("kecamatan", "desa"):
            elsewhere = question.type == "kecamatan" and len(REGIONS.kecamatan_of(value)) == 1
            return "answer" if elsewhere or find_place(value, dict(question.choices)) else "unfit"
        case Value() | File():
            return "answer"
        case Aside() | Explain():
            return "aside"
    return "unfit"


def _question(case: dict[str, Any]) -> Question:
    asked = case["question"]
    choices = [(choice["id"], choice["title"]) for choice in asked.get("choices") or ()]
    match asked["type"]:
        case "kecamatan":
            choices = [(name, name) for name in dict.fromkeys(place["kecamatan"] for place in PLACES)]
        case "desa":
            own = next((p["kecamatan"] for p in PLACES if p["nama"] == case.get("value")), "Sidoarjo")
            choices = [(p["nama"], p["nama"]) for p in PLACES if p["kecamatan"] == own]
    return Question(asked["field"], asked["type"], "?", None, tuple(choices), bool(asked.get("optional")))


def _turn(parsed: dict[str, Any]) -> Turn:
    return Turn(
        conversation="c", message_id="m", channel="simulator", text=parsed["text"], intent=parsed["intent"]["name"],
        confidence=parsed["intent"]["confidence"], intents=(), services=(),
        entities={e["entity"]: str(e["value"]) for e in parsed["entities"] if e["entity"] != "layanan"},
        choice=None, file=None, phone=None, location=None, slots={},
    )  # fmt: skip
