"""What is said at the terminal of whatever ended a command."""

from __future__ import annotations

__all__ = ["sentence"]


def sentence(problem: Exception) -> str:
    """Indonesian, without a traceback: what it quotes may be a citizen's."""
    # Only now, since nobody else needs all the rooms at once.
    import psycopg
    import yaml
    from sqlalchemy.exc import SQLAlchemyError

    from bot.fault import fault
    from identity import redact

    match problem:
        case _ if isinstance(problem, _said()):
            return str(problem)
        case psycopg.Error() | SQLAlchemyError():
            why = str(getattr(problem, "orig", None) or problem).partition("\n")[0]
            return f"Basis data tidak bisa dipakai: {redact(why)}. Periksa PRAJA_DATABASE_URL dan server itu."
        case yaml.YAMLError():
            return f"Berkas di data/ bukan YAML yang sah ({fault(problem)}): {problem}"
        case OSError() if why := problem.strerror or str(problem):
            where = f"{problem.filename}: " if problem.filename else ""
            return f"Gagal: {where}{why}."
        case _:
            return f"Kesalahan yang tidak terduga ({fault(problem)}); laporkan kepada pengembang."


def _said() -> tuple[type[Exception], ...]:
    """Problems whose message is all that the one at the terminal needs."""
    from backend.catalogue import CatalogueError
    from bot.desk.agencies import DeskUnfit
    from bot.texts import TextsUnfit
    from console.reasons import ReasonsUnfit
    from console.replies import RepliesUnfit
    from console.review.labels import LabelsUnfit
    from console.training.schedule import ScheduleUnfit
    from learning.live_model import LiveModelBusy, LiveModelUnreadable
    from learning.training_file import TrainingFileUnfit
    from praja.backup import BackupUnfit
    from praja.check import CheckFailed
    from praja.database import DatabaseUnfit
    from praja.dataset import DatasetUnfit
    from praja.going_live import NotLive
    from praja.postgres import HomeUnfit
    from praja.sealed_columns import RotationFailed
    from praja.settings import SettingsUnfit
    from praja.staff import UserUnfit
    from praja.supervisor import PartFailed, PortTaken
    from praja.training import TrainingFailed

    return (
        *(BackupUnfit, CatalogueError, CheckFailed, DatabaseUnfit, DatasetUnfit, DeskUnfit, HomeUnfit, LabelsUnfit),
        *(LiveModelBusy, LiveModelUnreadable, NotLive, PartFailed, PortTaken, ReasonsUnfit, RepliesUnfit),
        *(RotationFailed, ScheduleUnfit, SettingsUnfit, TextsUnfit, TrainingFailed, TrainingFileUnfit, UserUnfit),
    )
