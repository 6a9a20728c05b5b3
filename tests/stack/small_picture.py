"""Pictures of pages as small as the repository wants them: few colours are enough for text on plain ground."""

from __future__ import annotations

import io

from PIL import Image

__all__ = ["small_picture"]

_LARGEST = 60_000
"""bytes"""


def small_picture(png: bytes) -> bytes:
    """With as many colours as fit into it; a picture that is too large even with the fewest is made smaller."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    while True:
        for colours in (128, 64, 32, 20):
            written = _written(picture, colours)
            if len(written) < _LARGEST:
                return written
        picture = picture.resize((picture.width * 3 // 4, picture.height * 3 // 4), Image.Resampling.LANCZOS)


def _written(picture: Image.Image, colours: int) -> bytes:
    file = io.BytesIO()
    picture.quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()
