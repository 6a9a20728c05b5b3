"""`praja dataset`: what is learned from, checked, written out and taken in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import yaml

from identity import mask_numbers
from learning.data_set import REVIEWED, WRITTEN, examine
from learning.dataset_check import Findings
from learning.example import Example
from learning.reviewed_set import ReviewedSet
from learning.spreadsheet import SpreadsheetUnfit, parse_csv, render_csv
from learning.training_file import TrainingFileUnfit, read_file, read_folder, render
from nlu.catalogue import read_catalogue
from praja.settings import ROOT

__all__ = ["FROZEN", "DatasetUnfit", "check_dataset", "export_dataset", "import_dataset"]

FROZEN = ROOT / "tests" / "data" / "understanding"
"""the folder of the sets that models are measured by and never learn"""
_DATA = ROOT / "data"


class DatasetUnfit(Exception):
    """Nothing was taken in or written; the message is Indonesian and says why."""


def check_dataset(data: Path = _DATA) -> Findings:
    """Of all that would be learned. Raises DatasetUnfit."""
    return _check(data)


def export_dataset(file: Path, folder: Path = _DATA / WRITTEN) -> int:
    """Write CSV or Rasa's YAML, by the ending; how many messages. Raises DatasetUnfit."""
    try:
        examples = read_folder(folder)
    except TrainingFileUnfit as error:
        raise DatasetUnfit(str(error)) from None
    try:
        file.write_text(render_csv(examples) if _is_csv(file) else render(examples), encoding="utf-8")
    except OSError as error:
        raise DatasetUnfit(f"{file} tidak bisa ditulis: {error.strerror}.") from None
    return len(examples)


def import_dataset(file: Path, name: str, data: Path = _DATA) -> int:
    """Make `name`.yml of the reviewed set from a file, in place of what it held; how many messages. Raises DatasetUnfit."""
    examples = _read(file)
    _check_labels(examples)
    _check_privacy(examples)
    findings = _check(data, examples, f"{name}.yml")
    if findings.is_fatal:
        raise DatasetUnfit("Tidak ada yang diambil:\n" + "\n".join(findings.sentences()[:20]))
    try:
        ReviewedSet(data / REVIEWED).write(name, examples)
    except ValueError:
        raise DatasetUnfit(f"Nama “{name}” harus dari huruf kecil, angka, - dan _.") from None
    return len(examples)


def _check(data: Path, more: Sequence[Example] = (), instead_of: str = "") -> Findings:
    try:
        return examine(data, FROZEN, more, instead_of)
    except TrainingFileUnfit as error:
        raise DatasetUnfit(str(error)) from None


def _read(file: Path) -> Sequence[Example]:
    try:
        return parse_csv(file.read_text("utf-8")) if _is_csv(file) else read_file(file)
    except OSError as error:
        raise DatasetUnfit(f"{file} tidak bisa dibaca: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise DatasetUnfit(f"{file} bukan teks UTF-8.") from None
    except (SpreadsheetUnfit, TrainingFileUnfit) as error:
        raise DatasetUnfit(str(error)) from None


def _check_labels(examples: Sequence[Example]) -> None:
    listed = yaml.safe_load((ROOT / "domain.yml").read_text("utf-8"))["intents"]
    intents = {name for each in listed for name in ([each] if isinstance(each, str) else each)}
    services = {named.id for named in read_catalogue()}
    unknown = {f"maksud {each.intent}" for each in examples if each.intent not in intents}
    unknown |= {f"layanan {each.service}" for each in examples if each.service and each.service not in services}
    if unknown:
        raise DatasetUnfit(f"Label yang tidak dikenal: {', '.join(sorted(unknown))}.")


def _check_privacy(examples: Sequence[Example]) -> None:
    """Names the place and not the number."""
    personal = [number for number, each in enumerate(examples, 1) if mask_numbers(each.text) != each.text]
    if personal:
        places = ", ".join(map(str, personal[:10]))
        raise DatasetUnfit(f"Contoh ke-{places} memuat nomor pribadi; samarkan dulu.")


def _is_csv(file: Path) -> bool:
    if not re.fullmatch(r"\.(csv|ya?ml)", file.suffix):
        raise DatasetUnfit(f"{file.name} harus berakhiran .csv atau .yml.")
    return file.suffix == ".csv"
