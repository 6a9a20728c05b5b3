"""The ready-made deployments are valid, and start what Praja knows."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from praja.command import ROLES
from praja.settings import ROOT, Settings

_COMPOSE = ROOT / "compose.yaml"
_UNITS = sorted((ROOT / "ops" / "systemd").iterdir())
_RESOURCES = [
    resource
    for file in sorted((ROOT / "ops" / "kubernetes").glob("*.yaml"))
    for resource in yaml.safe_load_all(file.read_text(encoding="utf-8"))
]
_COMMANDS = ("up", "migrate", "train")


def test_compose_file_is_valid() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(_COMPOSE)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize("resource", _RESOURCES, ids=lambda one: f"{one['kind']} {one['metadata']['name']}")
def test_kubernetes_resource_is_valid(resource: dict[str, Any]) -> None:
    kubernetes_validate.validate(resource, "1.37", strict=True)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze isn't here")
def test_systemd_units_are_valid(tmp_path: Path) -> None:
    for unit in _UNITS:
        # The program and the folders are where they are installed, not here.
        text = re.sub(r"/opt/praja/\.venv/bin/praja", "/bin/true", unit.read_text(encoding="utf-8"))
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    command = ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / unit.name) for unit in _UNITS)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not [line for line in found.stderr.splitlines() if str(tmp_path) in line], found.stderr
    assert found.returncode == 0, found.stderr


def test_only_known_commands_and_settings_are_used() -> None:
    known = {f"PRAJA_{name.upper()}" for name in Settings.model_fields}
    compose = yaml.safe_load(_COMPOSE.read_text(encoding="utf-8"))
    started = [one["command"] for one in compose["services"].values() if one.get("image") == "praja"]
    used = set(compose["x-praja"]["environment"])
    for resource in _RESOURCES:
        started += [container["args"] for container in _containers(resource)]
        used |= set(resource["data"]) if resource["kind"] == "ConfigMap" else set()
    for words in started:
        assert words[0] in _COMMANDS or (words[0] == "run" and words[1] in ROLES), words
    assert used <= known


def _containers(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    pod = resource.get("spec", {}).get("template", {}).get("spec", {})
    yield from pod.get("containers", ())
