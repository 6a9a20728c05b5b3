"""`praja`: the command line."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence

from praja.database import DatabaseUnfit
from praja.postgres import HomeUnfit
from praja.settings import Settings, SettingsUnfit, load_settings
from praja.staff import UserUnfit
from praja.supervisor import PartFailed, PortTaken
from praja.training import TrainingFailed

__all__ = ["main"]

ROLES = ("bot", "worker", "sender", "backend", "actions", "rasa", "console")


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace, Settings], int] = options.run
    try:
        return run(options, load_settings())
    except (DatabaseUnfit, HomeUnfit, PartFailed, PortTaken, SettingsUnfit, TrainingFailed, UserUnfit) as problem:
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
    evaluate.set_defaults(run=_evaluate)

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

    print(train(lambda text: print(text, file=sys.stderr)))
    return 0


def _evaluate(options: argparse.Namespace, settings: Settings) -> int:
    from praja.training import evaluate

    return evaluate()


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
