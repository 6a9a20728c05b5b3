"""A conversation's file that doesn't fit says where and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stack.conversation import ConversationError, load_conversation

_HEAD = "title: Uji\nabout: uji\nspeech: gaul\n"


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        pytest.param("- say: halo", 1, "begins with `title:`", id="a list"),
        pytest.param("title: 'halo\n", 2, "isn't YAML", id="an open quote"),
        pytest.param("title: Uji\nabout: uji\nsteps:\n- say: halo\n", 1, "is missing", id="no speech"),
        pytest.param(_HEAD + "steps:\n- say: halo\n- sya: halo\n", 6, "has none", id="a misspelt act"),
        pytest.param(_HEAD + "steps:\n- say: halo\n  tap: Ya\n", 5, "say, tap", id="two acts"),
        pytest.param(_HEAD + "steps:\n- say: 351508\n", 5, "put it in quotes", id="a number for a text"),
        pytest.param(_HEAD + "steps:\n- photo: rusak\n", 5, "blurred", id="an unknown picture"),
        pytest.param(
            _HEAD + "steps:\n- say: a\n  expect:\n    matches: '('\n", 7, "regular expression", id="a pattern"
        ),
        pytest.param(_HEAD + "steps:\n- officer: {note: x}\n", 5, "what the officer does", id="an idle officer"),
        pytest.param(_HEAD + "steps:\n- say: a\nafterwards: {}\n", 6, "no such key", id="an unknown key"),
        pytest.param(_HEAD + "steps:\n- say:\n", 5, "has none", id="an act without anything"),
        pytest.param(_HEAD + "steps:\n- say: a\n  expect: 112\n", 6, "put it in quotes", id="a number expected"),
        pytest.param(_HEAD + "steps:\n- say: '{nikk}'\n", 5, "{nikk}", id="an unknown name"),
        pytest.param(_HEAD + "steps:\n- say: a\n  expect: '{nomor}'\n", 6, "{number}", id="a name in other words"),
        pytest.param(_HEAD + "service: ktp\nsteps:\n- say: a\n", 4, "data/layanan", id="an unknown service"),
        pytest.param(
            _HEAD + "service: sk_umum\nsteps:\n- say: a\n- fill: {until: tanggal}\n",
            7,
            "keperluan",
            id="an unknown field",
        ),
        pytest.param(
            _HEAD + "service: sk_umum\nsteps:\n- fill:\n    until: review\n    with: {name: Siti}\n",
            8,
            "keperluan",
            id="an answer to nothing",
        ),
        pytest.param(
            _HEAD + "steps:\n- say: a\nafter:\n  filings:\n  - {service: sk_umum, state: SELESA}\n",
            8,
            "SELESAI",
            id="an unknown state",
        ),
    ],
)
def test_what_does_not_fit_is_explained(tmp_path: Path, text: str, line: int, reason: str) -> None:
    path = tmp_path / "uji.yml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConversationError) as refused:
        load_conversation(path)
    assert f"uji.yml:{line}:" in str(refused.value)
    assert reason in str(refused.value)


def test_one_may_stand_for_a_list(tmp_path: Path) -> None:
    path = tmp_path / "uji.yml"
    path.write_text(_HEAD + "steps:\n- burst: halo\n  only: whatsapp\n- album: good\n", "utf-8")
    burst, album = load_conversation(path).steps
    assert (burst.burst, burst.only) == (("halo",), ("whatsapp",))
    assert album.album is not None
    assert len(album.album) == 1


def test_short_forms_are_read(tmp_path: Path) -> None:
    path = tmp_path / "uji.yml"
    path.write_text(
        _HEAD + "steps:\n- say: halo\n  expect: Halo\n- photo: {kind: blurred, label: KK}\n- photo: dark\n", "utf-8"
    )
    said, labelled, dark = load_conversation(path).steps
    assert said.expect is not None
    assert said.expect.contains == ("Halo",)
    assert labelled.photo is not None
    assert (labelled.photo.kind, labelled.photo.label) == ("blurred", "KK")
    assert dark.photo is not None
    assert dark.act == "photo"
