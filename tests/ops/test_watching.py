"""Alerts, dashboard and runbook speak of what there is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import generate_latest

from bot.metrics import Metrics

_ROOT = Path(__file__).parents[2]
_ALERTS = _ROOT / "ops" / "alerts.yml"
_RUNBOOK = (_ROOT / "docs" / "runbook.md").read_text("utf-8")
_NAME = re.compile(r"\bpraja_[a-z_]+")
_RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(_ALERTS.read_text("utf-8"))["groups"] for rule in group["rules"]
]
_DASHBOARD = json.loads((_ROOT / "ops" / "grafana.json").read_text("utf-8"))
_PANELS: list[dict[str, Any]] = _DASHBOARD["panels"]


def _given() -> set[str]:
    """Every name that a scrape may hold."""
    types = re.findall(r"^# TYPE (\S+) (\S+)$", generate_latest(Metrics().registry).decode(), re.MULTILINE)
    names = {name for name, _ in types}
    return names | {
        f"{name}_{part}" for name, kind in types if kind == "histogram" for part in ("bucket", "count", "sum")
    }


@pytest.mark.parametrize("rule", _RULES, ids=lambda rule: rule["alert"])
def test_an_alert_is_of_a_metric_and_has_its_page(rule: dict[str, Any]) -> None:
    used = set(_NAME.findall(rule["expr"]))
    assert used <= _given()
    assert used or rule["expr"].startswith("up{")
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"
    section = re.search(rf"^## {rule['alert']}\n\n(.+?)(?=^## |\Z)", _RUNBOOK, re.MULTILINE | re.DOTALL)
    assert section is not None, "no section in the runbook"
    assert len(section[1]) > 150


@pytest.mark.parametrize("panel", _PANELS, ids=lambda panel: panel["title"])
def test_a_panel_shows_a_metric(panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        used = set(_NAME.findall(target["expr"]))
        assert used
        assert used <= _given()


def test_every_metric_is_shown_somewhere() -> None:
    shown = set(_NAME.findall(json.dumps(_PANELS)))
    for name in re.findall(r"^# TYPE (\S+) ", generate_latest(Metrics().registry).decode(), re.MULTILINE):
        # A counter's second line tells when it began.
        assert name.endswith("_created") or any(each.startswith(name) for each in shown), name


def test_panels_do_not_lie_on_each_other() -> None:
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in _PANELS]
    assert len(set(places)) == len(places)
    assert len({panel["id"] for panel in _PANELS}) == len(_PANELS)


def test_the_runbook_speaks_of_no_other_alert_or_metric() -> None:
    alerts = {rule["alert"] for rule in _RULES}
    assert set(re.findall(r"^## (\S+)$", _RUNBOOK, re.MULTILINE)) == alerts
    assert set(_NAME.findall(_RUNBOOK)) <= _given()
    assert set(re.findall(r"`(Praja[A-Z]\w+)`", _RUNBOOK)) <= alerts


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool isn't installed (Debian: apt-get install prometheus)"
)
def test_prometheus_reads_the_rules() -> None:
    said = subprocess.run(["promtool", "check", "rules", str(_ALERTS)], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
