"""The pictures of the README and the guides, taken of a running stack: `.venv/bin/python -m tests.stack.pictures`."""

from __future__ import annotations

import asyncio

from backend.catalogue import Service, load_catalogue
from tests.stack.browser import BrowserPhone, phone_page
from tests.stack.citizen import answer_question, begin
from tests.stack.desk_pictures import take_desk_pictures
from tests.stack.running import ROOT, Running, running

PICTURES = ROOT / "docs" / "pictures"


def main() -> None:
    catalogue = load_catalogue(ROOT / "data")
    service = catalogue.services["ktp_hilang"]
    with running() as stack:
        asyncio.run(take_desk_pictures(stack, catalogue, PICTURES))
        _take_phone_pictures(stack, service)


def _take_phone_pictures(stack: Running, service: Service) -> None:
    with phone_page() as page:
        phone = BrowserPhone(page, stack.url, "siti")
        heard = phone.say("min ktp sy ilang, mau bikin lagi")
        phone.picture(PICTURES / "asked.png")
        begin(phone, heard)
        phone.say("ini bayar ga?")
        heard = phone.say("3515085708909999")
        phone.picture(PICTURES / "filled.png")
        while "SDA-" not in (text := "\n".join(bubble.text for bubble in heard)):
            titles = {title for bubble in heard for title in bubble.choices}
            heard = answer_question(phone, service, text, titles, "3515085708909999")
        phone.say("punya saya sampai mana?")
        phone.picture(PICTURES / "sent.png")


if __name__ == "__main__":
    main()
