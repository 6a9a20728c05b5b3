"""What a message means while a question of the form is open: the answer, something else, or neither.

The answer to the question asked comes first: an address stays an address though it looks like a complaint. A question
("ini bayar ga?") or a command ("batal") is left to its own rule, and the form asks again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from actions.backend import Question
from actions.turn import IncomingFile, Turn
from actions.words import (
    alarms,
    fold,
    has_word,
    is_word,
    names_after,
    number_in,
    replace_synonyms,
    spoken_digits,
    wonders,
)

__all__ = [
    "STORIES",
    "Aside",
    "Explain",
    "File",
    "Stale",
    "Unfit",
    "Value",
    "agreement",
    "asks_besides",
    "interpret",
    "is_aside",
    "lacks_it",
    "match_choice",
]


@dataclass(frozen=True)
class Value:
    """An answer to be given to the draft; None skips an optional field."""

    value: str | None


@dataclass(frozen=True)
class File:
    file: IncomingFile


@dataclass(frozen=True)
class Aside:
    """Not an answer: a question or a command, which has a rule of its own."""


@dataclass(frozen=True)
class Stale:
    """A tap on an earlier question's choice."""


@dataclass(frozen=True)
class Explain:
    """It is asked what the question means: its help is the answer."""


@dataclass(frozen=True)
class Unfit:
    """Neither; `reason` is a sentence's key."""

    reason: str


Meaning = Value | File | Aside | Stale | Explain | Unfit

_QUESTIONS = frozenset(
    {
        "tanya_syarat", "tanya_biaya", "tanya_lama_proses", "tanya_prosedur", "tanya_lokasi", "tanya_jam_layanan",
        "daftar_layanan", "cek_status", "ambil_hasil", "privasi_data", "tanya_bot",
    }
)  # fmt: skip
_COMMANDS = frozenset({"batal", "bicara_petugas", "bantuan", "ulangi", "lanjutkan_draf", "darurat", "pamit"})
STORIES = ("uraian", "pertanyaan")
"""fields that hold a citizen's own account, which may have been given before the form began"""
_SURE = 0.5
_VERY_SURE = 0.7
_CERTAIN = 0.95
_FREE_COMMAND_WORDS = 4
_CRY_WORDS = 5
"""A text of so few words is an emergency only if one of them says so: "Kepala Desa Kalitengah" isn't."""
_OF_THE_FILING = frozenset({"tanya_biaya", "tanya_lama_proses", "tanya_jam_layanan"})
"""questions that are about the filing though they name what is asked for"""
_DIGITS_OF_NO_NAME = 4
_LONGEST_PLACE = 6
"""words, such as "kelurahan" before it among them"""
_SIMILAR = 84
_TELLS_LITTLE = frozenset({"nomor", "jenis", "data", "tempat", "tanggal", "surat", "lama", "baru", "anak"})
"""of what a field is called"""
_DOUBLED = re.compile(r"\b([^\W\d_]{2,})2\b")
"""How a repeated word is written in chats: "laki2"."""
_PART_OF_A_TITLE = 4
"""letters; "pungutan liar" is enough for "Pungutan liar atau calo" """


def interpret(question: Question, turn: Turn) -> Meaning:
    """What `turn` is to `question`. Has no effect."""
    if turn.choice is not None:
        return _chosen(question, turn.choice)
    if turn.file is not None:
        return File(turn.file) if question.type == "document" else Unfit("berkas_belum_diminta")
    if turn.phone is not None and question.type == "phone":
        return Value(turn.phone)
    if turn.location is not None and question.type == "location":
        return Value(f"{turn.location.lat:.6f},{turn.location.lon:.6f}")
    if turn.location is not None or turn.phone is not None:
        return Unfit("tulis_jawaban")
    if question.optional and (is_word("lewati", turn.text) or turn.text == "-"):
        return Value(None)
    if question.field in STORIES:
        return _story(turn)
    if _asks_about(question, turn):
        return Explain()
    if _wants_another_service(turn) and question.type != "text":
        return Aside()
    match question.type:
        case "name":
            return _name(turn)
        case "nik" | "kk_number":
            return _digits(turn, at_least=10)
        case "phone":
            return Value(turn.entities["nomor_hp"]) if "nomor_hp" in turn.entities else _digits(turn, at_least=7)
        case "number":
            return _digits(turn, at_least=1)
        case "date":
            return (
                Value(turn.entities["tanggal"])
                if "tanggal" in turn.entities
                else _aside_or(turn, Unfit("bukan_tanggal"))
            )
        case "kecamatan" | "desa":
            return _place(question, turn)
        case "choice":
            chosen = None if "?" in turn.text else match_choice(turn.text, question.choices)
            return Value(chosen) if chosen is not None else _aside_or(turn, Unfit("bukan_pilihan"))
        case "document":
            return _aside_or(turn, Unfit("belum_bisa_jawab" if wonders(turn.text) else "kirim_berkas"))
        case _:
            return _free_text(turn)


def agreement(turn: Turn) -> bool | None:
    """Yes, no, or neither."""
    if turn.choice is None and is_word("ya", turn.text):
        return True
    if turn.choice is None and is_word("tidak", turn.text):
        return False
    if turn.intent in ("ya", "tidak") and turn.confidence >= _VERY_SURE:
        return turn.intent == "ya"
    return None


def is_aside(turn: Turn) -> bool:
    """A question or a command, by the model's word; a command of some other bot ("/restart") is neither."""
    if turn.text.startswith("/") or _is_false_alarm(turn):
        return False
    return turn.intent in _QUESTIONS | _COMMANDS and turn.confidence >= _SURE


def asks_besides(turn: Turn) -> bool:
    """Whether the words on a photo ask or command something, beyond saying what it is."""
    return turn.file is not None and _is_aside_to_free_text(turn)


def lacks_it(text: str) -> bool:
    """Whether somebody says that they haven't got what is asked for."""
    return has_word("belum_punya", text)


def match_choice(text: str, choices: Sequence[tuple[str, str]]) -> str | None:
    """The id of the choice a person wrote: "bluru kidul" is Blurukidul, "yang sekolah" is Sekolah."""
    said = _DOUBLED.sub(r"\1 \1", _fold(text))
    return _match(said, choices) or _match(_fold(replace_synonyms(said)), choices)


def _match(said: str, choices: Sequence[tuple[str, str]]) -> str | None:
    if not said:
        return None
    titles = {identifier: _fold(title) for identifier, title in choices}
    compact = said.replace(" ", "")
    for identifier, title in titles.items():
        if compact == title.replace(" ", "") or said == _fold(identifier):
            return identifier
    bare = re.sub(r"^(kec|kecamatan|desa|kel|kelurahan|ds|dsn|yang|sing|yg)\b\s*", "", said)
    found = process.extract(
        bare.replace(" ", ""), {i: t.replace(" ", "") for i, t in titles.items()}, scorer=fuzz.ratio, limit=2
    )
    if found and found[0][1] >= _SIMILAR and (len(found) == 1 or found[0][1] > found[1][1]):
        return str(found[0][2])
    within = [i for i, title in titles.items() if re.search(rf"\b{re.escape(title)}\b", said)]
    if within or len(bare) < _PART_OF_A_TITLE:
        return within[0] if len(within) == 1 else None
    begun = [i for i, title in titles.items() if re.search(rf"\b{re.escape(bare)}\b", title)]
    if len(begun) == 1:
        return begun[0]
    words = [word for word in bare.split() if len(word) >= _PART_OF_A_TITLE]
    first = [identifier for identifier, title in titles.items() if title.split()[0] in words]
    return first[0] if len(first) == 1 else None


def _chosen(question: Question, choice: str) -> Meaning:
    kind, _, rest = choice.partition(":")
    field, _, value = rest.partition(":")
    if kind != "isi":
        return Aside()
    return Value(value or None) if field == question.field else Stale()


def _digits(turn: Turn, *, at_least: int) -> Meaning:
    """A text with digits enough is an attempt at the number; the backend says what is wrong with it."""
    if at_least > 1 and (dictated := spoken_digits(turn.text)) is not None:
        return Value(dictated)
    runs = re.findall(r"\+?\d[\d .\-]*", turn.text)
    longest = max((re.sub(r"[ .\-]", "", run) for run in runs), key=len, default="")
    if len(longest.lstrip("+")) >= at_least:
        return Value(longest)
    if at_least == 1 and (number := number_in(turn.text)) is not None:
        return Value(str(number))
    return _aside_or(turn, Unfit("bukan_angka"))


def _place(question: Question, turn: Turn) -> Meaning:
    """One of the choices; else a name for the backend, which knows what is like it and which desa lies where."""
    named = None if "?" in turn.text else match_choice(turn.text, question.choices)
    if named is not None:
        return Value(named)
    if wonders(turn.text) or lacks_it(turn.text) or len(turn.text.split()) > _LONGEST_PLACE:
        return _aside_or(turn, Unfit("bukan_pilihan"))
    if (desa := turn.entities.get("desa")) is not None:
        return Value(desa)
    return _aside_or(turn, Value(turn.text) if turn.text else Unfit("bukan_pilihan"))


def _aside_or(turn: Turn, otherwise: Meaning) -> Meaning:
    return Aside() if is_aside(turn) else otherwise


def _free_text(turn: Turn) -> Meaning:
    if (other := _no_free_text(turn)) is not None:
        return other
    return Value(turn.text) if turn.text else Unfit("tulis_jawaban")


def _story(turn: Turn) -> Meaning:
    """What happened, or what is asked of an officer: a question is the answer here, unless it is a short one."""
    short = len(turn.text.split()) <= _FREE_COMMAND_WORDS
    if _is_aside_to_free_text(turn) and (short or turn.intent == "darurat"):
        return Aside()
    return Value(turn.text) if turn.text else Unfit("tulis_jawaban")


def _name(turn: Turn) -> Meaning:
    """The name alone, of "nama saya Siti Aminah" too."""
    if (other := _no_free_text(turn)) is not None:
        return other
    if sum(map(str.isdigit, turn.text)) >= _DIGITS_OF_NO_NAME:
        return Unfit("bukan_nama")
    bare = names_after(turn.text)
    no_name = not bare or is_word("bukan_nama", bare) or is_word("lewati", bare)
    return Unfit("bukan_nama") if no_name else Value(bare)


def _wants_another_service(turn: Turn) -> bool:
    """ "sekarang mau bikin akta kematian bapak saya" in the middle of another filing."""
    sure = turn.intent == "ajukan_layanan" and turn.confidence >= _VERY_SURE
    return sure and bool(turn.services) and turn.services[0].confidence >= _VERY_SURE and len(turn.text.split()) >= 3


def _no_free_text(turn: Turn) -> Meaning | None:
    """What a text is that no field of words may keep."""
    if _is_aside_to_free_text(turn):
        return Aside()
    return Unfit("belum_bisa_jawab") if turn.text.endswith("?") else None


def _is_aside_to_free_text(turn: Turn) -> bool:
    if turn.text.startswith("/") or _is_false_alarm(turn):
        return False
    if turn.intent == "darurat" and turn.confidence >= _CERTAIN:
        return True
    if turn.intent in _COMMANDS:
        return turn.confidence >= _VERY_SURE and len(turn.text.split()) <= _FREE_COMMAND_WORDS
    return turn.intent in _QUESTIONS and turn.confidence >= _SURE and wonders(turn.text)


def _is_false_alarm(turn: Turn) -> bool:
    return turn.intent == "darurat" and len(turn.text.split()) <= _CRY_WORDS and not alarms(turn.text)


def _asks_about(question: Question, turn: Turn) -> bool:
    """ "nik itu yang mana", "saksi itu harus siapa": what is asked for, or one of its choices, is named in a question."""
    if not wonders(turn.text) or (turn.intent in _OF_THE_FILING and turn.confidence >= _SURE):
        return False
    if turn.services and turn.services[0].confidence >= _VERY_SURE and turn.intent in _QUESTIONS:
        return False
    names = {*question.field.split("_"), *(fold(title) for _, title in question.choices)} - _TELLS_LITTLE
    said = fold(turn.text)
    return any(re.search(rf"\b{re.escape(name)}(nya|ne|e|ku|mu)?\b", said) for name in names if name)


def _fold(text: str) -> str:
    return re.sub(r"[^a-z0-9\-]+", " ", text.lower()).strip()
