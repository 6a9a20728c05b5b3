"""What a model was taught, asked of models that were taught the rest of it: each part of some parts (folds) in turn.

Which part a message is in goes by its block, so it is the same in every model that was taught it: two models' answers can
be set beside each other. They are kept beside the archive, since the live model's can't be had later: `NAME.silang.json`.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Optional

from nlu.catalogue import read_catalogue
from nlu.evaluation import judge, learn
from nlu.examples import Example
from nlu.measures import frame_check

__all__ = ["Answer", "Folds", "answers_kept", "ask_and_keep", "parts", "shared"]

_NEIGHBOURS = 5
"""An author's paraphrases stand next to each other; so many are asked or taught together."""


@dataclass(frozen=True)
class Folds:
    parts: int
    asked: int
    """How many of them are asked, as time allows; 0 none."""


@dataclass(frozen=True)
class Answer:
    text: str
    """A hash of it."""
    intent: str
    """As it was taught."""
    given: str
    is_right: bool
    """The service too."""


def ask_and_keep(archive: Path, taught: Sequence[Example], folds: Folds) -> Sequence[Answer]:
    """Asked once for an archive, which never changes; `taught` is what it was made of."""
    kept = answers_kept(archive, folds)
    if kept is None:
        kept = list(_ask(taught, folds))
        written = {"folds": asdict(folds), "answers": [asdict(answer) for answer in kept]}
        _file(archive).write_text(json.dumps(written), "utf-8")
    return kept


def answers_kept(archive: Path, folds: Folds) -> Optional[Sequence[Answer]]:
    """None where none were kept, or by other parts."""
    try:
        written = json.loads(_file(archive).read_text("utf-8"))
        return [Answer(**each) for each in written["answers"]] if written["folds"] == asdict(folds) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def shared(candidate: Iterable[Answer], live: Iterable[Answer]) -> Sequence[tuple[Answer, Answer]]:
    """The answers to the same texts, whatever their labels were."""
    others = {answer.text: answer for answer in live}
    return [(answer, others[answer.text]) for answer in candidate if answer.text in others]


def parts(taught: Iterable[Example], count: int) -> Iterator[int]:
    """In which each is."""
    position: Counter[str] = Counter()
    for example in taught:
        # Where the folder is differs from time to time; how the file is called doesn't.
        block = Path(example.block).name
        yield int(_hash(f"{block}/{position[block] // _NEIGHBOURS}"), 16) % count
        position[block] += 1


def _ask(taught: Sequence[Example], folds: Folds) -> Iterator[Answer]:
    placed = list(zip(taught, parts(taught, folds.parts), strict=True))
    for part in range(folds.asked):
        models = learn([example for example, own in placed if own != part], read_catalogue())
        judged = list(judge(models, [example for example, own in placed if own == part]))
        is_right = frame_check(judged)
        for each in judged:
            yield Answer(_hash(each.example.text), str(each.example.intent), each.intent, is_right(each))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _file(archive: Path) -> Path:
    return archive.with_name(archive.name.removesuffix(".tar.gz") + ".silang.json")
