"""Agreement to the use of personal data (UU 27/2022), once a person: asked before the first question, its proof kept."""

from __future__ import annotations

from actions.backend import Backend
from actions.texts import Texts
from actions.turn import Turn

__all__ = ["Consents"]


class Consents:
    """The notice stands in `percakapan.yml` with its version; a new version asks everybody again."""

    def __init__(self, backend: Backend, texts: Texts) -> None:
        self._backend = backend
        self._texts = texts

    @property
    def notice(self) -> str:
        return self._texts("persetujuan")

    async def is_given(self, turn: Turn) -> bool:
        """Here, or where the same phone number was proved; withdrawing takes it back in all of them."""
        for contact in turn.contacts:
            consent = await self._backend.consent(contact)
            if consent is not None and consent.version == self._version:
                return True
        return False

    async def give(self, turn: Turn) -> None:
        await self._backend.give_consent(turn.conversation, turn.channel, turn.message_id, self._version)

    @property
    def _version(self) -> str:
        return self._texts("persetujuan_versi")
