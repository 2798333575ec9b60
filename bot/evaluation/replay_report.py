"""The replay's HTML report: one self-contained file with a plot."""

import base64
import io
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Any

from bot.core.types import CarelineError, ServingVersions
from bot.evaluation.replay import ReplayResult


def write(replayed: ReplayResult, path: Path, versions: ServingVersions) -> None:
    """Write the report; raise CarelineError when the file cannot be written."""
    from jinja2 import Environment

    source = (resources.files("bot.evaluation") / "report.html.j2").read_text(encoding="utf-8")
    template = Environment(autoescape=True).from_string(source)
    html = template.render(
        summary=replayed.summary(),
        differences=replayed.differences,
        plot=_plot(replayed),
        versions=asdict(versions),
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(html, encoding="utf-8")
    except OSError as error:
        message = f"the report {path} cannot be written: {error.strerror}"
        raise CarelineError(message) from error


def _plot(replayed: ReplayResult) -> str:
    """Return a PNG in base64 with the routes of messages and the accuracy."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    summary = replayed.summary()
    figure, (routes_axis, rates_axis) = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
    routes = sorted(summary["routes"].items(), key=lambda item: item[1])
    routes_axis.barh([name for name, _ in routes], [count for _, count in routes], color="#2f6f5e")
    routes_axis.set_title("Where customer messages went")
    routes_axis.set_xlabel("messages")
    rates = _rates(summary)
    rates_axis.barh([name for name, _ in rates], [rate for _, rate in rates], color="#c77d2e")
    rates_axis.set_xlim(0, 1)
    rates_axis.set_title("Against the annotations")
    for number, (_, rate) in enumerate(rates):
        rates_axis.text(min(rate, 0.86) + 0.02, number, f"{rate:.2f}", va="center")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    plt.close(figure)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _rates(summary: dict[str, Any]) -> list[tuple[str, float]]:
    rates = (
        ("unneeded hand-offs", summary["handoff"]["unneeded"]),
        ("hand-off recall", summary["handoff"]["recall"]),
        ("reply agreement", summary["reply_agreement"]),
        ("route accuracy", summary["route"]["accuracy"]),
        ("intent accuracy", summary["intent"]["accuracy"]),
    )
    return [(name, rate) for name, rate in rates if rate is not None]
