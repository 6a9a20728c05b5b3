from __future__ import annotations

import asyncio
import json
import logging
import sys

import pytest

from journal import JsonLines, PlainLines, of_turn, present_turn, turn_header

NIK = "3515082301790042"


def _record(message: str, *arguments: object, failed: bool = False) -> logging.LogRecord:
    error = None
    if failed:
        try:
            raise ValueError(f"NIK {NIK}")
        except ValueError:
            error = sys.exc_info()
    return logging.LogRecord("bot.turn", logging.WARNING, "turn.py", 1, message, arguments, error)


def test_a_line_is_one_object_with_its_turn() -> None:
    with of_turn("123"):
        line = json.loads(JsonLines("bot").format(_record("dua\nbaris dari %s", "bot")))
    assert line.pop("at").endswith("Z")
    assert line == {
        "level": "warning",
        "part": "bot",
        "logger": "bot.turn",
        "turn": "123",
        "message": "dua\nbaris dari bot",
    }


def test_outside_a_turn_there_is_none() -> None:
    assert "turn" not in json.loads(JsonLines("bot").format(_record("halo")))
    assert turn_header() == {}


@pytest.mark.parametrize("lines", [JsonLines("bot"), PlainLines()])
def test_a_number_of_a_citizen_is_taken_out_wherever_it_is(lines: logging.Formatter) -> None:
    written = lines.format(_record("dari +62 812-3456-7890, %s", NIK, failed=True))
    assert NIK not in written
    assert "3456" not in written
    assert "ValueError" in written


@pytest.mark.parametrize("odd", [None, "", "a b", "1\nlevel=error", "x" * 41, "‮1"])
def test_what_is_no_plain_name_is_no_turn(odd: str | None) -> None:
    with of_turn(odd):
        assert present_turn() == ""


async def test_turns_beside_each_other_keep_apart() -> None:
    async def work(turn: str) -> str:
        with of_turn(turn):
            await asyncio.sleep(0)
            return await asyncio.create_task(_asked())

    async def _asked() -> str:
        return turn_header()["Praja-Turn"]

    assert await asyncio.gather(*map(work, ("1", "2", "3"))) == ["1", "2", "3"]
