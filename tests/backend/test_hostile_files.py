"""Files made to harm whoever opens them: each is refused, or is what it says, within little time and memory."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.backend.conftest import Client, photo

MEGABYTE = 1024 * 1024
_OPEN = """
import io, json, resource, sys, time
from backend.documents import FileRefused, check_file

before = resource.getrusage(resource.RUSAGE_SELF)
try:
    checked = check_file(sys.stdin.buffer.read())
    told = checked.content_type
except FileRefused as refused:
    told = str(refused)
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([told, (used.ru_maxrss - before.ru_maxrss) // 1024, used.ru_utime - before.ru_utime]))
"""


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(width: int, height: int, *more: bytes, data: bytes = b"\0") -> bytes:
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + _chunk(b"IDAT", zlib.compress(data, 9)) + _chunk(b"IEND", b"")
    )


def _pdf(*objects: bytes) -> bytes:
    """Objects 1, 2, …; the first is the catalogue."""
    body, places = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    return (
        body
        + head
        + table
        + b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(body))
    )


_CATALOGUE, _PAGES = b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
_PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]/Contents 4 0 R>>"


def _deflated(content: bytes, more: bytes = b"") -> bytes:
    packed = zlib.compress(content, 9)
    return b"<</Length %d/Filter/FlateDecode%b>>stream\n%b\nendstream" % (len(packed), more, packed)


def _bomb_of_a_table() -> bytes:
    """Where the objects are, in a stream that unpacks to 300 MB: whoever opens the file has to read it."""
    stream = _deflated(bytes(300 * MEGABYTE), b"/Type/XRef/Size 1/W[1 2 1]/Root 1 0 R")
    return b"%%PDF-1.5\n1 0 obj\n%b\nendobj\nstartxref\n9\n%%%%EOF\n" % stream


def _zip(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr(name, content)
    return file.getvalue()


HOSTILE: Mapping[str, Callable[[], bytes]] = {
    "a picture of 30,000 by 30,000": lambda: _png(30_000, 30_000, data=bytes(10 * MEGABYTE)),
    "a picture of 2^31 by 2^31": lambda: _png(2**31 - 1, 2**31 - 1),
    "a picture within the limit whose data are a bomb": lambda: _png(800, 600, data=bytes(400 * MEGABYTE)),
    "a colour profile that is a bomb": lambda: _png(
        800, 600, _chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(300 * MEGABYTE), 9))
    ),
    "a text chunk that is a bomb": lambda: _png(
        800, 600, _chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(300 * MEGABYTE), 9))
    ),
    "a PDF whose page unpacks to 200 MB": lambda: _pdf(_CATALOGUE, _PAGES, _PAGE, _deflated(bytes(200 * MEGABYTE))),
    "a PDF whose table unpacks to 300 MB": _bomb_of_a_table,
    "a PDF whose pages are each other's": lambda: _pdf(
        _CATALOGUE, b"<</Type/Pages/Kids[3 0 R]/Count 1>>", b"<</Type/Pages/Kids[2 0 R]/Count 1>>"
    ),
    "a PDF of very many pages that are one": lambda: _pdf(
        _CATALOGUE, b"<</Type/Pages/Kids[%b]/Count 200000>>" % (b"3 0 R " * 200_000), _PAGE, b"null"
    ),
    "a PDF with an array of depth 20,000": lambda: _pdf(_CATALOGUE, _PAGES, _PAGE, b"[" * 20_000 + b"]" * 20_000),
    "a PDF whose table leads to itself": lambda: (
        b"%PDF-1.4\nxref\n0 1\n0000000000 65535 f \ntrailer<</Size 1/Root 1 0 R/Prev 9>>\nstartxref\n9\n%%EOF"
    ),
    "a DOCX that is a bomb": lambda: _zip("word/document.xml", bytes(200 * MEGABYTE)),
    "an ODT that is a bomb": lambda: _zip("content.xml", bytes(200 * MEGABYTE)),
    "a GIF that is JavaScript": lambda: b"GIF89a=1/*" + bytes(100) + b"*/;alert(1)",
    "an SVG": lambda: b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "HTML": lambda: b"<!doctype html><script>alert(1)</script>",
}
_MAY_BE_ACCEPTED = {
    "a PDF whose page unpacks to 200 MB",
    "a PDF of very many pages that are one",
    "a PDF with an array of depth 20,000",
}
"""whole as far as anybody can tell who doesn't draw it"""


@pytest.mark.verify
@pytest.mark.parametrize("name", HOSTILE)
def test_it_costs_little_to_find_out(name: str) -> None:
    opened = subprocess.run(
        [sys.executable, "-c", _OPEN],
        input=HOSTILE[name](),
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        timeout=30,
        check=True,
    )
    told, megabytes, seconds = json.loads(opened.stdout)
    assert (told == "application/pdf") <= (name in _MAY_BE_ACCEPTED), told
    assert megabytes < 300, told
    assert seconds < 5, told


async def _given_back(channel: Client, officer: Client, content: bytes) -> tuple[Any, Any]:
    """What the officer gets of a page that a citizen sent."""
    draft = await channel.open()
    await channel.fill(draft)
    status, _ = await channel.send(draft, "kk", content)
    if status != 200:
        return status, None
    status, filing = await channel("POST", f"/drafts/{draft}/submit")
    return await officer("GET", f"/filings/{filing['number']}/documents/kk/1")


@pytest.mark.parametrize(
    ("prefix", "suffix"),
    [(b"", b"<script>alert(1)</script>"), (b"", _zip("a.html", b"x")), (b"", b"\n%PDF-1.4\n<</JS(app.alert(1))>>")],
)
async def test_what_is_glued_to_a_picture_is_cut_off(
    channel: Client, officer: Client, prefix: bytes, suffix: bytes
) -> None:
    _, given = await _given_back(channel, officer, prefix + photo() + suffix)
    assert suffix not in given
    assert given.endswith(b"\xff\xd9")
