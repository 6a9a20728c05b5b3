"""What a file that a citizen or an officer sends really is, found by opening it; its name and declared type count nothing."""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass

import filetype  # type: ignore[import-untyped]
import pypdf
from PIL import Image

from backend.image_metadata import BrokenImage, strip_metadata
from backend.image_quality import READING_SIZE, Doubt, find_doubt

__all__ = ["LARGEST", "CheckedFile", "FileRefused", "check_file"]

LARGEST = 15 * 1024 * 1024
"""bytes"""
_SHORT_SIDE = 400
_MOST_PIXELS = 64_000_000
"""enough for a phone of 50 megapixels; decoded, about 200 MB"""
_SEND_INSTEAD = "Kirim foto (JPEG, PNG, WebP) atau PDF."
_UNREADABLE = "Berkas itu rusak atau terpotong, jadi tidak bisa dibuka. Foto atau simpan ulang, lalu kirim lagi."
_PILLOW = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}

# pypdf reports what it finds odd, and that may be a citizen's words.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class CheckedFile:
    content: bytes
    """without metadata"""
    content_type: str
    doubt: Doubt | None = None
    """of a photo that may be hard to read"""


class FileRefused(ValueError):
    """The file can't be used. The message is an Indonesian sentence that says what was received and what to send."""


def check_file(content: bytes) -> CheckedFile:
    """Blocking, for up to a second on a large photo. Raises FileRefused."""
    if not content:
        raise FileRefused(f"Berkasnya kosong. {_SEND_INSTEAD}")
    if len(content) > LARGEST:
        raise FileRefused(f"Berkasnya terlalu besar; paling besar {LARGEST // 1024 // 1024} MB.")
    content_type = filetype.guess_mime(content)
    if content_type == "application/pdf":
        _open_pdf(content)
        return CheckedFile(content, content_type)
    if content_type in _PILLOW:
        stripped, doubt = _open_image(content, content_type)
        return CheckedFile(stripped, content_type, doubt)
    if content_type in ("image/heic", "image/heif", "image/avif"):
        raise FileRefused(
            "Foto HEIC dari iPhone belum bisa dibuka di sini. Kirim sebagai foto biasa, bukan sebagai berkas, "
            "atau ubah dulu menjadi JPEG."
        )
    raise FileRefused(f"Yang diterima {_describe(content, content_type)}. {_SEND_INSTEAD}")


def _open_image(content: bytes, content_type: str) -> tuple[bytes, Doubt | None]:
    try:
        with Image.open(io.BytesIO(content), formats=[_PILLOW[content_type]]) as image:
            width, height = image.size
            orientation = image.getexif().get(0x0112, 1)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels() from None
    except Exception:
        # Pillow's parsers raise whatever a hostile file provokes.
        raise FileRefused(_UNREADABLE) from None
    if width * height > _MOST_PIXELS:
        raise _too_many_pixels()
    if min(width, height) < _SHORT_SIDE:
        raise FileRefused(
            f"Gambarnya terlalu kecil ({width}×{height}), tulisannya tidak terbaca. "
            f"Foto lebih dekat; sisi pendeknya paling sedikit {_SHORT_SIDE} titik."
        )
    try:
        stripped = strip_metadata(content, content_type, orientation if orientation in range(1, 9) else 1)
        with Image.open(io.BytesIO(stripped), formats=[_PILLOW[content_type]]) as image:
            # A JPEG is read to its end at a part of its size, which takes a fraction of the memory.
            image.draft("L", (min(width, READING_SIZE), min(height, READING_SIZE)))
            image.load()
            doubt = find_doubt(image)
    except BrokenImage:
        raise FileRefused(_UNREADABLE) from None
    except Exception:
        raise FileRefused(_UNREADABLE) from None
    return stripped, doubt


def _too_many_pixels() -> FileRefused:
    return FileRefused(
        f"Gambarnya terlalu besar untuk dibuka. Kecilkan sampai paling banyak {_MOST_PIXELS // 1_000_000} megapiksel."
    )


def _open_pdf(content: bytes) -> None:
    try:
        reader = pypdf.PdfReader(io.BytesIO(content))
        locked = reader.is_encrypted and not reader.decrypt("")
        pages = 0 if locked else sum(1 for page in reader.pages if page.mediabox)
    except Exception:
        # pypdf raises whatever a hostile file provokes.
        raise FileRefused(_UNREADABLE) from None
    if locked:
        raise FileRefused("PDF itu terkunci dengan kata sandi. Simpan tanpa kata sandi, lalu kirim lagi.")
    if not pages or b"%%EOF" not in content[-2048:]:
        raise FileRefused(_UNREADABLE)


def _describe(content: bytes, content_type: str | None) -> str:
    family = (content_type or "").split("/")[0]
    if family in _FAMILIES:
        return _FAMILIES[family]
    if content_type is not None:
        return f"berkas {filetype.guess_extension(content)}"
    try:
        content[:4096].decode("utf-8", errors="strict")
    except UnicodeDecodeError as error:
        return "berkas yang tidak dikenal" if error.start < 4090 else "berkas teks"
    return "berkas teks"


_FAMILIES = {"image": "gambar jenis lain", "video": "video", "audio": "rekaman suara"}
