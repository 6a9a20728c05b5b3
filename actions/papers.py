"""Documents of a draft: a photo finds its place, page by page; a doubtful one is the citizen's to decide; a link instead."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from rasa_sdk.events import EventType, SlotSet

from actions.action import Resources
from actions.backend import Draft, DraftItem, Question
from actions.changing import WHICH, named_in
from actions.texts import Texts
from actions.turn import FetchFile, IncomingFile, Reply, Turn
from actions.words import fold, is_word

__all__ = ["MORE", "Papers", "strayed"]

MORE = "+"
"""before a document's id in the slot `ubah`: further pages of it are being sent"""
_ACCEPT = "pakai"
_AGAIN = "@ulang"
_NEXT_PAGE = "@halaman"
_ENOUGH = "@lanjut"
_LABEL = 5
"""words"""


def strayed(file: IncomingFile, opened: str, asked: Collection[str]) -> str | None:
    """The sentence for a file by a link of ours that was for something else: another draft or filing than the one that is
    `opened`, or a document that isn't `asked`.
    """
    if file.draft not in (None, opened):
        return "berkas_tautan_lain"
    if file.document is not None and file.document not in asked:
        return "berkas_tautan_tidak_diminta"
    return None


class Papers:
    def __init__(self, resources: Resources, fetch: FetchFile) -> None:
        self._backend = resources.backend
        self._bot = resources.bot
        self._texts = resources.texts
        self._fetch = fetch

    async def take(self, draft: Draft, file: IncomingFile, turn: Turn, reply: Reply) -> list[EventType]:
        """Raises Refused with what is wrong with the file."""
        if (refusal := strayed(file, draft.id, [item.id for item in draft.items])) is not None:
            reply.say(self._texts(refusal, dokumen=file.caption))
            return []
        document = self._meant(draft, file, turn)
        if document is None:
            self._keep_out(draft, file, reply)
            return []
        taken = turn.message_id in draft.applied
        sent = draft.documents.get(document.id)
        further = turn.together and sent is not None and not taken
        if sent is not None and further and sent.pages >= document.maximum_pages:
            reply.say(self._texts("foto_tambahan_ditolak", dokumen=document.name, halaman=document.maximum_pages))
            return []
        now = draft if taken else await self._add(draft, document, file, turn, further=further)
        kept = now.documents.get(document.id)
        if kept is None:
            # Redelivered: it was taken before, as the document that was asked for then.
            before = _last(now)
            reply.say(self._texts("berkas_diterima", dokumen=before.name if before is not None else document.name))
            return [SlotSet("ubah", None), SlotSet("ditinjau", None)]
        if kept.hint is not None:
            # The question that follows tells the hint.
            return [SlotSet("ubah", None), SlotSet("ditinjau", None)]
        if further:
            reply.say(self._texts("foto_tambahan", dokumen=document.name, halaman=kept.pages))
        elif kept.pages > 1:
            reply.say(self._texts("halaman_diterima", dokumen=document.name, halaman=kept.pages))
        else:
            reply.say(self._texts("berkas_diterima", dokumen=document.name))
        if turn.slot("ubah") == MORE + document.id and kept.pages < document.maximum_pages:
            return [SlotSet("ditinjau", None)]
        return [SlotSet("ubah", None), SlotSet("ditinjau", None)]

    @staticmethod
    def is_label(draft: Draft, caption: str) -> bool:
        """Whether it says which document this is, and no more."""
        return len(caption.split()) <= _LABEL and named_in(fold(caption), _names(draft)) is not None

    async def command(self, draft: Draft, turn: Turn, reply: Reply) -> list[EventType] | None:
        """What is said or tapped about documents; None when it is something else."""
        if (turn.slot("ubah") or "").startswith(MORE) and _says(turn, _ENOUGH, "lanjut"):
            return [SlotSet("ubah", None)]
        at_documents = draft.next is None or draft.next.type == "document"
        last = _last(draft) if at_documents else None
        if last is not None and _says(turn, f"{last.id}:{_NEXT_PAGE}", "tambah_halaman"):
            if draft.documents[last.id].pages >= last.maximum_pages:
                reply.say(self._texts("halaman_penuh", dokumen=last.name, halaman=last.maximum_pages))
                return []
            return [SlotSet("ubah", MORE + last.id)]
        question = draft.next
        if question is None or question.type != "document":
            return None
        if turn.choice == f"unggah:{question.field}":
            await self._give_link(draft, question, turn, reply)
            return []
        if draft.doubtful is not None:
            if _says(turn, f"{question.field}:{_ACCEPT}", "pakai"):
                await self._backend.answer(draft.id, turn.message_id, question.field, _ACCEPT)
                return [SlotSet("ubah", None)]
            if turn.choice == f"isi:{question.field}:{_AGAIN}":
                return []
        return None

    @staticmethod
    def ask(draft: Draft, question: Question, turn: Turn, texts: Texts, reply: Reply) -> None:
        """The question of a document, with what can be done instead of sending a photo here."""
        item = draft.item(question.field)
        name = item.name if item is not None else question.field
        if turn.choice == f"unggah:{question.field}":
            return
        if (turn.slot("ubah") or "").startswith(MORE):
            reply.say(texts("kirim_halaman", dokumen=name))
            reply.offer(f"isi:{question.field}:{_ENOUGH}", "Lanjut")
            return
        if draft.doubtful is not None and turn.choice != f"isi:{question.field}:{_AGAIN}":
            reply.say(draft.doubtful)
            reply.say(texts("berkas_meragukan"))
            reply.offer(f"isi:{question.field}:{_ACCEPT}", "Pakai foto ini")
            reply.offer(f"isi:{question.field}:{_AGAIN}", "Kirim ulang")
            return
        reply.say(question.question)
        if not draft.documents:
            reply.say(texts("lebih_aman_tautan"))
        reply.offer(f"unggah:{question.field}", "Lewat tautan")
        last = _last(draft)
        if turn.file is not None and last is not None and draft.documents[last.id].pages < last.maximum_pages:
            reply.offer(f"isi:{last.id}:{_NEXT_PAGE}", "Tambah halaman")

    async def _give_link(self, draft: Draft, question: Question, turn: Turn, reply: Reply) -> None:
        item = draft.item(question.field)
        name = item.name if item is not None else question.field
        room = item.maximum_pages if item is not None else 1
        subject: Mapping[str, str | int] = {"draft": draft.id, "document": question.field, "name": name, "pages": room}
        url = await self._bot.link("unggah", turn.conversation, subject)
        reply.say(self._texts("tautan_unggah", dokumen=name, tautan=url))

    async def _add(self, draft: Draft, document: DraftItem, file: IncomingFile, turn: Turn, *, further: bool) -> Draft:
        """Raises Refused."""
        sent = draft.documents.get(document.id)
        content = await self._fetch(file)
        if sent is not None and sent.hint is not None and further:
            # Another page of the same album must not take the place of the doubtful one.
            await self._backend.answer(draft.id, f"{turn.message_id}:{_ACCEPT}", document.id, _ACCEPT)
        elif sent is not None and sent.hint is None and turn.slot("ubah") == document.id and not further:
            await self._backend.clear_document(draft.id, f"{turn.message_id}:anew", document.id)
        return await self._backend.add_document(draft.id, turn.message_id, document.id, content, file.content_type)

    def _meant(self, draft: Draft, file: IncomingFile, turn: Turn) -> DraftItem | None:
        """The document that a link was for or a caption names; else, of photos sent together, the one before; else the one
        asked for; else the only one there is. Of a photo that was taken before: the one changed, else the one sent last.
        """
        if file.document is not None:
            return draft.item(file.document)
        papers = [item for item in draft.items if item.is_document]
        named = named_in(fold(file.caption), _names(draft)) if file.caption else None
        if named is not None:
            return draft.item(named)
        asked = draft.next if draft.next is not None and draft.next.type == "document" else None
        changing = turn.slot("ubah")
        if turn.message_id in draft.applied:
            changed = draft.item((changing or "").removeprefix(MORE))
            return changed if changed is not None and changed.is_document else _last(draft)
        if turn.together and changing in (None, WHICH) and (asked is not None or draft.next is None):
            return _last(draft) or (draft.item(asked.field) if asked is not None else None)
        if asked is None and draft.next is not None and len(papers) == 1 and papers[0].id not in draft.documents:
            return papers[0]
        return draft.item(asked.field) if asked is not None else None

    def _keep_out(self, draft: Draft, file: IncomingFile, reply: Reply) -> None:
        if draft.next is None:
            reply.say(self._texts("berkas_sudah_lengkap"))
            return
        reply.say(self._texts("foto_belum_disimpan" if file.caption else "berkas_belum_diminta"))
        if draft.next.help and not file.caption:
            reply.say(draft.next.help)


def _names(draft: Draft) -> Sequence[tuple[str, str]]:
    """(id, name) of each document"""
    return [(item.id, item.name) for item in draft.items if item.is_document]


def _last(draft: Draft) -> DraftItem | None:
    """The document sent last."""
    return draft.item(list(draft.documents)[-1]) if draft.documents else None


def _says(turn: Turn, choice: str, words: str) -> bool:
    if turn.choice is None:
        return is_word(words, turn.text)
    return turn.choice.startswith("isi:") and turn.choice.endswith(f":{choice}")
