"""What must hold when everything runs again: looked at on the phones, in the database and at the backend."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from praja.check import check, report
from tests.chaos.people import Asker, Filer, asks_to_come_back, is_sorry
from tests.chaos.phones import Bubble, Phone
from tests.chaos.stand import Stand

__all__ = ["Verdict", "judge"]

_WITH_A_REASON = frozenset({"failed", "withheld", "held"})


@dataclass
class Verdict:
    wrong: list[str] = field(default_factory=list)
    told_to_ask_again: int = 0
    """questions answered by the sentence that the backend can't be reached"""
    figures: dict[str, Any] = field(default_factory=dict)
    checked: list[str] = field(default_factory=list)
    """what `praja check` says"""


async def judge(stand: Stand, askers: Sequence[Asker], filers: Sequence[Filer]) -> Verdict:
    verdict = Verdict()
    phones = [*(asker.phone for asker in askers), *(filer.phone for filer in filers)]
    await _filings(stand, verdict, filers)
    inbox = await _inbox(stand, verdict, phones)
    query = "SELECT id, conversation, inbox, kind, state, provider_id, error FROM bot.outbox"
    outbox = {row["id"]: row for row in await stand.rows(query)}
    _nothing_waits(verdict, outbox.values())
    by_provider_id = {row["provider_id"]: row["id"] for row in outbox.values() if row["provider_id"]}
    copies = Counter[str]()
    for phone in phones:
        shown = _shown(phone, by_provider_id)
        _in_order(verdict, phone, shown)
        copies[phone.channel] += len(shown) - len({key for key, _ in shown if isinstance(key, int)})
    accepted = {(phone.channel, external_id) for phone in phones for external_id in phone.external_ids}
    _on_the_phones(verdict, phones, outbox, {row["conversation"] for key, row in inbox.items() if key in accepted})
    for asker in askers:
        _each_question_answered(verdict, asker, inbox, outbox, by_provider_id)
    report(await asyncio.to_thread(check, stand.database_url, datetime.now(UTC)), verdict.checked.append)
    if len(verdict.checked) > 1:
        verdict.wrong += [f"praja check: {line}" for line in verdict.checked]
    verdict.figures |= {
        "praja check": verdict.checked[-1],
        "bubbles": sum(len(phone.bubbles()) for phone in phones),
        "copies": dict(copies),
        "told it will be answered later": sum(is_sorry(b.text) for phone in phones for b in phone.bubbles()),
        "told to ask again": verdict.told_to_ask_again,
        "outbox": dict(Counter(row["state"] for row in outbox.values())),
        "failed with": dict(Counter(row["error"] for row in outbox.values() if row["state"] == "failed")),
        "delivered again by WhatsApp": stand.meta.redelivered,
    }
    return verdict


async def _inbox(stand: Stand, verdict: Verdict, phones: Sequence[Phone]) -> dict[tuple[str, str], dict[str, Any]]:
    """Every accepted message is there once, and answered or says why not."""
    rows = await stand.rows(
        "SELECT id, channel, external_id, conversation, answered_at, outcome FROM bot.inbox WHERE conversation IS NOT NULL"
    )
    known = {(row["channel"], row["external_id"]): row for row in rows}
    accepted = [(phone.channel, external_id) for phone in phones for external_id in phone.external_ids]
    for key in accepted:
        row = known.get(key)
        if row is None:
            verdict.wrong.append(f"{key} was accepted and isn't in the inbox")
        elif row["answered_at"] is None:
            verdict.wrong.append(f"inbox {row['id']} is unanswered")
    turns = await stand.turns()
    for channel, external_id in accepted:
        row = known.get((channel, external_id))
        if row is not None and row["outcome"] == "answered" and turns[external_id] != 1:
            verdict.wrong.append(f"inbox {row['id']} is answered, and Rasa knows {turns[external_id]} turns of it")
    if stand.stand_in is not None and stand.stand_in.overlaps:
        verdict.wrong.append(f"{stand.stand_in.overlaps} turns of one conversation overlapped")
    verdict.figures |= {
        "messages": len(accepted),
        "outcomes": dict(Counter(known[key]["outcome"] for key in accepted if key in known)),
    }
    return known


def _nothing_waits(verdict: Verdict, outbox: Any) -> None:
    waiting = [row["id"] for row in outbox if row["state"] in ("queued", "held")]
    if waiting:
        verdict.wrong.append(f"outbox still waits: {waiting[:10]}")


def _shown(phone: Phone, by_provider_id: dict[str, int]) -> list[tuple[int | str, Bubble]]:
    """The phone's bubbles by our number, or by what the provider calls them where we never learnt of it."""
    return [
        (bubble.outbox or by_provider_id.get(bubble.provider_id) or bubble.provider_id, bubble)
        for bubble in phone.bubbles()
    ]


def _in_order(verdict: Verdict, phone: Phone, shown: Sequence[tuple[int | str, Bubble]]) -> None:
    first: list[int] = []
    for key, _ in shown:
        if isinstance(key, int) and key not in first:
            first.append(key)
    if first != sorted(first):
        verdict.wrong.append(f"{phone.channel}: bubbles out of order: {first}")


def _on_the_phones(
    verdict: Verdict, phones: Sequence[Phone], outbox: Mapping[int, Any], conversations: Collection[UUID]
) -> None:
    """What counts as sent has arrived."""
    there = {bubble.provider_id for phone in phones for bubble in phone.bubbles()}
    ours = {bubble.outbox for phone in phones for bubble in phone.bubbles()}
    for row in outbox.values():
        sent = row["state"] in ("sent", "delivered", "read") and row["conversation"] in conversations
        if sent and row["provider_id"] not in there and row["id"] not in ours:
            verdict.wrong.append(f"outbox {row['id']} counts as {row['state']} and is on no phone")


def _each_question_answered(
    verdict: Verdict,
    asker: Asker,
    inbox: dict[tuple[str, str], dict[str, Any]],
    outbox: dict[int, Any],
    by_provider_id: dict[str, int],
) -> None:
    """By its words, once, in the order of the questions."""
    bubbles: dict[int | str, Bubble] = {}
    for key, bubble in _shown(asker.phone, by_provider_id):
        bubbles.setdefault(key, bubble)
    # A copy that we never learnt the number of is told by its text.
    numbered = {bubble.text for key, bubble in bubbles.items() if isinstance(key, int)}
    texts = [bubble.text for key, bubble in bubbles.items() if isinstance(key, int) or bubble.text not in numbered]
    bursts = {row["id"]: (row["conversation"], row["answered_at"]) for row in inbox.values()}
    answers = defaultdict(set)
    for row in outbox.values():
        answers[bursts.get(row["inbox"])].add(row["state"])
    last = -1
    for external_id, question in asker.asked:
        message = inbox.get((asker.phone.channel, external_id))
        if message is None or message["outcome"] != "answered":
            continue
        found = [i for i, text in enumerate(texts) if question.mark in text]
        what = f"{question.text!r} on {asker.phone.channel}, inbox {message['id']}"
        states = answers[bursts[message["id"]]]
        if not found and any(asks_to_come_back(text) for text in texts):
            verdict.told_to_ask_again += 1
        elif not found:
            if not states & _WITH_A_REASON:
                verdict.wrong.append(f"no answer on the phone to {what}; the outbox says {states}")
        elif len(found) > 1:
            verdict.wrong.append(f"{len(found)} answers to {what}")
        elif found[0] < last:
            verdict.wrong.append(f"too early an answer to {what}")
        else:
            last = found[0]


async def _filings(stand: Stand, verdict: Verdict, filers: Sequence[Filer]) -> None:
    """Each who got a number has that one filing, whole, and was told once of every step of it but the first, their own."""
    rows = await stand.rows("SELECT number, contact FROM backend.filings")
    numbers = Counter(row["number"] for row in rows)
    for filer in filers:
        if not filer.number:
            verdict.wrong.append(f"a filer on {filer.phone.channel} got no number: {filer.stuck}")
        elif numbers[filer.number] != 1:
            verdict.wrong.append(f"filing {filer.number} is there {numbers[filer.number]} times")
    if len(rows) != len(filers):
        verdict.wrong.append(f"{len(rows)} filings of {len(filers)} people")
    twice = [contact for contact, count in Counter(row["contact"] for row in rows).items() if count > 1]
    if twice:
        verdict.wrong.append(f"{len(twice)} people have two filings")
    steps = await stand.rows(
        "SELECT contact, sum(steps) AS steps,"
        " (SELECT count(*) FROM bot.outbox WHERE kind = 'notification' AND conversation::text = contact) AS told"
        " FROM (SELECT contact, (SELECT count(*) FROM backend.chronology WHERE state <> 'MENUNGGU'"
        " AND chronology.number = filings.number) AS steps FROM backend.filings) AS filed GROUP BY contact"
    )
    for row in steps:
        if row["steps"] != row["told"]:
            verdict.wrong.append(f"{row['contact']} was told of {row['told']} of {row['steps']} steps")
    verdict.figures |= {
        "filings": len(rows),
        "steps of filings told": sum(row["told"] for row in steps),
    }
