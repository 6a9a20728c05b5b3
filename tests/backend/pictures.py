"""Pictures of documents as phones make them: sharp and not, in good light and bad. Drawn, of nobody."""

from __future__ import annotations

import functools
import io
import random

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageFont

__all__ = [
    "blurred",
    "card",
    "dark",
    "desk",
    "encoded",
    "glaring",
    "gradient",
    "noisy",
    "portrait",
    "sheet",
    "table",
    "unevenly_lit",
]

_WORDS = [
    "NAMA",
    "SITI",
    "CONTOH",
    "ALAMAT",
    "JALAN",
    "MAWAR",
    "RT",
    "RW",
    "DESA",
    "SEPANDE",
    "KECAMATAN",
    "CANDI",
    "AGAMA",
    "STATUS",
    "PEKERJAAN",
]


def encoded(image: Image.Image, kind: str = "JPEG", quality: int = 85) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, quality=quality)
    return file.getvalue()


def sheet(size: tuple[int, int] = (1200, 1600), *, lines: int = 40, paper: int = 235, ink: int = 40) -> Image.Image:
    """White paper with lines of text, as a scanner or a phone held straight sees it."""
    image = Image.new("RGB", size, (paper, paper, paper - 6))
    _write(image, (size[0] // 12, size[1] // 14, size[0] * 11 // 12, size[1] * 13 // 14), lines, (ink, ink, ink))
    return _grained(image, 3)


def table(size: tuple[int, int] = (1600, 1100)) -> Image.Image:
    """A family card: ruled, small text, a faint pattern."""
    image = Image.new("RGB", size, (226, 232, 224))
    draw = ImageDraw.Draw(image)
    for row in range(14):
        y = 200 + row * 58
        draw.line((60, y, size[0] - 60, y), fill=(90, 110, 100), width=2)
    for column in range(9):
        x = 60 + column * (size[0] - 120) // 8
        draw.line((x, 200, x, 200 + 13 * 58), fill=(90, 110, 100), width=2)
    _write(image, (80, 30, size[0] - 80, size[1] - 120), 18, (50, 60, 60))
    return _grained(image, 3)


def card(size: tuple[int, int] = (1280, 960)) -> Image.Image:
    """An identity card on a wooden desk."""
    image = desk(size)
    width, height = size
    plastic = Image.new("RGB", (width * 4 // 5, height * 2 // 3), (120, 165, 200))
    draw = ImageDraw.Draw(plastic)
    for stripe in range(0, plastic.width, 14):
        draw.line((stripe, 0, stripe + 40, plastic.height), fill=(128, 172, 204), width=3)
    _write(plastic, (40, 40, plastic.width * 2 // 3, plastic.height - 40), 12, (30, 35, 60))
    draw.rectangle((plastic.width * 3 // 4, 120, plastic.width - 40, plastic.height - 120), fill=(150, 60, 50))
    image.paste(plastic, (width // 10, height // 6))
    return _grained(image, 4)


def portrait(size: tuple[int, int] = (900, 1200)) -> Image.Image:
    """A passport photo: a sharp head before a plain wall, mostly smooth."""
    image = Image.new("RGB", size, (190, 40, 40))
    draw = ImageDraw.Draw(image)
    width, height = size
    draw.ellipse((width // 4, height // 6, width * 3 // 4, height * 2 // 3), fill=(205, 160, 130))
    draw.chord((width // 4, height // 6, width * 3 // 4, height * 2 // 3), 180, 360, fill=(25, 20, 20))
    draw.rectangle((width // 8, height * 3 // 4, width * 7 // 8, height), fill=(240, 240, 240))
    for eye in (0.4, 0.6):
        draw.ellipse((width * eye - 25, height * 0.4, width * eye + 25, height * 0.4 + 24), fill=(40, 30, 30))
    return _grained(image.filter(ImageFilter.GaussianBlur(0.8)), 3)


def desk(size: tuple[int, int] = (1280, 960)) -> Image.Image:
    """Wood: stripes, no writing."""
    drawn = random.Random(5)
    image = Image.new("RGB", size, (120, 85, 55))
    draw = ImageDraw.Draw(image)
    for _ in range(120):
        y = drawn.randrange(size[1])
        shade = drawn.randrange(-12, 12)
        draw.line((0, y, size[0], y + drawn.randrange(-20, 20)), fill=(120 + shade, 85 + shade, 55 + shade), width=3)
    return image.filter(ImageFilter.GaussianBlur(2))


def gradient(size: tuple[int, int] = (1200, 900), first: int = 0, last: int = 255) -> Image.Image:
    """Nothing but light that fades, as a wall in the evening."""
    line = Image.linear_gradient("L").resize(size).point(lambda value: first + value * (last - first) // 255)
    return line.convert("RGB")


def blurred(image: Image.Image, radius: float) -> Image.Image:
    """`radius` in thousandths of the long side. The camera's own noise stays sharp."""
    return _grained(image.filter(ImageFilter.GaussianBlur(radius * max(image.size) / 1000)), 3)


def dark(image: Image.Image, light: float) -> Image.Image:
    return _grained(ImageEnhance.Brightness(image).enhance(light), 3)


def noisy(image: Image.Image, strength: int) -> Image.Image:
    return _grained(image, strength)


def glaring(image: Image.Image, share: float, centre: tuple[float, float] = (0.45, 0.5)) -> Image.Image:
    """A lamp mirrored in plastic: a white spot, `share` of the width across, that fades into the surface."""
    width, height = image.size
    reach = int(width * share)
    spot = Image.radial_gradient("L").point(lambda value: max(0, min(255, 430 - value * 430 // 128)))
    light = Image.new("L", image.size, 0)
    spot = spot.resize((reach, reach))
    light.paste(spot, (int(width * centre[0]) - reach // 2, int(height * centre[1]) - reach // 2))
    return Image.composite(Image.new("RGB", image.size, "white"), image, light)


def unevenly_lit(image: Image.Image) -> Image.Image:
    """By a window: overexposed on one side."""
    light = Image.linear_gradient("L").rotate(90).resize(image.size).point(lambda value: value // 3).convert("RGB")
    return ImageChops.add(image, light)


def _write(image: Image.Image, box: tuple[int, int, int, int], lines: int, ink: tuple[int, int, int]) -> None:
    drawn = random.Random(3)
    left, top, right, bottom = box
    pitch = (bottom - top) / lines
    font = ImageFont.load_default(size=max(8, pitch * 0.55))
    draw = ImageDraw.Draw(image)
    for line in range(lines):
        words: list[str] = []
        while draw.textlength(" ".join(words), font=font) < (right - left) * drawn.uniform(0.5, 0.9):
            words.append(drawn.choice(_WORDS))
        draw.text((left, top + line * pitch), " ".join(words), fill=ink, font=font)


def _grained(image: Image.Image, strength: int) -> Image.Image:
    grain = _grain(image.size).point(lambda value: 128 + (value - 128) * strength // 32)
    return ImageChops.add(image, Image.merge("RGB", (grain, grain, grain)), offset=-128)


@functools.cache
def _grain(size: tuple[int, int]) -> Image.Image:
    return Image.effect_noise(size, 32)
