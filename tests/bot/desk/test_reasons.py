"""When the bot gives up by itself: not understood twice in a row, or somebody is angry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.desk.agencies import DeskUnfit
from bot.desk.reasons import Reasons
from tests.bot.conftest import Room
from tests.bot.fakes import update
from tests.fakes.rasa import FakeRasa, reply


def _answer(body: dict[str, Any]) -> dict[str, Any]:
    """`?` isn't understood, what begins with `!` is about the bot, `ktp` names a service, all else is a greeting."""
    said = body.get("text", "")
    intent = "nlu_fallback" if said.startswith("?") else "umpan_balik" if said.startswith("!") else "salam"
    service = "ktp_hilang" if "ktp" in said else None
    frame = {"intent": intent, "confidence": 0.5, "service": service, "service_confidence": 0.5, "entities": []}
    return reply(f"Jawaban: {said}", frame=frame if "text" in body else None, understood=not said.startswith("?"))


async def _reasons(room: Room, rasa: FakeRasa, *texts: str, at_once: bool = False) -> list[str]:
    rasa.answer = _answer
    updates = [update(f"m{number}", text=said) for number, said in enumerate(texts)]
    for batch in [updates] if at_once else [[one] for one in updates]:
        await room.receive(*batch)
        await room.work_off()
    return [reason for (reason,) in await room.rows("SELECT reason FROM bot.handoffs ORDER BY id")]


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize(
    ("texts", "reasons"),
    [
        (("? a", "? b"), ["buntu"]),
        (("? a", "halo", "? b"), []),
        (("? a",), []),
        (("! payah", "! gak nyambung"), ["marah"]),
        (("! payah", "! bagus kok", "! payah"), []),
        (("! payah", "halo"), []),
        (("! saya kecewa berat"), ["marah"]),
        (("? saya marah ini"), ["marah"]),
        (("jalan rusak parah saya marah", "parah sekali"), []),
        (("! mantap, tidak payah-payah amat",), []),
        (("! payahan",), []),
    ],
)
async def test_reasons(
    room: Room, rasa: FakeRasa, texts: tuple[str, ...] | str, reasons: list[str], at_once: bool
) -> None:
    texts = (texts,) if isinstance(texts, str) else texts
    assert await _reasons(room, rasa, *texts, at_once=at_once) == reasons


async def test_the_desk_speaks_in_place_of_the_answer_that_did_not_help(room: Room, rasa: FakeRasa) -> None:
    await _reasons(room, rasa, "soal ktp", "? a", "? b")
    told = room.channel.texts()[-1]
    assert told.startswith(room.texts("meja_buntu"))
    assert "Jawaban: ? b" not in told
    assert await room.rows("SELECT agency, service FROM bot.handoffs") == [("dispendukcapil", "ktp_hilang")]


async def test_after_the_desk_it_begins_anew(room: Room, rasa: FakeRasa) -> None:
    assert await _reasons(room, rasa, "? a", "? b", "bot", "? c") == ["buntu"]
    await room.receive(update("n1", text="? d"))
    await room.work_off()
    assert await room.value("SELECT count(*) FROM bot.handoffs") == 2


@pytest.mark.parametrize("content", ["", "[", "marah: [a]", "marah: []\nkesal: []\nlain: []"])
def test_an_unfit_dictionary_is_named(room: Room, tmp_path: Path, content: str) -> None:
    (tmp_path / "kamus").mkdir()
    (tmp_path / "kamus" / "marah.yml").write_text(content, encoding="utf-8")
    with pytest.raises(DeskUnfit, match=r"marah\.yml"):
        Reasons(room.store, tmp_path)
