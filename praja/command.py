"""`praja`: the command line."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from praja.failure import sentence
from praja.settings import Settings, load_settings

if TYPE_CHECKING:
    from learning.live_model import Change
    from praja.going_live import Servers

__all__ = ["main"]

ROLES = ("bot", "worker", "sender", "backend", "actions", "rasa", "console")
_MEASURES = ("turns", "stock", "swap", "inbox", "long", "restart", "growth")
"""of praja/benchmarks, which is imported only when it is asked for"""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace, Settings], int] = options.run
    try:
        return run(options, load_settings())
    except KeyboardInterrupt:
        return 130
    except Exception as problem:
        print(sentence(problem), file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="praja", description="Layanan warga di Telegram dan WhatsApp.")
    commands = parser.add_subparsers(required=True, metavar="PERINTAH")

    up = commands.add_parser("up", help="menyalakan semuanya di satu mesin")
    up.set_defaults(run=_up)

    chat = commands.add_parser("chat", help="bercakap dengan bot dari terminal")
    chat.add_argument("--url", help="alamat bot; bawaan: dari PRAJA_HTTP_HOST dan PRAJA_HTTP_PORT")
    chat.add_argument("--sender", default="terminal", help="nama ponsel tiruan")
    chat.set_defaults(run=_chat)

    train = commands.add_parser("train", help="melatih model dari data/")
    train.set_defaults(run=_train)

    evaluate = commands.add_parser("evaluate", help="mengukur pemahaman; hasil di reports/")
    evaluate.add_argument(
        "--candidate", type=Path, help="model terlatih yang diadu dengan yang hidup (data/gerbang.yml)"
    )
    evaluate.add_argument("--live", type=Path, help="lawannya; bawaan: model yang hidup")
    evaluate.set_defaults(run=_evaluate)

    promote = commands.add_parser("promote", help="menghidupkan model, bila tidak lebih buruk dari yang hidup")
    promote.add_argument("model", type=Path, metavar="MODEL", help="berkas di folder model")
    promote.add_argument("--override", metavar="ALASAN", help="menghidupkan meski ditolak gerbang; alasannya dicatat")
    promote.add_argument(
        "--watch", type=float, metavar="MENIT", help="lama diawasi setelah hidup; bawaan: data/gerbang.yml, 0: tidak"
    )
    promote.add_argument("--leave", action="store_true", help="tidak menunggu masa percobaan; konsol yang mengawasi")
    promote.set_defaults(run=_promote)

    watch = commands.add_parser(
        "watch", help="mengawasi masa percobaan model yang hidup; konsol menjalankannya sendiri"
    )
    watch.set_defaults(run=_watch)

    rollback = commands.add_parser("rollback", help="kembali ke model yang hidup sebelumnya")
    rollback.add_argument("--reason", default="", metavar="ALASAN", help="dicatat dalam riwayat")
    rollback.add_argument("--only", metavar="NAMA", help="hanya bila model ini yang masih hidup")
    rollback.set_defaults(run=_rollback)

    dataset = commands.add_parser("dataset", help="data latih").add_subparsers(required=True, metavar="PERINTAH")
    dataset.add_parser("check", help="mencari yang salah dalam data latih").set_defaults(run=_check_dataset)
    export = dataset.add_parser("export", help="menulis data latih ke berkas .yml atau .csv")
    export.add_argument("file", type=Path, metavar="BERKAS")
    export.add_argument("--set", choices=("nlu", "tinjauan"), default="nlu", help="folder di data/; bawaan: nlu")
    export.set_defaults(run=_export_dataset)
    take_in = dataset.add_parser("import", help="mengambil berkas .yml atau .csv ke data/tinjauan/")
    take_in.add_argument("file", type=Path, metavar="BERKAS")
    take_in.add_argument("--name", default="impor", help="nama berkas di data/tinjauan/, yang diganti seluruhnya")
    take_in.set_defaults(run=_import_dataset)

    bench = commands.add_parser("bench", help="mengukur kecepatan dan memori")
    bench.add_argument("what", nargs="?", default="turns", choices=_MEASURES, help="docs/performance.md")
    bench.add_argument("--seconds", type=int, default=20, help="lama tiap tahap")
    bench.set_defaults(run=_bench)

    role = commands.add_parser("run", help="menyalakan satu bagian")
    role.add_argument("role", choices=ROLES)
    role.set_defaults(run=_run)

    doctor = commands.add_parser("doctor", help="mencari setelan yang keliru; 1 bila ada")
    doctor.set_defaults(run=_doctor)

    backup = commands.add_parser("backup", help="mencadangkan basis data, dokumen dan model ke satu berkas")
    backup.add_argument("file", type=Path, metavar="BERKAS")
    backup.set_defaults(run=_backup)

    restore = commands.add_parser("restore", help="mengembalikan cadangan ke PRAJA_HOME yang kosong")
    restore.add_argument("file", type=Path, metavar="BERKAS")
    restore.add_argument("--paksa", action="store_true", help="menghapus yang ada sekarang")
    restore.set_defaults(run=_restore)

    rotate = commands.add_parser("rotate", help="menyegel ulang semuanya dengan PRAJA_SECRET_KEY yang baru")
    rotate.set_defaults(run=_rotate)

    migrate = commands.add_parser("migrate", help="menyiapkan tabel basis data")
    migrate.add_argument(
        "--sebelum-ganti",
        dest="before_switch",
        action="store_true",
        help="hanya sejauh versi lama masih bisa bekerja, sebelum mesin diganti satu per satu",
    )
    migrate.set_defaults(run=_migrate)

    check = commands.add_parser("check", help="mencari yang rusak atau macet dalam basis data; 1 bila ada")
    check.set_defaults(run=_check)

    user = commands.add_parser("user", help="akun petugas").add_subparsers(required=True, metavar="PERINTAH")
    add = user.add_parser("add", help="membuat akun; kata sandi sementaranya dicetak sekali")
    add.add_argument("username", help="nama akun, huruf kecil")
    add.add_argument("--name", required=True, help="nama yang tampil")
    add.add_argument("--role", required=True, choices=("petugas", "penyelia", "admin"))
    add.add_argument("--agency", action="append", default=[], help="id kantor dari data/kantor.yml; boleh berulang")
    add.set_defaults(run=_add_user)
    return parser


def _up(options: argparse.Namespace, settings: Settings) -> int:
    from praja.up import up

    return up(settings)


def _chat(options: argparse.Namespace, settings: Settings) -> int:
    from praja.chat import chat

    return asyncio.run(chat(options.url or settings.bot_address, options.sender))


def _train(options: argparse.Namespace, settings: Settings) -> int:
    from praja.training import train

    print(train(settings.models, lambda text: print(text, file=sys.stderr)))
    return 0


def _evaluate(options: argparse.Namespace, settings: Settings) -> int:
    from praja.training import evaluate, gate, serving_model

    if options.candidate is None:
        return evaluate(settings.models)
    return gate(options.candidate, options.live or serving_model(settings.models))


def _promote(options: argparse.Namespace, settings: Settings) -> int:
    from praja.going_live import GateRefused, promote, read_probes, read_reasons
    from praja.probation import Probation
    from praja.training import gate, gate_report

    def reasons(candidate: Path, live: Path | None) -> Sequence[str]:
        return read_reasons(gate_report(candidate)) if gate(candidate, live) else ()

    minutes = Probation.read(settings.data).minutes if options.watch is None else options.watch
    try:
        switched = asyncio.run(
            promote(
                options.model.resolve(),
                settings.models,
                _servers(settings),
                reasons,
                lambda: datetime.now(UTC),
                probes=read_probes(settings.data),
                override=options.override,
                watched=timedelta(minutes=minutes),
            )
        )
    except GateRefused as refusal:
        print(refusal, file=sys.stderr)
        return 3
    if not switched:
        print(f"{options.model.name} hidup saat dinyalakan")
        return 0
    print(f"{options.model.name} hidup di {switched} server", flush=True)
    return 0 if options.leave else _watch(options, settings)


def _watch(options: argparse.Namespace, settings: Settings) -> int:
    """Servers back to the live model where a change was cut off; and it back to the one before where it does badly."""
    from praja.going_live import NotLive, rollback, settle
    from praja.probation import watch

    async def send_back(change: Change, why: str) -> None:
        reason = f"dengan sendirinya: {why}"
        now = datetime.now(UTC)
        back = await rollback(settings.models, _servers(settings), now, reason=reason, only=change.model)
        print(f"{change.model} dikembalikan ke {back.name}: {why}", file=sys.stderr)

    try:
        asyncio.run(settle(settings.models, _servers(settings)))
    except NotLive as problem:
        # One that refuses is no reason to leave the live model unwatched.
        print(problem, file=sys.stderr)
    return 1 if asyncio.run(watch(settings, send_back)) else 0


def _servers(settings: Settings) -> Servers:
    from praja.going_live import Servers

    return Servers(settings.rasa_addresses, settings.rasa_token)


def _rollback(options: argparse.Namespace, settings: Settings) -> int:
    from praja.going_live import rollback

    now, reason = datetime.now(UTC), options.reason
    model = asyncio.run(rollback(settings.models, _servers(settings), now, reason=reason, only=options.only))
    print(f"{model.name} hidup lagi")
    return 0


def _check_dataset(options: argparse.Namespace, settings: Settings) -> int:
    from praja.dataset import check_dataset

    findings = check_dataset()
    print("\n".join([*findings.sentences(), "perlu diperbaiki" if findings.is_fatal else "bisa dilatih"]))
    return 1 if findings.is_fatal else 0


def _export_dataset(options: argparse.Namespace, settings: Settings) -> int:
    from praja.dataset import export_dataset

    print(f"{export_dataset(options.file, settings.data / options.set)} contoh ditulis ke {options.file}")
    return 0


def _import_dataset(options: argparse.Namespace, settings: Settings) -> int:
    from praja.dataset import import_dataset

    print(f"{import_dataset(options.file, options.name)} contoh diambil ke data/tinjauan/{options.name}.yml")
    return 0


def _bench(options: argparse.Namespace, settings: Settings) -> int:
    from praja.benchmarks import BENCHMARKS

    return asyncio.run(BENCHMARKS[options.what](options.seconds))


def _run(options: argparse.Namespace, settings: Settings) -> int:
    from praja.roles import run_role

    return run_role(options.role, settings)


def _migrate(options: argparse.Namespace, settings: Settings) -> int:
    from praja.database import database, migrate

    with database(settings) as url:
        migrate(url, before_switch=options.before_switch)
    return 0


def _doctor(options: argparse.Namespace, settings: Settings) -> int:
    from praja.doctor import examine

    problems = asyncio.run(examine(settings))
    for problem in problems:
        print(f"- {problem.sentence}")
    print(f"{len(problems)} masalah ditemukan." if problems else "Tidak ada masalah yang ditemukan.")
    return 1 if problems else 0


def _backup(options: argparse.Namespace, settings: Settings) -> int:
    from praja.backup import backup

    # As Ctrl-C: what it holds of documents that are erased meanwhile goes with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started = time.monotonic()
    contents = backup(settings, options.file.resolve())
    size = options.file.stat().st_size / 1024**2
    print(
        f"{options.file}: keadaan {contents.at}, {sum(contents.rows.values())} baris, {contents.documents} dokumen, "
        f"model {contents.model or 'tidak ada'}; {size:.1f} MB dalam {time.monotonic() - started:.1f} detik.\n"
        "PRAJA_SECRET_KEY tidak ikut: simpan terpisah. Tanpa kunci itu cadangan ini tidak bisa dibaca."
    )
    return 0


def _restore(options: argparse.Namespace, settings: Settings) -> int:
    from praja.restore import restore

    started = time.monotonic()
    contents = restore(settings, options.file, force=options.paksa)
    print(
        f"Kembali ke keadaan {contents.at}: {sum(contents.rows.values())} baris, {contents.documents} dokumen, "
        f"dalam {time.monotonic() - started:.1f} detik. Nyalakan dengan `praja up`."
    )
    return 0


def _rotate(options: argparse.Namespace, settings: Settings) -> int:
    from praja.database import database
    from praja.rotation import rotate

    with database(settings) as url:
        done = rotate(settings, url, lambda text: print(text, file=sys.stderr, flush=True))
    print(f"{done.values} nilai, {done.documents} dokumen dan {done.fingerprints} sidik disegel ulang.")
    if not done.is_complete:
        print("Masih ada yang ditulis dengan kunci lama: nyalakan ulang semua bagian, lalu ulangi.", file=sys.stderr)
        return 1
    print("Semua terbuka dengan PRAJA_SECRET_KEY; kosongkan PRAJA_SECRET_KEYS_OLD dan nyalakan ulang.")
    return 0


def _check(options: argparse.Namespace, settings: Settings) -> int:
    from praja.check import check, report
    from praja.database import database

    with database(settings) as url:
        findings = check(url, datetime.now(UTC))
    report(findings, print)
    return 1 if findings else 0


def _add_user(options: argparse.Namespace, settings: Settings) -> int:
    from praja.staff import add_user

    print(asyncio.run(add_user(settings, options.username, options.name, options.role, options.agency)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
