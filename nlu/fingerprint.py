"""What a model is made of, as hashes: a model of another program would be read wrongly, one of other data answers as before.

A fee or an opening hour of a service counts nowhere.
"""

from __future__ import annotations

import ast
import hashlib
import json
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Optional

import yaml

from nlu.catalogue import read_catalogue
from nlu.seed import SEED

__all__ = ["MADE_OF_FILE", "MadeOf", "made_of", "made_of_model", "understanding_fingerprint"]

MADE_OF_FILE = "made_of.json"
"""Within the folder that a component keeps in a model."""

_ROOT = Path(__file__).parents[1]
_CONFIGURATION = ("config.yml", "domain.yml", "data/rules.yml")
_DICTIONARIES = "data/kamus"
_FAMILIES = "data/keluarga.yml"
_LEARNED = "data/nlu"
_REVIEWED = "data/tinjauan"


@dataclass(frozen=True)
class MadeOf:
    """Hashes but for the seed."""

    program: str
    """the modules of the pipeline in `config.yml` with all that they import from `nlu/`, and the dictionaries"""
    configuration: str
    """the pipeline, the domain and the rules: they are kept in the model"""
    data: str
    """the labelled messages, and what the catalogue says about words"""
    reviewed: str
    """the reviewed set alone"""
    seed: int

    def serves(self, here: MadeOf) -> bool:
        """Whether a model made of this is read right by the program and configuration that are `here`."""
        return (self.program, self.configuration) == (here.program, here.configuration)


def made_of(root: Path = _ROOT) -> MadeOf:
    """What a model trained now would be made of."""
    reviewed = _hash(root, (root / _REVIEWED).glob("*.yml"))
    learned = _hash(root, [*(root / _LEARNED).glob("*.yml"), root / _FAMILIES])
    catalogue = "".join(repr(named) for named in read_catalogue(root / "data"))
    return MadeOf(
        program=_hash(root, [*_modules(root), *(root / _DICTIONARIES).glob("*.yml")]),
        configuration=_hash(root, (root / name for name in _CONFIGURATION)),
        data=hashlib.sha256(f"{learned} {reviewed} {catalogue}".encode()).hexdigest(),
        reviewed=reviewed,
        seed=SEED,
    )


def made_of_model(model: Path) -> Optional[MadeOf]:
    """None for what doesn't say: an archive of long ago, half of one, something else."""
    try:
        with tarfile.open(model) as archive:
            for member in archive:
                if Path(member.name).name == MADE_OF_FILE and (content := archive.extractfile(member)) is not None:
                    return MadeOf(**json.load(content))
    except (tarfile.TarError, EOFError, OSError, ValueError, TypeError):
        return None
    return None


def understanding_fingerprint(root: Path = _ROOT) -> str:
    """All of it in one: what Rasa's cache of trained components goes by."""
    return hashlib.sha256(json.dumps(asdict(made_of(root))).encode()).hexdigest()


def _hash(root: Path, files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _modules(root: Path) -> Iterable[Path]:
    components = yaml.safe_load((root / "config.yml").read_text("utf-8"))["pipeline"]
    waiting = [component["name"].rpartition(".")[0] for component in components]
    found: set[Path] = set()
    while waiting:
        file = root / f"{waiting.pop().replace('.', '/')}.py"
        if file in found or not file.exists():
            continue
        found.add(file)
        waiting += _imported(file)
    return found


def _imported(file: Path) -> Iterator[str]:
    for statement in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(statement, ast.ImportFrom) and (statement.module or "").partition(".")[0] == "nlu":
            yield str(statement.module)
