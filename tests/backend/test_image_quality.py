"""Photos that can't be read are doubted; what can be, and what proves nothing, is not."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import pytest
from PIL import Image

from backend.image_quality import Doubt, find_doubt
from tests.backend.conftest import Client, photo
from tests.backend.pictures import (
    blurred,
    card,
    dark,
    desk,
    encoded,
    glaring,
    gradient,
    noisy,
    portrait,
    sheet,
    table,
    unevenly_lit,
)
from tests.backend.test_documents import pdf

SHARP: Mapping[str, Callable[[], Image.Image]] = {
    "sheet": lambda: sheet((900, 1200)),
    "table": lambda: table((1200, 825)),
    "card": lambda: card((960, 720)),
    "portrait": lambda: portrait((600, 800)),
}


def on_desk(paper: Image.Image) -> Image.Image:
    image = desk()
    image.paste(paper, (300, 80))
    return image


def changed(
    condition: str, change: Callable[[Image.Image], Image.Image], *names: str
) -> dict[str, Callable[[], Image.Image]]:
    def picture(name: str) -> Callable[[], Image.Image]:
        return lambda: change(SHARP[name]())

    return {f"{name}, {condition}": picture(name) for name in names or SHARP}


FINE: Mapping[str, Callable[[], Image.Image]] = {
    **SHARP,
    **changed("a little soft", lambda image: blurred(image, 1.5)),
    **changed("dim", lambda image: dark(image, 0.5)),
    **changed("noisy", lambda image: noisy(image, 25)),
    **changed("unevenly lit", unevenly_lit),
    "large sheet": lambda: sheet((2400, 3200)),
    "small sheet": lambda: sheet((450, 600), lines=25),
    "faint sheet": lambda: sheet((900, 1200), ink=190),
    "few lines": lambda: sheet().crop((0, 0, 1200, 300)),
    "white": lambda: Image.new("RGB", (900, 900), "white"),
    "black": lambda: Image.new("RGB", (900, 900), "black"),
    "grey": lambda: Image.new("RGB", (900, 900), (90, 90, 90)),
    "fading light": gradient,
    "desk": desk,
    "noise": lambda: Image.effect_noise((900, 900), 60).convert("RGB"),
    "paper on a desk": lambda: on_desk(sheet((700, 800), paper=255)),
    "blank paper on a desk": lambda: on_desk(Image.new("RGB", (600, 700), "white")),
    "paper by a window": lambda: unevenly_lit(unevenly_lit(on_desk(sheet((700, 800), paper=225)))),
    "sheet with a light spot": lambda: glaring(sheet(), 0.4),
    "stripe": lambda: Image.new("RGB", (4000, 400), "white"),
}
DOUBTFUL: Mapping[Doubt, Mapping[str, Callable[[], Image.Image]]] = {
    Doubt.BLURRED: {
        **changed("blurred", lambda image: blurred(image, 4.5)),
        **changed("very blurred", lambda image: blurred(image, 6), "sheet", "table", "card"),
    },
    Doubt.DARK: {
        **changed("dark", lambda image: dark(image, 0.15), "sheet", "table", "card"),
        "dark and blurred": lambda: dark(blurred(card(), 6), 0.15),
    },
    Doubt.GLARING: {
        **changed("small glare", lambda image: glaring(image, 0.4), "card"),
        **changed("large glare", lambda image: glaring(image, 0.8), "card"),
        **changed("glare in a corner", lambda image: glaring(image, 0.6, (0.25, 0.35)), "card"),
    },
}


@pytest.mark.parametrize("name", FINE)
def test_what_can_be_read_or_proves_nothing_passes(name: str) -> None:
    assert find_doubt(reopened(FINE[name]())) is None


@pytest.mark.parametrize(("doubt", "name"), [(doubt, name) for doubt, named in DOUBTFUL.items() for name in named])
def test_what_cannot_be_read_is_doubted(doubt: Doubt, name: str) -> None:
    assert find_doubt(reopened(DOUBTFUL[doubt][name]())) is doubt


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "I;16"])
def test_every_kind_of_picture_can_be_looked_at(mode: str) -> None:
    image = Image.new(mode, (600, 500)) if mode == "I;16" else sheet((600, 500)).convert(mode)
    find_doubt(image)


def reopened(image: Image.Image) -> Image.Image:
    """As it comes over a chat: compressed hard."""
    opened: Image.Image = Image.open(io.BytesIO(encoded(image, quality=60)))
    return opened


BLURRED = encoded(blurred(card(), 5))
DARK = encoded(dark(card(), 0.15))


async def test_a_doubtful_page_is_asked_for_until_it_is_accepted(channel: Client) -> None:
    draft = await channel.open()
    status, body = await channel.send(draft, "kk", BLURRED)
    assert (status, body["documents"]["kk"]["status"]) == (200, "doubtful")
    assert "buram" in body["documents"]["kk"]["hint"]
    assert (body["next"]["field"], "kk" in body["missing"]) == ("kk", True)
    assert (await channel("GET", f"/drafts/{draft}"))[1] == body
    assert (await channel("POST", f"/drafts/{draft}/submit"))[1]["missing"][0] == "kk"
    status, body = await channel.answer(draft, "kk", "pakai")
    assert (status, body["documents"]["kk"]) == (200, {"pages": 1, "status": "accepted"})
    assert (body["next"]["field"], "kk" in body["missing"]) == ("nik", False)


async def test_another_page_takes_the_place_of_the_doubtful_one_only(channel: Client) -> None:
    draft = await channel.open()
    await channel.send(draft, "kk", photo())
    _, body = await channel.send(draft, "kk", BLURRED)
    assert (body["documents"]["kk"]["pages"], body["documents"]["kk"]["status"]) == (2, "doubtful")
    _, body = await channel.send(draft, "kk", DARK)
    assert (body["documents"]["kk"]["pages"], "gelap" in body["documents"]["kk"]["hint"]) == (2, True)
    _, body = await channel.send(draft, "kk", photo())
    assert body["documents"]["kk"] == {"pages": 2, "status": "accepted"}
    assert (await channel.send(draft, "kk", photo()))[0] == 422, "it is full"


async def test_what_is_not_a_photo_is_never_doubtful(channel: Client) -> None:
    draft = await channel.open()
    for content in (pdf(), encoded(sheet())):
        assert (await channel.send(draft, "kk", content))[1]["documents"]["kk"]["status"] == "accepted"


async def test_a_doubtful_page_that_may_be_missing_is_missing_until_it_is_decided(channel: Client) -> None:
    draft = await channel.open()
    _, body = await channel.send(draft, "surat_kuasa", DARK)
    assert (body["next"]["field"], body["missing"][0]) == ("surat_kuasa", "surat_kuasa")
    _, body = await channel.answer(draft, "surat_kuasa", None)
    assert ("surat_kuasa" in body["documents"], "surat_kuasa" in body["missing"]) == (False, False)


async def test_only_what_is_there_can_be_accepted(channel: Client) -> None:
    draft = await channel.open()
    status, body = await channel.answer(draft, "kk", "pakai")
    assert (status, "Kirim dulu" in body["detail"]) == (422, True)
