from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity import Seal, SealBroken

SEAL = Seal("rahasia", "tests.first")


@given(st.binary(max_size=500))
def test_opens_what_it_sealed_and_seals_differently_each_time(value: bytes) -> None:
    sealed = SEAL.seal(value)
    assert SEAL.open(sealed) == value
    assert SEAL.seal(value) != sealed


@given(st.text(max_size=200))
def test_text_survives(value: str) -> None:
    assert SEAL.open_text(SEAL.seal_text(value)) == value


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(Seal("rahasia", "tests.second"), id="another purpose"),
        pytest.param(Seal("lain", "tests.first"), id="another secret"),
    ],
)
def test_nothing_else_opens_it(other: Seal) -> None:
    with pytest.raises(SealBroken):
        other.open(SEAL.seal(b"3515085708909999"))


def test_altered_and_unsealed_values_are_refused() -> None:
    sealed = bytearray(SEAL.seal(b"x"))
    sealed[-1] ^= 1
    with pytest.raises(SealBroken):
        SEAL.open(bytes(sealed))
    with pytest.raises(SealBroken):
        SEAL.open_text("bukan base64!")


def test_index_finds_without_keeping() -> None:
    assert SEAL.index("3515085708909999") == SEAL.index("3515085708909999")
    assert SEAL.index("3515085708909999") != Seal("rahasia", "tests.second").index("3515085708909999")
