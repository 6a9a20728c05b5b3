"""Every sentence of the pages, from `data/teks/halaman.yml`, so that people who don't program can mend them."""

from __future__ import annotations

import string
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from bot.texts import TextsUnfit

__all__ = ["PageTexts", "load_page_texts"]


def _with(*allowed: str) -> Callable[[str], str]:
    """A sentence that isn't empty, with no placeholder but these."""

    def check(text: str) -> str:
        text = text.strip()
        if not text:
            raise ValueError("belum ada isinya; tulis kalimatnya")
        try:
            used = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
        except ValueError:
            raise ValueError("tanda kurungnya tidak berpasangan") from None
        if not used <= set(allowed):
            names = ", ".join(f"{{{name}}}" for name in allowed) or "kata biasa"
            raise ValueError(f"hanya boleh memakai {names}; periksa yang di dalam kurung")
        return text

    return check


Plain = Annotated[str, AfterValidator(_with())]
WithDocument = Annotated[str, AfterValidator(_with("dokumen"))]
WithPages = Annotated[str, AfterValidator(_with("halaman"))]
WithLimit = Annotated[str, AfterValidator(_with("batas"))]
WithTime = Annotated[str, AfterValidator(_with("pukul"))]
WithLength = Annotated[str, AfterValidator(_with("huruf"))]
WithFiling = Annotated[str, AfterValidator(_with("nomor", "layanan"))]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Shared(_Part):
    penyelenggara: Plain
    galat_judul: Plain
    kembali: Plain


class Told(_Part):
    judul: Plain
    penjelasan: Plain
    langkah: Plain


class UploadTexts(_Part):
    judul: WithDocument
    untuk: WithDocument
    berkas: Plain
    beberapa_berkas: WithPages
    petunjuk: WithLimit
    kirim: Plain
    berlaku: WithTime
    terkirim_judul: Plain
    terkirim: WithDocument
    kosong: Plain
    terlalu_besar: WithLimit
    terlalu_banyak: WithPages
    bukan_jenisnya: Plain
    heic: Plain


class Element(_Part):
    """One of the nine elements: its question, and what the marks 1 to 4 mean."""

    tanya: Plain
    nilai: tuple[Plain, Plain, Plain, Plain]


class Elements(_Part):
    """By the names that the backend gives them, in the order they are asked."""

    persyaratan: Element
    prosedur: Element
    waktu: Element
    biaya: Element
    produk: Element
    kompetensi: Element
    perilaku: Element
    pengaduan: Element
    sarana: Element


class SurveyTexts(_Part):
    judul: Plain
    untuk: WithFiling
    sukarela: Plain
    lewati: Plain
    saran: Plain
    saran_petunjuk: WithLength
    kirim: Plain
    terkirim_judul: Plain
    terkirim: Plain
    kosong: Plain
    terlalu_panjang: WithLength
    ditolak: Plain
    unsur: Elements


class DataTexts(_Part):
    judul: Plain
    untuk: Plain
    unduh: Plain
    berlaku: WithTime


class PageTexts(_Part):
    umum: Shared
    tidak_berlaku: Told
    gangguan: Told
    unggah: UploadTexts
    penilaian: SurveyTexts
    data: DataTexts


def load_page_texts(data: Path) -> PageTexts:
    """Raises TextsUnfit, which names the entry to mend."""
    file = data / "teks" / "halaman.yml"
    try:
        return PageTexts.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError) as error:
        raise TextsUnfit(f"{file} tidak bisa dibaca: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"])) or "seluruh berkas"
        complaint = {
            "missing": "belum ada; tulis kalimatnya",
            "extra_forbidden": "tidak dikenal; hapus, atau betulkan namanya",
        }
        raise TextsUnfit(
            f"halaman.yml: '{name}' {complaint.get(first['type'], first['msg'].removeprefix('Value error, '))}"
        ) from None
