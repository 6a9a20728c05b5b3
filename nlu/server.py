"""Rasa's server for us: `nlu/.venv/bin/python -m nlu.server --port 5005`.

What `rasa run --enable-api` does, without the command line's imports and TensorFlow, quiet, and gone with its parent.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import logging
import os
import signal
from pathlib import Path

from journal import write_lines
from nlu.absent_tensorflow import leave_out_tensorflow

__all__ = ["main", "quieten"]

_ROOT = Path(__file__).parents[1]
_PR_SET_PDEATHSIG = 1
_YOUNG_OBJECTS = 20_000
"""between two looks for garbage in circles; Python's 700 are reached several times in a turn"""


def main() -> None:
    arguments = _parse_arguments()
    if not arguments.survive:
        _die_with_parent()
    gc.set_threshold(_YOUNG_OBJECTS)
    os.environ["RASA_TELEMETRY_ENABLED"] = "false"
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    leave_out_tensorflow()
    # Deprecations of libraries that stay as they are; filters wouldn't do, the libraries set their own.
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").setLevel(logging.ERROR)

    import rasa.core.run
    from rasa.core.utils import AvailableEndpoints

    quieten()
    rasa.core.run.serve_application(
        model_path=str(arguments.model),
        interface=arguments.host,
        port=arguments.port,
        credentials=str(_ROOT / "credentials.yml"),
        endpoints=AvailableEndpoints.read_endpoints(str(_ROOT / "endpoints.yml")),
        auth_token=os.environ.get("PRAJA_RASA_TOKEN"),
        enable_api=True,
    )


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="nlu.server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5005)
    parser.add_argument("--model", type=Path, default=_ROOT / "models", help="a model, or the folder of the newest")
    parser.add_argument("--survive", action="store_true", help="live on when the parent ends")
    return parser.parse_args()


def _die_with_parent() -> None:
    """Linux only. A parent that ended before this call is noticed by its number."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def quieten() -> None:
    from rasa.utils.common import configure_logging_and_warnings
    from rasa.utils.log_utils import configure_structlog

    configure_logging_and_warnings()
    # Unconfigured, structlog prints every debug line, and with it what citizens write.
    configure_structlog(logging.WARNING)
    write_lines("rasa", as_json=os.environ.get("PRAJA_LOG_FORMAT") != "teks")
    logging.getLogger().setLevel(logging.WARNING)
    logging.getLogger("nlu").setLevel(logging.INFO)
    # It quotes the action server's reason at every question asked within a form; failures are logged by nlu/processor.py.
    logging.getLogger("rasa.core.actions.action").setLevel(logging.CRITICAL)


if __name__ == "__main__":
    main()
