"""The measures for those who retrain the model: a table for the terminal and one HTML page, both in Indonesian."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from nlu.measures import OUT_OF_SCOPE, Judged, reliability

__all__ = ["page", "table"]

_FIGURES = (
    ("frame_accuracy", "pesan yang seluruhnya benar"),
    ("intent_accuracy", "maksud benar"),
    ("intent_macro_f1", "maksud, F1 rata-rata"),
    ("service_top1", "layanan benar"),
    ("service_top3", "layanan benar, tiga teratas"),
    ("service_missed", "layanan terlewat"),
    ("service_invented", "layanan dikira-kira"),
    ("entity_f1", "isian, F1"),
    ("entity_precision", "isian, presisi"),
    ("entity_recall", "isian, ditemukan"),
    ("pairs_both_right", "pasangan mirip, keduanya benar"),
    ("emergency_recall", "darurat dikenali"),
    ("emergency_precision", "tanda darurat yang benar"),
    ("false_accept", "luar topik yang diterima"),
    ("false_reject", "pesan wajar yang ditolak"),
    ("scope_auroc", "luar topik, AUROC"),
    ("intent_confidence_error", "galat keyakinan maksud (ECE)"),
    ("service_confidence_error", "galat keyakinan layanan (ECE)"),
)
_SLICES = (
    ("by_group", "kelompok uji"),
    ("by_variety", "ragam bahasa"),
    ("by_length", "panjang pesan"),
    ("by_author", "penulis"),
    ("by_channel", "saluran"),
    ("by_intent", "maksud"),
)
_COLUMNS = (("intent_accuracy", "maksud"), ("service_top1", "layanan"), ("frame_accuracy", "seluruhnya"))


def table(measures: dict[str, Any]) -> str:
    """`measures["live"]`, where it is, holds those of the model that serves now: a second column."""
    compared = [measures, *filter(None, [measures.get("live")])]
    lines = [
        f"{measures['examples']} pesan diuji, dilatih dari {measures['learned_from']} contoh, {measures['seconds']:.0f} detik",
        "",
        *([f"{'':34}{'calon':>8}{'kini':>8}   kini: {measures['live']['model']}"] if len(compared) > 1 else []),
        *(
            f"{label:34}" + "".join(f"{_percent(each[name]):>8}" for each in compared)
            for name, label in _FIGURES
            if measures[name] is not None
        ),
        f"{'waktu per pesan, p50 / p95':34}{measures['latency_ms_p50']:>6.1f} / {measures['latency_ms_p95']:.1f} ms",
    ]
    for name, title in _SLICES:
        if measures[name]:
            lines += ["", f"{title:26}{'pesan':>7}" + "".join(f"{label:>12}" for _, label in _COLUMNS)]
            lines += [
                f"  {key:24}{row['examples']:>7}" + "".join(f"{_percent(row[column]):>12}" for column, _ in _COLUMNS)
                for key, row in measures[name].items()
            ]
    if measures["by_entity"]:
        lines += ["", f"{'isian':26}{'pesan':>7}{'presisi':>12}{'ditemukan':>12}{'F1':>12}"]
        lines += [
            f"  {key:24}{row['examples']:>7}"
            + "".join(f"{_percent(row[c]):>12}" for c in ("precision", "recall", "f1"))
            for key, row in measures["by_entity"].items()
        ]
    lines += ["", "paling sering tertukar"]
    lines += [f"  {each['count']:>4}  {each['intent']} → {each['taken_for']}" for each in measures["confusions"][:12]]
    return "\n".join(lines) + "\n"


def page(measures: dict[str, Any], judged: Sequence[Judged]) -> str:
    """One file that needs nothing else."""
    compared = [measures, *filter(None, [measures.get("live")])]
    parts = [
        "<!doctype html><html lang='id'><meta charset='utf-8'><title>Pemahaman Praja</title>",
        "<meta name='viewport' content='width=device-width'><style>body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;"
        "margin:2rem auto;padding:0 1rem}table{border-collapse:collapse;margin:1rem 0}td,th{padding:.2rem .8rem;"
        "border-bottom:1px solid #ccc;text-align:left}td.n{text-align:right}img{max-width:100%}</style>",
        "<h1>Seberapa baik pesan dipahami</h1>",
        f"<p>{measures['examples']} pesan diuji, dilatih dari {measures['learned_from']} contoh.</p>",
        _html_table(
            ("ukuran", "calon", "kini")[: 1 + len(compared)],
            ((label, *(_percent(each[name]) for each in compared)) for name, label in _FIGURES),
        ),
        f"<p>Waktu per pesan: p50 {measures['latency_ms_p50']} ms, p95 {measures['latency_ms_p95']} ms.</p>",
    ]
    for name, title in _SLICES:
        if measures[name]:
            rows = (
                (key, row["examples"], *(_percent(row[column]) for column, _ in _COLUMNS))
                for key, row in measures[name].items()
            )
            parts += [
                f"<h2>Menurut {title}</h2>",
                _html_table((title, "pesan", *(label for _, label in _COLUMNS)), rows),
            ]
    if measures["by_entity"]:
        rows = (
            (key, row["examples"], *(_percent(row[column]) for column in ("precision", "recall", "f1")))
            for key, row in measures["by_entity"].items()
        )
        parts += ["<h2>Isian</h2>", _html_table(("isian", "pesan", "presisi", "ditemukan", "F1"), rows)]
    parts += [
        "<h2>Keyakinan</h2><p>Makin dekat ke garis, makin dapat dipercaya angkanya.</p>",
        _picture(lambda axes: _draw_reliability(axes, judged), (5, 4)),
        "<h2>Dalam dan luar topik</h2>",
        _picture(lambda axes: _draw_scope(axes, judged), (7, 3)),
        "<h2>Maksud yang tertukar</h2>",
        _picture(lambda axes: _draw_matrix(axes, measures["matrix"]), (11, 10)),
        "<h2>Salah paling parah</h2>",
        _html_table(
            ("pesan", "seharusnya", "dikira", "yakin"),
            (
                (
                    each["text"],
                    f"{each['intent']} {each['service']}",
                    f"{each['taken_for']} {each['service_taken_for']}",
                    each["confidence"],
                )
                for each in measures["worst"]
            ),
        ),
        "</html>",
    ]
    return "\n".join(parts)


def _percent(value: Any) -> str:
    return "–" if value is None else f"{value * 100:.1f}%"


def _html_table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><tr>{''.join(f'<th>{html.escape(title)}</th>' for title in head)}</tr>{body}</table>"


def _cell(value: Any) -> str:
    written = str(value)
    kind = " class='n'" if written[-1:] == "%" or not isinstance(value, str) else ""
    return f"<td{kind}>{html.escape(written)}</td>"


def _picture(draw: Callable[[Any], None], inches: tuple[float, float]) -> str:
    # Half a second of import that a measurement without a report needn't wait for.
    from matplotlib.figure import Figure

    figure = Figure(figsize=inches, layout="constrained")
    draw(figure.add_subplot())
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=90)
    return f"<img alt='' src='data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}'>"


def _draw_reliability(axes: Any, judged: Sequence[Judged]) -> None:
    bins = reliability(judged)
    axes.plot([0, 1], [0, 1], color="#999", linestyle="--")
    axes.plot([mean for mean, _, _ in bins], [right for _, right, _ in bins], marker="o")
    for mean, right, count in bins:
        axes.annotate(str(count), (mean, right), textcoords="offset points", xytext=(5, -10), fontsize=8)
    axes.set(xlabel="keyakinan", ylabel="bagian yang benar", xlim=(0, 1), ylim=(0, 1))


def _draw_scope(axes: Any, judged: Sequence[Judged]) -> None:
    inside = [each.in_scope for each in judged if each.example.intent != OUT_OF_SCOPE]
    outside = [each.in_scope for each in judged if each.example.intent == OUT_OF_SCOPE]
    kinds = [(values, label) for values, label in ((inside, "dalam topik"), (outside, "luar topik")) if values]
    axes.hist(
        [values for values, _ in kinds],
        bins=20,
        range=(0, 1),
        density=True,
        label=[label for _, label in kinds],
    )
    axes.set(xlabel="peluang maksud terkuat di dalam topik", ylabel="kerapatan")
    axes.legend()


def _draw_matrix(axes: Any, matrix: dict[str, Any]) -> None:
    intents, counts = matrix["intents"], matrix["counts"]
    axes.imshow([[count / max(sum(row), 1) for count in row] for row in counts], cmap="Blues", vmin=0, vmax=1)
    for at, row in enumerate(counts):
        for to, count in enumerate(row):
            if count:
                axes.text(
                    to, at, str(count), ha="center", va="center", fontsize=7, color="#fff" if at == to else "#000"
                )
    axes.set_xticks(range(len(intents)), intents, rotation=90, fontsize=8)
    axes.set_yticks(range(len(intents)), intents, fontsize=8)
    axes.set(xlabel="dikira", ylabel="seharusnya")
