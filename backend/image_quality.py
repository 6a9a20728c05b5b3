"""Whether a photo of a document may be too blurred, dark or glaring to read.

A warning that is wrong costs a citizen more than one that is missing: an officer sees the document in any case. So each
measure asks for proof, and a picture that gives none (a blank sheet, a uniform colour, a scan) passes.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence

from PIL import Image, ImageChops, ImageFilter, ImageStat

__all__ = ["READING_SIZE", "Doubt", "find_doubt"]

READING_SIZE = 1000
"""pixels on the long side that are looked at; more of them would show no more"""


class Doubt(enum.StrEnum):
    BLURRED = "blurred"
    DARK = "dark"
    GLARING = "glaring"

    @property
    def hint(self) -> str:
        return _HINTS[self]


_HINTS = {
    Doubt.BLURRED: "Fotonya agak buram. Foto lagi dari dekat, tahan HP-nya sampai diam, di tempat terang.",
    Doubt.DARK: "Fotonya agak gelap. Foto lagi di tempat terang, dekat jendela atau di bawah lampu.",
    Doubt.GLARING: "Ada pantulan cahaya di fotonya. Foto lagi tanpa lampu kilat, miringkan sedikit agar tidak silau.",
}

_DARK_BRIGHTEST = 60
"""a sheet of paper that is no brighter than this, of 255, lies in the dark"""
_DARK_CONTRAST = 12

_SHARP_SIZE, _COARSE_SIZE = 500, 125
"""A sharp edge is as steep at both sizes. A blurred one is steep at the coarse size only, where the blur is less than a
pixel wide."""
_EDGE = 12
"""steps of grey from pixel to pixel, coarsely seen, that something written or printed makes, but not light that fades"""
_BLURRED = 0.3
"""How much of those steps is left at the sharp size: 0.8 or more in sharp pictures, 0.45 where small print suffers, and
this where it is lost."""
_NOISE = 3
"""the steepest of a camera's grain, in medians of all steps"""

_GLARE_SIZE = 125
_WHITE = 250
_GLARE_AREA = (0.003, 0.4)
"""of the picture; less hides no word, more is no spot"""
_GLARE_CORE = 7
"""pixels without any mark across, at that size; lines of text stand closer"""
_RIM, _AROUND = (1, 5), (21, 31)
"""rings about the spot: at its edge, and where glare has faded"""
_GLARE_RIM, _GLARE_AROUND = 190, 195
"""Glare fades into a darker surface on all sides. Paper ends at its edge, or goes on as bright on some side."""


def find_doubt(image: Image.Image) -> Doubt | None:
    """Blocking, for some hundredths of a second. `image` is decoded."""
    grey = _shrink(image.convert("L"), READING_SIZE)
    if _is_dark(grey):
        return Doubt.DARK
    if _is_blurred(grey):
        return Doubt.BLURRED
    return Doubt.GLARING if _is_glaring(grey) else None


def _is_dark(grey: Image.Image) -> bool:
    histogram = grey.histogram()
    darkest, brightest = _percentile(histogram, 0.01), _percentile(histogram, 0.99)
    return brightest <= _DARK_BRIGHTEST and brightest - darkest >= _DARK_CONTRAST


def _is_blurred(grey: Image.Image) -> bool:
    sharp, coarse = (_steps(_shrink(grey, size)).histogram() for size in (_SHARP_SIZE, _COARSE_SIZE))
    edge = _percentile(coarse, 0.995)
    left = _percentile(sharp, 0.998) - _NOISE * _percentile(sharp, 0.5)
    return edge >= _EDGE and left < _BLURRED * edge


def _is_glaring(grey: Image.Image) -> bool:
    coarse = _shrink(grey, _GLARE_SIZE)
    white = coarse.point(lambda value: 255 if value >= _WHITE else 0)
    core = white.filter(ImageFilter.MinFilter(_GLARE_CORE))
    area = ImageStat.Stat(core).mean[0] / 255
    if not _GLARE_AREA[0] <= area <= _GLARE_AREA[1]:
        return False
    blob = core.filter(ImageFilter.MaxFilter(_GLARE_CORE))
    rim, around = (coarse.histogram(_ring(blob, *ring)) for ring in (_RIM, _AROUND))
    if not any(rim) or not any(around):
        return False
    return _percentile(rim, 0.25) >= _GLARE_RIM and _percentile(around, 0.75) <= _GLARE_AROUND


def _shrink(image: Image.Image, longest: int) -> Image.Image:
    smaller = image.copy()
    smaller.thumbnail((longest, longest), Image.Resampling.BOX)
    return smaller


def _steps(grey: Image.Image) -> Image.Image:
    """How much each pixel differs from its right and its lower neighbour, the larger of both."""
    width, height = grey.size
    here = grey.crop((0, 0, width - 1, height - 1))
    right = grey.crop((1, 0, width, height - 1))
    below = grey.crop((0, 1, width - 1, height))
    return ImageChops.lighter(ImageChops.difference(here, right), ImageChops.difference(here, below))


def _ring(blob: Image.Image, inner: int, outer: int) -> Image.Image:
    """Pixels between two widths around `blob`, both odd."""
    return ImageChops.subtract(blob.filter(ImageFilter.MaxFilter(outer)), blob.filter(ImageFilter.MaxFilter(inner)))


def _percentile(histogram: Sequence[int], share: float) -> int:
    """The value below which `share` of the pixels lie."""
    left = share * sum(histogram)
    for value, count in enumerate(histogram):
        left -= count
        if left <= 0:
            return value
    return len(histogram) - 1
