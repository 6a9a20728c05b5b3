"""Filings already sent, and people's rights, as the backend's contract has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from stdnum.iso7064 import mod_37_36

__all__ = ["FakeFilings", "Refusal", "applied", "filing", "issued"]

_CANCELLABLE = ("MENUNGGU", "DIPROSES", "PERLU_PERBAIKAN")
_TRIES = 5


class Refusal(Exception):
    def __init__(self, status: int, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.body = {"detail": detail, **more}


def issued(random: str) -> str:
    """A number whose check character fits."""
    return f"SDA-2611-{random}{mod_37_36.calc_check_digit('2611' + random)}"


def filing(number: str, contact: str, state: str = "MENUNGGU", **more: Any) -> dict[str, Any]:
    """As the backend shows it, and whose it is; `nik` is never shown."""
    view = {
        "number": number,
        "contact": contact,
        "nik": "3515085708909999",
        "service": "sk_umum",
        "mode": "permohonan",
        "state": state,
        "submitted_at": "2026-11-20T10:00:00+07:00",
        "due_on": "2026-11-25",
        "office": "Desa Suko",
        "chronology": [{"at": "2026-11-20T10:00:00+07:00", "state": state, "note": None}],
        "fix": [],
        "fix_names": {},
        "result": None,
        "confirmed": False,
    }
    return view | more


def applied(known: Iterable[str], message: str | None) -> list[str]:
    """Those of the `known` ids that are `message` or made of it."""
    return [each for each in known if message is not None and f"{each}:".startswith(f"{message}:")]


@dataclass
class FakeFilings:
    by_number: dict[str, dict[str, Any]] = field(default_factory=dict)
    corrections: list[dict[str, Any]] = field(default_factory=list)
    answered: dict[str, dict[str, Any]] = field(default_factory=dict)
    """message id of a correction → what it was answered"""
    reasons: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, Any]] = field(default_factory=dict)
    tries: int = 0
    erased: list[str] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)

    def answer(
        self,
        method: str,
        path: list[str],
        contact: str | None,
        proof: str | None,
        message: str | None,
        body: Mapping[str, Any],
    ) -> dict[str, Any] | None:
        """None for a path of somebody else's. Raises Refusal."""
        match [method, *path]:
            case ["GET", "filings"]:
                return {"filings": [each for each in self.by_number.values() if each.get("contact") == contact]}
            case ["GET", "filings", number]:
                return {**self._admitted(number, contact, proof), "applied": applied(self.answered, message)}
            case ["POST", "filings", number, "corrections"]:
                return self._correct(self._admitted(number, contact, proof), body)
            case ["POST", "filings", number, "cancel"]:
                return self._cancel(self._admitted(number, contact, proof), body["reason"])
            case ["POST", "filings", number, "confirmations"]:
                return self._confirm(self._admitted(number, contact, proof), body["resolved"])
            case ["GET", "verifications", code]:
                if code not in self.codes:
                    raise Refusal(404, "Kode itu tidak terdaftar.")
                return self.codes[code]
            case ["DELETE", "people", person]:
                self.erased.append(person)
                self.by_number = {
                    n: f for n, f in self.by_number.items() if f["contact"] != person or f["state"] in _CANCELLABLE
                }
                return {"erased": {}, "kept": []}
            case ["DELETE", "consents", person]:
                self.withdrawn.append(person)
                return {}
        return None

    def kept_of(self, contact: str) -> list[dict[str, Any]]:
        return [
            {
                "number": each["number"],
                "service": each["service"],
                "state": each["state"],
                "kept_until": None if each["state"] in _CANCELLABLE else "2027-05-20",
                "why": "permohonan ini masih diproses" if each["state"] in _CANCELLABLE else None,
            }
            for each in self.by_number.values()
            if each.get("contact") == contact
        ]

    def _admitted(self, number: str, contact: str | None, proof: str | None) -> dict[str, Any]:
        found = self.by_number.get(number)
        if found is not None and found["contact"] == contact:
            return found
        if proof is None:
            raise Refusal(403, "Sebutkan empat angka terakhir.")
        self.tries += 1
        if self.tries > _TRIES:
            raise Refusal(429, "Sudah lima kali dicoba.")
        if found is None or not found["nik"].endswith(proof):
            raise Refusal(403, "Tidak cocok.")
        return found

    def _correct(self, view: dict[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
        if body["message_id"] in self.answered:
            return self.answered[body["message_id"]]
        item = body.get("document") or body.get("field")
        left = [flaw for flaw in view["fix"] if item not in flaw.values()]
        if len(left) == len(view["fix"]):
            raise Refusal(409, "Tidak diminta.")
        if body["value"] == "xyz":
            raise Refusal(422, "Itu bukan nomor HP.")
        self.corrections.append(dict(body))
        view["fix"] = left
        view["state"] = view["state"] if left else "MENUNGGU"
        self.answered[body["message_id"]] = dict(view)
        return view

    def _cancel(self, view: dict[str, Any], reason: str) -> dict[str, Any]:
        if view["state"] not in _CANCELLABLE:
            raise Refusal(409, "Terlambat.", state=view["state"])
        self.reasons.append(reason)
        view["state"] = "DIBATALKAN"
        return view

    def _confirm(self, view: dict[str, Any], resolved: bool) -> dict[str, Any]:
        if view["mode"] != "pengaduan" or view["state"] != "SELESAI" or view["confirmed"]:
            raise Refusal(409, "Tidak menunggu konfirmasi.")
        view |= {"confirmed": True} if resolved else {"state": "DIPROSES"}
        return view
