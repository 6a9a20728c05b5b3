"""Any JSON as the body of a turn, of a wish to forget and of a change of models: read, or refused as what it is."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.model_swap import SwapUnfit, parse_swap
from nlu.turn import SentFile, TurnUnfit, parse_forgetting, parse_turn

_ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.sampled_from(["\0", "\ud800", 10**400, -0.0])
)
_JSON = st.recursive(_ODD, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4))
_KEYS = st.sampled_from(
    [
        "conversation", "message_id", "channel", "linked", "early", "text", "choice", "file",
        "location", "contact", "before", "model_file", "probes", "url", "name", "content_type",
        "size", "caption", "lat", "lon", "phone", "intent", "service",
    ]
)  # fmt: skip
_USUAL = st.sampled_from(["8c1b1a52-9d1e-4a3e-8f55-0d1f6f1a0001", "whatsapp", "http://127.0.0.1/x", 5, -7.4, "salam"])
_BODIES = st.recursive(
    _ODD | _USUAL, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=6), max_leaves=20
)


@pytest.mark.parametrize(
    ("parse", "refusal"), [(parse_turn, TurnUnfit), (parse_forgetting, TurnUnfit), (parse_swap, SwapUnfit)]
)
@given(body=_BODIES | _JSON)
def test_it_is_read_or_refused(parse: Callable[[Any], object], refusal: type[Exception], body: Any) -> None:
    with contextlib.suppress(refusal):
        parse(body)


@given(before=st.one_of(st.integers(), st.floats(), st.sampled_from([10**400, -(10**400)])))
def test_a_time_before_which_all_is_forgotten_is_a_time(before: float) -> None:
    try:
        found = parse_forgetting({"before": before})
    except TurnUnfit:
        return
    assert isinstance(found, float)
    assert found - found == 0, "neither endless nor no number"


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ({}, (None, None)),
        ({"draft": "3b6a", "document": "kk"}, ("3b6a", "kk")),
        ({"draft": "3b6a", "document": 5}, None),
        ({"draft": "x" * 300, "document": "kk"}, None),
    ],
)
def test_what_a_files_link_was_for(sent: dict[str, Any], read: Any) -> None:
    file = {"url": "http://127.0.0.1/x", "name": "kk.jpg", "content_type": "image/jpeg", **sent}
    body = {"conversation": "8c1b1a52-9d1e-4a3e-8f55-0d1f6f1a0001", "message_id": "m", "channel": "whatsapp"}
    if read is None:
        with pytest.raises(TurnUnfit):
            parse_turn({**body, "file": file})
        return
    content = parse_turn({**body, "file": file}).content
    assert isinstance(content, SentFile)
    assert (content.draft, content.document) == read


_CHANGES = st.dictionaries(
    st.sampled_from(["message_id", "channel", "linked", "early", "text", "choice", "file", "location", "contact"]),
    _BODIES,
    max_size=3,
)


@given(change=_CHANGES)
def test_a_turn_with_something_odd_in_it(change: dict[str, Any]) -> None:
    usual = {"conversation": "8c1b1a52-9d1e-4a3e-8f55-0d1f6f1a0001", "message_id": "m", "channel": "whatsapp"}
    try:
        turn = parse_turn({**usual, "text": "halo", **change})
    except TurnUnfit:
        return
    assert turn.message_id
    assert turn.channel
