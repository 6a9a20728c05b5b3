"""Replies to bubbles: limits kept, nothing lost."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answer import merge
from bot.channel import Capabilities
from bot.reply import Bubble, Choice, FileLink, Reply
from bot.shaping import shape, split_text

PROMPT = "Balas dengan angka:"


def _capabilities(**limits: int) -> Capabilities:
    return Capabilities(
        **{
            "text": 4096,
            "text_with_choices": 1024,
            "buttons": 3,
            "button_title": 20,
            "rows": 10,
            "row_title": 24,
            **limits,
        },
        files=True,
        window=None,
        pace=timedelta(0),
        stale=timedelta(hours=12),
    )


WHATSAPP = _capabilities()


def _choices(*titles: str) -> tuple[Choice, ...]:
    return tuple(Choice(f"niat:{i}", title) for i, title in enumerate(titles))


def _shape(*replies: Reply, capabilities: Capabilities = WHATSAPP) -> list[Bubble]:
    return shape(replies, capabilities, PROMPT)


def test_texts_without_choices_share_a_bubble() -> None:
    assert _shape(Reply("Satu."), Reply("Dua."), Reply("Tiga.")) == [Bubble("Satu.\n\nDua.\n\nTiga.")]


def test_choices_end_a_bubble_and_two_are_enough() -> None:
    replies = [Reply(f"Tanya {n}?", _choices(f"A{n}")) for n in range(4)]
    bubbles = _shape(*replies)
    assert len(bubbles) == 2
    assert [choice.title for bubble in bubbles for choice in bubble.choices] == ["A0", "A1", "A2", "A3"]


def test_few_short_choices_are_buttons() -> None:
    assert _shape(Reply("Benar?", _choices("Ya", "Tidak"))) == [Bubble("Benar?", _choices("Ya", "Tidak"))]


def test_more_choices_are_a_list_and_numbered_in_the_text() -> None:
    (bubble,) = _shape(Reply("Kecamatan?", _choices("Candi", "Buduran", "Gedangan", "Waru")))
    assert bubble.text == f"Kecamatan?\n\n{PROMPT}\n1. Candi\n2. Buduran\n3. Gedangan\n4. Waru"
    assert len(bubble.choices) == 4


def test_too_many_choices_are_numbers_only() -> None:
    (bubble,) = _shape(Reply("Kecamatan?", _choices(*(f"Kecamatan {n}" for n in range(18)))))
    assert bubble.text.endswith("18. Kecamatan 17")
    assert bubble.choices == ()


def test_a_title_that_is_cut_is_written_out_in_the_text() -> None:
    long = _choices("Kartu Tanda Penduduk hilang", "Kartu Tanda Penduduk rusak")
    (bubble,) = _shape(Reply("Yang mana?", long))
    assert [choice.title for choice in bubble.choices] == ["Kartu Tanda Penduduk…"[:19] + "…", "Kartu Tanda Pend (2)"]
    assert "1. Kartu Tanda Penduduk hilang\n2. Kartu Tanda Penduduk rusak" in bubble.text


def test_numbers_run_through_a_turn_since_that_is_how_a_typed_one_is_read() -> None:
    first, second = _shape(
        Reply("Pertama?", _choices("a", "b", "c", "d")), Reply("Kedua?", _choices("e", "f", "g", "h"))
    )
    assert "4. d" in first.text
    assert "5. e" in second.text
    assert "8. h" in second.text


def test_a_file_has_its_own_bubble_and_choices_follow_it() -> None:
    file = FileLink("http://127.0.0.1/hasil", "hasil.pdf", "application/pdf")
    assert _shape(Reply("Ini hasilnya.", file=file)) == [Bubble("Ini hasilnya.", file=file)]
    assert _shape(Reply("Ada lagi?", _choices("Ya"), file)) == [
        Bubble("", file=file),
        Bubble("Ada lagi?", _choices("Ya")),
    ]


def test_choices_without_a_text_get_the_prompt() -> None:
    assert _shape(Reply("", _choices("Ya"))) == [Bubble(PROMPT, _choices("Ya"))]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Satu dua. Tiga empat.", ["Satu dua.", "Tiga empat."]),
        ("Satu dua\n\nTiga. empat", ["Satu dua", "Tiga. empat"]),
        ("satu dua tiga", ["satu dua", "tiga"]),
        ("abcdefghijklmnop", ["abcdefghijkl", "mnop"]),
        ("", []),
    ],
)
def test_a_text_is_cut_where_it_reads_best(text: str, parts: list[str]) -> None:
    assert split_text(text, 12) == parts


def test_a_burst_says_a_thing_once_and_offers_the_last_choices() -> None:
    merged = merge([[Reply("Halo."), Reply("NIK?", _choices("a"))], [Reply("Halo."), Reply("NIK?", _choices("b"))]])
    assert [reply.text for reply in merged] == ["Halo.", "NIK?"]
    assert merged[-1].choices[0].title == "b"


_texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=300) | st.just(
    "Kalimat panjang. " * 40
)
_replies = st.lists(
    st.builds(
        Reply,
        text=_texts,
        choices=st.lists(
            st.builds(Choice, id=st.text(min_size=1, max_size=5), title=st.text("abAB 😀\n", max_size=40)), max_size=12
        ).map(tuple),
        file=st.none() | st.just(FileLink("u", "n", "t")),
    ).filter(lambda reply: bool(reply.text.strip() or reply.choices or reply.file)),
    max_size=6,
)
_limits = st.builds(
    _capabilities,
    text=st.integers(120, 400),
    text_with_choices=st.integers(60, 120),
    buttons=st.integers(0, 5),
    button_title=st.integers(8, 20),
    rows=st.sampled_from([0, 10]),
    row_title=st.integers(8, 24),
)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _solid(text: str) -> str:
    return re.sub(r"\s+", "", text)


@given(_replies, _limits)
def test_limits_are_kept(replies: list[Reply], limits: Capabilities) -> None:
    for bubble in shape(replies, limits, PROMPT):
        titles = [choice.title for choice in bubble.choices]
        assert _units(bubble.text) <= (1024 if bubble.file else limits.text_with_choices if titles else limits.text)
        assert bubble.file or bubble.text.strip()
        assert len({title.casefold() for title in titles}) == len(titles)
        assert len(titles) <= max(limits.buttons, limits.rows)
        longest = limits.button_title if len(titles) <= limits.buttons else limits.row_title
        assert all(title.strip() == title != "" and _units(title) <= longest for title in titles)


@given(_replies, _limits)
def test_nothing_is_lost(replies: list[Reply], limits: Capabilities) -> None:
    bubbles = shape(replies, limits, PROMPT)
    said = _solid("".join(bubble.text for bubble in bubbles))
    at = 0
    for reply in replies:
        at = said.index(_solid(reply.text), at) if reply.text.strip() else at
    tapped = [choice.id for bubble in bubbles for choice in bubble.choices]
    for reply in replies:
        for choice in reply.choices:
            assert choice.id in tapped or _solid(choice.title) in said
    assert sum(bubble.file is not None for bubble in bubbles) == sum(reply.file is not None for reply in replies)


@given(_texts, st.integers(1, 50))
def test_splitting_loses_only_white_space(text: str, limit: int) -> None:
    parts = split_text(text, max(limit, 2))
    assert _solid("".join(parts)) == _solid(text)
    assert all(part and _units(part) <= max(limit, 2) for part in parts)
