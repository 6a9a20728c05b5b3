"""Words as people write them and as a dictionary has them, side by side: nothing that was written is lost.

`data/kamus/` says which spellings stand for which word. A word it doesn't know is only lowered, freed of accents and of
letters held down ("bangeeet").
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

__all__ = ["Lexicon", "Token", "flatten", "fold", "load_lexicon", "tokenise"]

_DICTIONARY = Path(__file__).parents[1] / "data" / "kamus"
_FILES = ("singkatan.yml", "jawa.yml")
"""Earlier files win: chat spelling is more frequent than the Javanese word of the same letters."""

_WORD = re.compile(r"[^\W\d_]+(?:['’`-][^\W\d_]+)*|\d+|[^\w\s]|_")
_HELD_DOWN = re.compile(r"([^\W\d_])\1{2,}")
_DOUBLED_END = re.compile(r"([^\W\d_])\1$")
_POSSESSIVE = re.compile(r"(?P<stem>.{2,})(?:ku|mu|nya|ny|ne|e|ipun|nipun)")


@dataclass(frozen=True)
class Token:
    """`raw == text[start:end]`; `word` is one word or several, lower case."""

    raw: str
    start: int
    end: int
    word: str


class Lexicon:
    """What spellings stand for. `terms` are words that keep their meaning under a possessive ("ktpku", "berkase")."""

    def __init__(self, words: Mapping[str, str], terms: Iterable[str] = ()) -> None:
        self._words = dict(words)
        self._terms = frozenset(terms) | frozenset(words.values())

    def word(self, raw: str) -> str:
        folded = fold(raw)
        if folded in self._terms:
            return folded
        for spelling in _spellings(folded):
            if spelling in self._words:
                return self._words[spelling]
        short = _HELD_DOWN.sub(r"\1", folded)
        return self._without_possessive(short) or short

    def knows(self, word: str) -> bool:
        """Whether it is a word of the dictionary, standard or not, possessives included."""
        return word in self._words or word in self._terms or bool(self._without_possessive(word))

    def _without_possessive(self, word: str) -> str:
        if word in self._terms:
            return word
        match = _POSSESSIVE.fullmatch(word)
        if match is None:
            return ""
        stem = match["stem"]
        if stem in self._words:
            return self._words[stem]
        return stem if stem in self._terms else ""


def tokenise(text: str, lexicon: Lexicon) -> Sequence[Token]:
    """Words, numbers and signs in order; blanks are left out."""
    return [Token(match[0], match.start(), match.end(), lexicon.word(match[0])) for match in _WORD.finditer(text)]


def fold(text: str) -> str:
    """Lower case, compatibility forms and accents away: "NGURUSÉ" and "𝗻𝗴𝘂𝗿𝘂𝘀𝗲" are "nguruse"."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character)).replace("’", "'")


def flatten(text: str) -> str:
    """Like `fold`, but every character keeps its place, so that what is found in it can be shown in `text`."""
    return "".join(_flat(character) for character in text)


@lru_cache(maxsize=1)
def load_lexicon() -> Lexicon:
    """The dictionary in `data/kamus/`."""
    words: dict[str, str] = {}
    for name in _FILES:
        for standard, spellings in yaml.safe_load((_DICTIONARY / name).read_text("utf-8")).items():
            for spelling in spellings:
                words.setdefault(fold(str(spelling)), str(standard))
    return Lexicon(words, yaml.safe_load((_DICTIONARY / "istilah.yml").read_text("utf-8")))


@lru_cache(maxsize=4096)
def _flat(character: str) -> str:
    plain = unicodedata.normalize("NFKD", character.casefold())[:1]
    return "'" if character in "’‘`" else plain or character


def _spellings(folded: str) -> Iterable[str]:
    yield folded
    held = _HELD_DOWN.sub(r"\1", folded)
    if held != folded:
        yield held
    ended = _DOUBLED_END.sub(r"\1", held)
    # "kk" isn't a long "k".
    if ended != held and len(ended) > 2:
        yield ended
    if "'" in folded:
        yield folded.replace("'", "")
