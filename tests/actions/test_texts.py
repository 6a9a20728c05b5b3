"""Every sentence that the code says is in the file, and every sentence in the file is said."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import yaml

from actions.texts import Texts

ROOT = Path(__file__).resolve().parents[2]
SENTENCES: dict[str, str] = yaml.safe_load((ROOT / "data/teks/percakapan.yml").read_text(encoding="utf-8"))


def _strings_in_code() -> set[str]:
    found: set[str] = set()
    for path in (ROOT / "actions").glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found |= {
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
    return found


def test_no_sentence_is_missing_or_idle() -> None:
    said = _strings_in_code()
    assert set(SENTENCES) - said == set()
    called = set()
    for path in (ROOT / "actions").glob("*.py"):
        called |= set(re.findall(r"""\b_?texts\(\s*"([a-z_]+)"\s*[,)]""", path.read_text(encoding="utf-8")))
    assert called - set(SENTENCES) == set()


def test_placeholders_are_filled() -> None:
    texts = Texts(ROOT / "data")
    assert texts("jawab_biaya", layanan="KTP-el hilang", isi="Rp 0") == "Biaya KTP-el hilang: Rp 0."


def test_sentences_have_no_english_and_are_short() -> None:
    for key, sentence in SENTENCES.items():
        assert not re.search(r"\b(error|please|sorry|file|click|link|upload|submit|user)\b", sentence, re.IGNORECASE), (
            key
        )
        assert len(sentence) <= 450, key
