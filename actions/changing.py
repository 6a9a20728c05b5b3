"""Which earlier answer of a draft the citizen wants to see again or change."""

from __future__ import annotations

import re
from collections.abc import Sequence

from actions.backend import Draft
from actions.words import after_courtesy, fold, is_word, starts_with_word

__all__ = ["WHICH", "earlier_than", "named_in", "wanted_by"]

WHICH = "?"
"""In the slot `ubah`: the citizen wants to change something and is asked what."""
_CHANGE_WORDS = 9
_TELLING = 4
"""letters of a word that can stand for the whole name of a field"""


def earlier_than(changing: str | None, draft: Draft) -> str | None:
    """The field before the one being asked; going back twice goes back two. None at the first."""
    answered = [*draft.answers, *draft.documents]
    earlier = answered[: answered.index(changing)] if changing in answered else answered
    return earlier[-1] if earlier else None


def wanted_by(text: str, draft: Draft) -> str | None:
    """The field meant by "salah, nik yang tadi"; WHICH for a bare "ubah"; None for what is no wish to change."""
    said = fold(text) if _asks_words(draft) else after_courtesy(text)
    answered = {*draft.answers, *draft.documents}
    if is_word("ubah", said):
        return WHICH if answered else None
    if not starts_with_word("ubah", said) or len(said.split()) > _CHANGE_WORDS:
        return None
    named = named_in(said, [(item.id, item.name) for item in draft.items if item.id in answered])
    return WHICH if named is None and answered and _means_to_change(said, draft) else named


def named_in(said: str, items: Sequence[tuple[str, str]]) -> str | None:
    """The id of the one, of (id, name), that is named in most letters: "ktp ayah dan ibu" isn't the KTP."""
    named = max(items, key=lambda item: _letters_named(said, *item), default=None)
    if named is not None and _letters_named(said, *named):
        return named[0]
    hinted = [identifier for identifier, name in items if _is_hinted(said, name)]
    return hinted[0] if len(hinted) == 1 else None


def _is_hinted(said: str, name: str) -> bool:
    """By one word of its name: "ubah berat bayi" is "Berat, panjang, dan anak ke-"."""
    names = {word for word in fold(name).split() if len(word) >= _TELLING}
    return not names.isdisjoint(said.split())


def _means_to_change(said: str, draft: Draft) -> bool:
    """ "ubah hubungan" is no answer, but where words are asked for "salah satu rumah di ..." may be one."""
    return said.split(maxsplit=1)[0] == "ubah" or not _asks_words(draft)


def _asks_words(draft: Draft) -> bool:
    return draft.next is not None and draft.next.type in ("text", "address", "name", "location")


def _letters_named(said: str, identifier: str, name: str) -> int:
    """How much names a field or document, by its id ("hp") or name ("nomor hp"), with a suffix or without ("nik e")."""
    names = {identifier.replace("_", " "), fold(name).removesuffix(" lengkap")}
    found = [each for each in names if re.search(rf"\b{re.escape(each)}(nya|e|ku|mu)?\b", said)]
    return max(map(len, found), default=0)
