"""Reports over a period: how fast officers answered, how much the bot answered by itself, how citizens judged it."""

from __future__ import annotations

import csv
import io
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from aiohttp import web
from sqlalchemy import func, literal_column, select

from bot.desk.access import in_scope
from bot.desk.hours import LOCAL_TIME
from bot.desk.officer import Officer
from bot.desk.review import reviews
from bot.tables import conversations, handoffs, inbox
from console.access import access_reports
from console.audit import Act, record
from console.backend import BackendDown, BackendRefused
from console.protection import WORKSPACE, page, signed_in
from console.scope import officer_of
from console.workspace import Workspace
from learning.spreadsheet import safe_cell

__all__ = ["Line", "routes"]

_Table = list[Sequence[Any]]
"""a line of names, then the figures"""
_PERIODS = {"7": "7 hari", "30": "30 hari", "90": "90 hari"}


@dataclass(frozen=True)
class Line:
    """One agency's figures; None where there was nothing to measure."""

    agency: str
    handed_over: int
    answered: int
    first_reply: timedelta | None
    """median, in working time, from the request to an officer's first word"""
    slowest_tenth: timedelta | None
    within_standard: float | None
    handling: timedelta | None
    """median, from claim to close"""


@dataclass(frozen=True)
class _Report:
    since: date
    lines: Sequence[Line]
    by_day: Sequence[tuple[date, int, int]]
    """day, conversations with messages, conversations handed over"""
    by_reason: Sequence[tuple[str, int]]
    contained: float | None
    """share of the conversations that needed no officer"""


def routes() -> list[web.RouteDef]:
    return [
        web.get("/laporan", _show, name="reports"),
        web.get("/laporan.csv", _export_desk, name="reports_csv"),
        web.get("/laporan-harian.csv", _export_days, name="reports_days_csv"),
        web.get("/laporan-kepuasan.csv", _export_satisfaction, name="reports_satisfaction_csv"),
        web.get("/laporan-pengisian.csv", _export_abandoned, name="reports_abandoned_csv"),
    ]


async def _show(request: web.Request) -> web.Response:
    workspace, me = request.config_dict[WORKSPACE], signed_in(request).account
    backend = workspace.backend
    report, days = await _asked(request)
    try:
        satisfaction, abandoned = await backend.satisfaction(), await backend.abandoned()
    except (BackendDown, BackendRefused):
        satisfaction, abandoned = None, None
    most = max((day[1] for day in report.by_day), default=0)
    return page(
        request,
        "reports.html",
        report=report,
        days=days,
        periods=_PERIODS,
        most=most,
        satisfaction=satisfaction,
        abandoned=abandoned,
        reviews=await reviews(workspace.room, officer_of(me), workspace.clock() - timedelta(days=int(days))),
    )


async def _export_desk(request: web.Request) -> web.Response:
    report, days = await _asked(request)
    table: _Table = [
        ("kantor", "diteruskan", "dijawab", "median_menit", "p90_menit", "dalam_standar", "penanganan_menit")
    ]
    for line in report.lines:
        figures = (line.handed_over, line.answered, *map(_minutes, (line.first_reply, line.slowest_tenth)))
        share = "" if line.within_standard is None else f"{line.within_standard:.3f}"
        table.append((line.agency, *figures, share, _minutes(line.handling)))
    return await _exported(request, "meja", report.since, table, days=days)


async def _export_days(request: web.Request) -> web.Response:
    report, days = await _asked(request)
    table: _Table = [("hari", "percakapan", "diteruskan"), *report.by_day]
    return await _exported(request, "harian", report.since, table, days=days)


async def _export_satisfaction(request: web.Request) -> web.Response:
    workspace = request.config_dict[WORKSPACE]
    access_reports(signed_in(request).account)
    found = await workspace.backend.satisfaction()
    table: _Table = [("instansi", "penilai", "ikm", "mutu")]
    table += [(one.subject, one.respondents, one.index, one.grade) for one in found]
    return await _exported(request, "kepuasan", workspace.clock().astimezone(LOCAL_TIME).date(), table)


async def _export_abandoned(request: web.Request) -> web.Response:
    """A line for each question that somebody stopped at, and one for a service where nobody did."""
    workspace = request.config_dict[WORKSPACE]
    access_reports(signed_in(request).account)
    found = await workspace.backend.abandoned()
    table: _Table = [("layanan", "dimulai", "terkirim", "ditinggalkan", "pertanyaan", "berhenti_di_sini")]
    for one in found:
        for name, count in one.left_at or [("", 0)]:
            table.append((one.service, one.begun, one.submitted, one.expired, name, count))
    return await _exported(request, "pengisian", workspace.clock().astimezone(LOCAL_TIME).date(), table)


async def _exported(request: web.Request, name: str, day: date, table: _Table, **asked: str) -> web.Response:
    workspace, me = request.config_dict[WORKSPACE], signed_in(request).account
    await record(workspace, me.id, Act.EXPORTED, f"reports:{name}", **asked)
    written = io.StringIO()
    csv.writer(written).writerows([safe_cell(cell) if isinstance(cell, str) else cell for cell in row] for row in table)
    return web.Response(
        text=written.getvalue(),
        content_type="text/csv",
        headers={"Content-Disposition": f'attachment; filename="laporan-{name}-{day}.csv"'},
    )


async def _asked(request: web.Request) -> tuple[_Report, str]:
    workspace, me = request.config_dict[WORKSPACE], signed_in(request).account
    access_reports(me)
    days = request.query.get("days", "7")
    days = days if days in _PERIODS else "7"
    return await _report(workspace, officer_of(me), workspace.clock() - timedelta(days=int(days))), days


async def _report(workspace: Workspace, officer: Officer, since: datetime) -> _Report:
    asked = select(handoffs).where(handoffs.c.requested_at >= since, in_scope(officer))
    # A literal: the same expression is selected and grouped by.
    day = func.date(func.timezone(literal_column("'Asia/Jakarta'"), inbox.c.received_at))
    talks = (
        select(day.label("day"), func.count(inbox.c.conversation.distinct()).label("talks"))
        .where(inbox.c.received_at >= since)
        .group_by(day)
        .order_by(day)
    )
    everybody = select(func.count(inbox.c.conversation.distinct())).where(inbox.c.received_at >= since)
    handed = (
        select(func.count(conversations.c.id.distinct()))
        .join(handoffs, handoffs.c.conversation == conversations.c.id)
        .where(handoffs.c.requested_at >= since)
    )
    async with workspace.engine.connect() as connection:
        rows = (await connection.execute(asked)).all()
        days = (await connection.execute(talks)).all()
        total, handed_over = await connection.scalar(everybody) or 0, await connection.scalar(handed) or 0
    by_agency: dict[str, list[Any]] = defaultdict(list)
    reasons: dict[str, int] = defaultdict(int)
    handed_by_day: dict[date, int] = defaultdict(int)
    for row in rows:
        by_agency[row.agency].append(row)
        reasons[row.reason] += 1
        handed_by_day[row.requested_at.astimezone(LOCAL_TIME).date()] += 1
    return _Report(
        since=since.astimezone(LOCAL_TIME).date(),
        lines=[_line(workspace, agency, found) for agency, found in sorted(by_agency.items())],
        by_day=[(row.day, row.talks, handed_by_day[row.day]) for row in days],
        by_reason=sorted(reasons.items(), key=lambda pair: -pair[1]),
        contained=1 - handed_over / total if total else None,
    )


def _line(workspace: Workspace, agency: str, rows: Sequence[Any]) -> Line:
    office = workspace.room.agencies[agency]
    replies = [office.hours.open_between(row.requested_at, row.answered_at) for row in rows if row.answered_at]
    return Line(
        agency=office.name,
        handed_over=len(rows),
        answered=len(replies),
        first_reply=_median(replies),
        slowest_tenth=_slowest_tenth(replies),
        within_standard=_share(reply <= workspace.room.standard.first_reply for reply in replies),
        handling=_median(row.closed_at - row.claimed_at for row in rows if row.closed_at and row.claimed_at),
    )


def _median(spans: Iterable[timedelta]) -> timedelta | None:
    seconds = [span.total_seconds() for span in spans]
    return timedelta(seconds=statistics.median(seconds)) if seconds else None


def _slowest_tenth(spans: Sequence[timedelta]) -> timedelta | None:
    return sorted(spans)[int(len(spans) * 0.9)] if spans else None


def _share(fits: Iterable[bool]) -> float | None:
    listed = list(fits)
    return sum(listed) / len(listed) if listed else None


def _minutes(span: timedelta | None) -> str:
    return "" if span is None else f"{span.total_seconds() / 60:.1f}"
