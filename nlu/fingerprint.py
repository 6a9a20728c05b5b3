"""What a model was made of, as one fingerprint: a model made of anything else would be read wrongly, or answer as before.

Counted are the modules of the pipeline in `config.yml` with all that they import from `nlu/`, the configuration, the
domain and the rules, what is learned from, and the dictionaries. A fee or an opening hour of a service is not.
"""

from __future__ import annotations

import ast
import hashlib
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Optional

import yaml

from nlu.catalogue import read_catalogue

__all__ = ["FINGERPRINT_FILE", "fingerprint_of_model", "understanding_fingerprint"]

FINGERPRINT_FILE = "fingerprint.txt"
"""Within the folder that a component keeps in a model."""

_ROOT = Path(__file__).parents[1]
_CONFIGURATION = ("config.yml", "domain.yml", "data/rules.yml", "data/keluarga.yml")
_LEARNED = ("data/nlu", "data/kamus")


def understanding_fingerprint(root: Path = _ROOT) -> str:
    digest = hashlib.sha256()
    for file in sorted(_files(root)):
        digest.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes())
    for named in read_catalogue(root / "data"):
        digest.update(repr(named).encode())
    return digest.hexdigest()


def fingerprint_of_model(model: Path) -> Optional[str]:
    """None for an archive that holds none, as those of long ago."""
    with tarfile.open(model) as archive:
        for member in archive:
            if Path(member.name).name == FINGERPRINT_FILE and (content := archive.extractfile(member)) is not None:
                return content.read().decode().strip()
    return None


def _files(root: Path) -> Iterator[Path]:
    yield from (root / name for name in _CONFIGURATION)
    for name in _LEARNED:
        yield from (root / name).glob("*.yml")
    yield from _modules(root)


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
