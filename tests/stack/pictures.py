"""The pictures of the README, taken of a running stack: `.venv/bin/python -m tests.stack.pictures`."""

from __future__ import annotations

from backend.catalogue import load_catalogue
from tests.stack.browser import BrowserPhone, phone_page
from tests.stack.citizen import answer_question, begin
from tests.stack.running import ROOT, running

PICTURES = ROOT / "docs" / "pictures"


def main() -> None:
    service = load_catalogue(ROOT / "data").services["ktp_hilang"]
    with running() as stack, phone_page() as page:
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
