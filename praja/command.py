"""`praja`: the command line."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from learning.live_model import LiveModelBusy, LiveModelUnreadable
from praja.database import DatabaseUnfit
from praja.dataset import DatasetUnfit
from praja.going_live import NotLive
from praja.postgres import HomeUnfit
from praja.settings import Settings, SettingsUnfit, load_settings
from praja.staff import UserUnfit
from praja.supervisor import PartFailed, PortTaken
from praja.training import TrainingFailed

__all__ = ["main"]

ROLES = ("bot", "worker", "sender", "backend", "actions", "rasa", "console")


_SAID = (
    *(
        DatabaseUnfit,
        DatasetUnfit,
        HomeUnfit,
        LiveModelBusy,
        LiveModelUnreadable,
        NotLive,
        PartFailed,
        PortTaken,
        SettingsUnfit,
    ),
    *(TrainingFailed, UserUnfit),
)
"""Problems whose message is all that the one at the terminal needs."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace, Settings], int] = options.run
    try:
        return run(options, load_settings())
    except _SAID as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


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
    promote.set_defaults(run=_promote)

    rollback = commands.add_parser("rollback", help="kembali ke model yang hidup sebelumnya")
    rollback.add_argument("--reason", default="", metavar="ALASAN", help="dicatat dalam riwayat")
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
    bench.add_argument("--seconds", type=int, default=20, help="lama tiap tahap")
    bench.set_defaults(run=_bench)

    role = commands.add_parser("run", help="menyalakan satu bagian")
    role.add_argument("role", choices=ROLES)
    role.set_defaults(run=_run)

    migrate = commands.add_parser("migrate", help="menyiapkan tabel basis data")
    migrate.set_defaults(run=_migrate)

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

    return asyncio.run(up(settings))


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
    from praja.going_live import GateRefused, Servers, promote, read_probes, read_reasons
    from praja.training import GATE_REPORT, gate

    def reasons(candidate: Path, live: Path | None) -> Sequence[str]:
        return read_reasons(GATE_REPORT) if gate(candidate, live) else ()

    try:
        switched = asyncio.run(
            promote(
                options.model.resolve(),
                settings.models,
                Servers(settings.rasa_addresses, settings.rasa_token),
                reasons,
                lambda: datetime.now(UTC),
                probes=read_probes(settings.data),
                override=options.override,
            )
        )
    except GateRefused as refusal:
        print(refusal, file=sys.stderr)
        return 3
    if not switched:
        print(f"{options.model.name} hidup saat dinyalakan")
        return 0
    print(f"{options.model.name} hidup di {switched} server", flush=True)
    return _watch(options.model.name, options.watch, settings)


def _watch(model: str, minutes: float | None, settings: Settings) -> int:
    """Back to the model before where the one that has just gone live does badly."""
    from praja.going_live import Servers, rollback
    from praja.probation import Probation, watch

    rules = Probation.read(settings.data)
    if minutes is not None:
        rules = replace(rules, minutes=minutes)
    why = asyncio.run(watch(rules, model, settings))
    if why is None:
        return 0
    servers = Servers(settings.rasa_addresses, settings.rasa_token)
    reason = f"dengan sendirinya: {why}"
    back = asyncio.run(rollback(settings.models, servers, datetime.now(UTC), reason=reason, only=model))
    print(f"{model} dikembalikan ke {back.name}: {why}", file=sys.stderr)
    return 1


def _rollback(options: argparse.Namespace, settings: Settings) -> int:
    from praja.going_live import Servers, rollback

    servers = Servers(settings.rasa_addresses, settings.rasa_token)
    model = asyncio.run(rollback(settings.models, servers, datetime.now(UTC), reason=options.reason))
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
    from praja.bench import bench

    return asyncio.run(bench(options.seconds))


def _run(options: argparse.Namespace, settings: Settings) -> int:
    from praja.roles import run_role

    return run_role(options.role, settings)


def _migrate(options: argparse.Namespace, settings: Settings) -> int:
    from praja.database import database, migrate

    with database(settings) as url:
        migrate(url)
    return 0


def _add_user(options: argparse.Namespace, settings: Settings) -> int:
    from praja.staff import add_user

    print(asyncio.run(add_user(settings, options.username, options.name, options.role, options.agency)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
