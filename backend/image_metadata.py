"""Take out of an image what isn't the picture: place, time, camera, owner, thumbnails, anything after its end.

Works on the container's pieces, so the pixels stay as they are, bit for bit. The orientation is put back alone, else a
photo taken sideways would lie on its side.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping

from PIL import Image

__all__ = ["BrokenImage", "strip_metadata"]

_ORIENTATION = 0x0112
_UPRIGHT = 1


class BrokenImage(ValueError):
    """The pieces don't add up: cut off or altered."""


def strip_metadata(content: bytes, content_type: str, orientation: int) -> bytes:
    """`orientation` as in EXIF, 1 to 8. Raises BrokenImage."""
    exif = b""
    if orientation != _UPRIGHT:
        only = Image.Exif()
        only[_ORIENTATION] = orientation
        exif = only.tobytes().removeprefix(b"Exif\x00\x00")
    return _FORMATS[content_type](content, exif)


_ENTROPY_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def _jpeg(content: bytes, exif: bytes) -> bytes:
    """ITU T.81 annex B: segments of marker and length, entropy-coded data after each start of scan."""
    kept = [content[:2]]
    if exif:
        kept.append(_jpeg_segment(0xE1, b"Exif\x00\x00" + exif))
    position = 2
    while True:
        while content[position : position + 2] == b"\xff\xff":
            position += 1
        if content[position : position + 1] != b"\xff" or position + 1 == len(content):
            raise BrokenImage("no marker where one belongs")
        marker = content[position + 1]
        if marker == 0xD9:
            return b"".join((*kept, b"\xff\xd9"))
        length = int.from_bytes(content[position + 2 : position + 4])
        segment = content[position + 4 : position + 2 + length]
        if length < 2 or len(segment) != length - 2:
            raise BrokenImage("segment is cut off")
        if _is_picture(marker, segment):
            kept.append(_jpeg_segment(marker, segment))
        position += 2 + length
        if marker == 0xDA:
            end = _ENTROPY_END.search(content, position)
            if end is None:
                raise BrokenImage("picture has no end")
            kept.append(content[position : end.start()])
            position = end.start()


def _jpeg_segment(marker: int, segment: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(segment) + 2).to_bytes(2) + segment


def _is_picture(marker: int, segment: bytes) -> bool:
    """All but comments and application segments; of these, those that say how to read the colours."""
    if marker == 0xFE:
        return False
    return not 0xE0 <= marker <= 0xEF or segment.startswith(_JPEG_COLOURS)


_JPEG_COLOURS = (b"JFIF\x00", b"ICC_PROFILE\x00", b"Adobe")


_PNG_PICTURE = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"pHYs", b"sBIT"}


def _png(content: bytes, exif: bytes) -> bytes:
    """PNG 3rd edition, §5: length, type, data, CRC."""
    kept = [content[:8]]
    position = 8
    while True:
        length = int.from_bytes(content[position : position + 4])
        kind = content[position + 4 : position + 8]
        chunk = content[position : position + 12 + length]
        if len(chunk) != 12 + length:
            raise BrokenImage("chunk is cut off")
        if kind in _PNG_PICTURE:
            kept.append(chunk)
        if kind == b"IHDR" and exif:
            kept.append(len(exif).to_bytes(4) + b"eXIf" + exif + zlib.crc32(b"eXIf" + exif).to_bytes(4))
        if kind == b"IEND":
            return b"".join(kept)
        position += 12 + length


_WEBP_PICTURE = {b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ICCP", b"ANIM", b"ANMF"}
_WEBP_EXIF, _WEBP_XMP = 0x08, 0x04


def _webp(content: bytes, exif: bytes) -> bytes:
    """RFC 9649: RIFF chunks, padded to even length; the flags of VP8X say which there are."""
    end = 8 + int.from_bytes(content[4:8], "little")
    if end > len(content):
        raise BrokenImage("file is cut off")
    kept = []
    position = 12
    while position + 8 <= end:
        kind = content[position : position + 4]
        length = int.from_bytes(content[position + 4 : position + 8], "little")
        data = content[position + 8 : position + 8 + length]
        if len(data) != length:
            raise BrokenImage("chunk is cut off")
        if kind == b"VP8X":
            data = bytes((data[0] & ~(_WEBP_EXIF | _WEBP_XMP) | (_WEBP_EXIF if exif else 0),)) + data[1:]
        if kind in _WEBP_PICTURE:
            kept.append(_riff_chunk(kind, data))
        position += 8 + length + length % 2
    if exif:
        kept.append(_riff_chunk(b"EXIF", exif))
    return _riff_chunk(b"RIFF", b"WEBP" + b"".join(kept))


def _riff_chunk(kind: bytes, data: bytes) -> bytes:
    return kind + len(data).to_bytes(4, "little") + data + b"\x00" * (len(data) % 2)


_FORMATS: Mapping[str, Callable[[bytes, bytes], bytes]] = {
    "image/jpeg": _jpeg,
    "image/png": _png,
    "image/webp": _webp,
}
