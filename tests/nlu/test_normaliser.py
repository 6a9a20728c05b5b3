from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.normaliser import flatten, load_lexicon, tokenise


def words(text: str) -> str:
    return " ".join(token.word for token in tokenise(text, load_lexicon()))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("KTPku ilaaang cak, yok opo ngurusé??", "ktp hilang cak , yok apa urus ? ?"),
        ("kok gak oleh bansos", "kok tidak oleh bansos"),
        ("sk domisili gae kerjo", "sk domisili buat kerja"),
        ("kk kia rt mati", "kk kia rt mati"),
        ("baleni maneh", "ulang lagi"),
        ("rameeee", "rame"),
        ("3515085708909999", "3515085708909999"),
    ],
)
def test_words(text: str, expected: str) -> None:
    assert words(text) == expected


@given(st.text(max_size=100))
def test_nothing_written_is_lost(text: str) -> None:
    tokens = tokenise(text, load_lexicon())
    assert all(text[token.start : token.end] == token.raw for token in tokens)
    left_out = list(text)
    for token in tokens:
        left_out[token.start : token.end] = [" "] * len(token.raw)
    assert not "".join(left_out).strip() or not any(character.isalnum() for character in left_out)
    assert len(flatten(text)) == len(text)
