"""What citizens send when a document is asked for, good and bad. Of invented papers only."""

from __future__ import annotations

import io

import pypdf
from PIL import Image, ImageEnhance, ImageFilter

from praja.rehearsal import sheet
from tests.stack.citizen import SentFile
from tests.stack.conversation import Picture, SentPicture

__all__ = ["paper"]


def paper(picture: SentPicture, *, as_document: bool = False) -> SentFile:
    name = picture.label.lower().replace(" ", "-")
    match picture.kind:
        case Picture.PDF:
            return SentFile(f"{name}.pdf", "application/pdf", _pdf(picture.label))
        case Picture.LOCKED_PDF:
            return SentFile(f"{name}.pdf", "application/pdf", _pdf(picture.label, password="rahasia"))
        case Picture.PROGRAM:
            return SentFile(f"{name}.pdf", "application/pdf", b"MZ" + bytes(range(256)) * 8)
        case Picture.TEXT:
            return SentFile(f"{name}.txt", "text/plain", b"ini bukan foto, hanya tulisan biasa\n" * 20)
        case Picture.VOICE:
            return SentFile(f"{name}.ogg", "audio/ogg", b"OggS" + bytes(2000))
        case _:
            content = _photo(picture)
            kind = "image/png" if as_document else "image/jpeg"
            return SentFile(f"{name}.{kind[6:]}", kind, _as(content, "PNG") if as_document else content)


def _photo(picture: SentPicture) -> bytes:
    content = sheet(picture.label)
    with Image.open(io.BytesIO(content)) as image:
        match picture.kind:
            case Picture.BLURRED:
                return _jpeg(image.filter(ImageFilter.GaussianBlur(12)))
            case Picture.DARK:
                return _jpeg(ImageEnhance.Brightness(image).enhance(0.06))
            case Picture.SMALL:
                return _jpeg(image.resize((200, 150)))
    return content


def _pdf(label: str, password: str | None = None) -> bytes:
    with Image.open(io.BytesIO(sheet(label))) as image:
        page = io.BytesIO()
        image.save(page, "PDF")
    if password is None:
        return page.getvalue()
    writer = pypdf.PdfWriter(clone_from=page)
    writer.encrypt(password, algorithm="AES-256")
    locked = io.BytesIO()
    writer.write(locked)
    return locked.getvalue()


def _jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def _as(content: bytes, kind: str) -> bytes:
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(content)) as image:
        image.save(buffer, kind)
    return buffer.getvalue()
