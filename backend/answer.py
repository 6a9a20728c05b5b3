"""What the API answers: a JSON body, or a problem (RFC 9457) whose `detail` is a sentence for the reader."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from aiohttp import web

__all__ = ["Answer", "Problem", "answer_json"]

_TITLES = {
    400: "Permintaan tidak terbaca",
    401: "Tidak dikenal",
    403: "Tidak diizinkan",
    404: "Tidak ditemukan",
    405: "Cara tidak didukung",
    409: "Tidak bisa dilakukan sekarang",
    410: "Sudah tidak ada",
    413: "Terlalu besar",
    422: "Belum sesuai",
    429: "Terlalu sering",
    500: "Gangguan",
    503: "Gangguan sementara",
}


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    """JSON"""

    def response(self) -> web.Response:
        kind = "application/json" if self.status < 400 else "application/problem+json"
        return web.Response(
            status=self.status, body=self.body, content_type=kind, headers={"Cache-Control": "no-store"}
        )


class Problem(Exception):
    """Ends a request. `kind` is for programs, `detail` for people; further members go into the document as they are."""

    def __init__(self, status: int, kind: str, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.members = members

    def answer(self) -> Answer:
        document = {
            "type": self.kind,
            "title": _TITLES.get(self.status, "Permintaan ditolak"),
            "status": self.status,
            "detail": self.detail,
            **self.members,
        }
        return answer_json(document, self.status)


def answer_json(body: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())
