"""What the workshop shows of texts, jobs and versions. Pure: JSON in, rows and HTML out."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from ui import error_texts
from ui.client.http_client import Json
from ui.screens.workshop import lint_texts

CSS: Final = """
.findings { margin: 0; padding-left: 1.1rem; overflow-wrap: anywhere; }
.findings li { margin: .15rem 0; }
.findings b { font-weight: 600; }
.verdict { margin: .2rem 0 .3rem !important; font-weight: 600; }
.verdict.bad { color: #b91c1c; } .dark .verdict.bad { color: #fca5a5; }
.verdict.good { color: #047857; } .dark .verdict.good { color: #6ee7b7; }
.passage { margin: .5rem 0 !important; padding: .3rem .7rem; white-space: pre-wrap;
  overflow-wrap: anywhere; border-left: 3px solid var(--color-accent); font-size: .9em; }
.passage b { display: block; }
.diff { margin: 0; font: .82em/1.5 ui-monospace, monospace; white-space: pre-wrap;
  overflow-wrap: anywhere; max-height: 24rem; overflow-y: auto; }
.diff span { display: block; padding: 0 .4rem; }
.diff .plus { background: rgb(16 185 129 / .16); }
.diff .minus { background: rgb(239 68 68 / .14); }
.diff .at { opacity: .75; }
.job { padding: .45rem .8rem; border-radius: 8px; border: 1px solid var(--border-color-primary);
  overflow-wrap: anywhere; }
.job.failed { border-color: #dc2626; } .job pre { white-space: pre-wrap; margin: .3rem 0 0; }
.job .bar { height: .5rem; margin-top: .35rem; border-radius: 4px; overflow: hidden;
  background: var(--border-color-primary); }
.job .bar i { display: block; height: 100%; background: #10b981; }
.serving { margin: 0 !important; font-size: .85em; overflow-wrap: anywhere; }
.curve { width: 100%; height: auto; display: block; max-width: 46rem; }
.curve text { fill: var(--body-text-color); font-size: 11px; opacity: .85; }
.curve .grid { stroke: var(--border-color-primary); }
.curve polyline { fill: none; stroke-width: 2; stroke: #4f7fd1; }
.curve .validation_accuracy, .curve .accuracy { stroke: #d97706; fill: none; }
.curve circle { fill: #d97706; }
.job summary { cursor: pointer; }
.report { margin-top: .4rem; white-space: pre-wrap; overflow-wrap: anywhere;
  font: .82em/1.5 ui-monospace, monospace; max-height: 22rem; overflow-y: auto; }
#workshop-code .cm-gutterElement, #setup-documents .or, #setup-dialogs .or {
  color: var(--body-text-color) !important; opacity: .8; }
#workshop-job:not(:has(.job, p)) { display: none; }
/* Gradio's own words follow the browser, not the page: these follow the page. */
:is(#setup-documents, #setup-dialogs) .wrap { font-size: 0; }
:is(#setup-documents, #setup-dialogs) .wrap .or { display: none; }
:is(#setup-documents, #setup-dialogs) .wrap::after { font-size: .95rem;
  content: "Drop files here, or click to choose them"; }
:is(#setup-documents, #setup-dialogs) .wrap:lang(zh)::after {
  content: "把文件拖到这里，或点击选择"; }
#workshop-history td, #workshop-versions td { font-size: .85rem; }
"""
_WIDE, _HIGH, _LEFT, _FOOT = 640, 200, 46, 24
_SPAN: Final = 0.1  # that an axis covers at least: what changes little shall look so
_SHOWN: Final = 60  # passages, articles
Words = Mapping[str, str]


def findings(checked: Json, said: Words, tongue: str) -> str:
    """Return what is to be mended and what is worth a look, with lines."""
    groups = (("unfit", "error", "bad"), ("warnings", "warning", ""))
    parts = []
    for title, severity, look in groups:
        found = [one for one in checked["problems"] if one["severity"] == severity]
        if found:
            items = "".join(f"<li>{_finding(one, said, tongue)}</li>" for one in found)
            parts.append(f"<p class='verdict {look}'>{escape(said[title])}</p>")
            parts.append(f"<ul class='findings'>{items}</ul>")
    return "".join(parts) or f"<p class='verdict good'>✓ {escape(said['checked'])}</p>"


def _finding(one: Json, said: Words, tongue: str) -> str:
    line = f"<b>{escape(said['line'].format(n=one['line']))}</b> " if one["line"] else ""
    return line + escape(error_texts.finding(one, tongue))


def passages(checked: Json, said: Words) -> str:
    """Return the passages an article would be cut into."""
    found = checked["passages"]
    if not found:
        return ""
    title = escape(said["passages"].format(n=len(found)))
    shown = "".join(
        f"<p class='passage'><b>{escape(one['heading'])}</b>{escape(one['text'])}</p>"
        for one in found[:_SHOWN]
    )
    return f"<p class='legend'>{title}</p>{shown}"


def difference(text: str, said: Words) -> str:
    """Return a unified difference in colours."""
    if not text:
        return f"<p class='quiet'>{escape(said['same'])}</p>"
    looks = {"+": "plus", "-": "minus", "@": "at"}
    lines = "".join(
        f"<span class='{looks.get(line[:1], '')}'>{escape(line) or ' '}</span>"
        for line in text.splitlines()[2:]
    )
    title = escape(said["difference"])
    return f"<p class='legend'>{title}</p><div class='diff' tabindex='0'>{lines}</div>"


def history(found: Sequence[Json]) -> list[list[str]]:
    """Return the rows of publications."""
    return [
        [
            one["at"][:16].replace("T", " "),
            one["who"],
            one["path"],
            f"+{one['added']} −{one['removed']}",
            one["note"] or (f"← {one['reverts']}" if one["reverts"] else ""),
            one["id"],
        ]
        for one in found
    ]


def choices(found: Sequence[Json], said: Words) -> list[tuple[str, str]]:
    """Return the texts to choose from: drafts and articles below the files every home has."""
    short = {"article": "kb/", "draft": "drafts/", "templates": "templates/"}
    return [
        (f"{said[one['kind']]} · {one['path'].removeprefix(short.get(one['kind'], ''))}", path)
        for one in found
        if (path := one["path"])
    ]


def serving(status: Json, said: Words) -> str:
    """Return in a line what is served, and what is active and not served yet."""
    active, served = status["active"], status["served"]
    late = [active[kind] for kind in ("model", "knowledge") if active[kind] != served[kind]]
    parts = [said["serves"].format(**{k: served[k] or said["none"] for k in active})]
    if late:
        parts.append(said["not_yet"].format(names=", ".join(filter(None, late))))
    return f"<p class='serving quiet'>{escape(' · '.join(parts))}</p>"


def job(status: Json, said: Words, tongue: str) -> str:
    """Return what is being done, how far it is, or how the last job ended."""
    one = status["job"]
    due = f"<p class='quiet'>{escape(said['due'])}</p>" if status["due"] else ""
    if one is None:
        return due
    named = {"task": said[f"{one['task']}_task"], "step": said.get(one["step"], one["step"])}
    named["at"] = (one["ended"] or "")[11:16]
    line = escape(said[f"job_{one['state']}"].format(**named))
    if one["state"] == "running":
        share = 100 * one["done"] / one["total"] if one["total"] else 0
        counted = f" {one['done']}/{one['total']}" if one["total"] else ""
        body = (
            f"<div class='bar' role='progressbar' aria-label='{line}' aria-valuenow='{share:.0f}'>"
            f"<i style='width:{share:.0f}%'></i></div>"
        )
        return f"{due}<div class='job running'>{line}{counted}{body}</div>"
    body = _result(one, said, tongue)
    if one["error"]:
        body = f"<pre>{escape(error_texts.failed(one, tongue))}</pre>"
    return f"{due}<div class='job {one['state']}'>{line}{body}</div>"


def _result(one: Json, said: Words, tongue: str) -> str:
    found = one["result"]
    if not found:
        return ""
    if one["task"] == "check":
        first, _, rest = lint_texts.report(found, tongue).partition("\n")
        more = f"<div class='report' tabindex='0'>{escape(rest.strip())}</div>" if rest else ""
        return f"<details><summary>{escape(first)}</summary>{more}</details>"
    accuracy = found.get("accuracy")
    told = {**found, "accuracy": "–" if accuracy is None else f"{accuracy:.1%}"}
    line = escape(said[f"{one['task']}_result"].format(**told))
    failed = [error_texts.unread(file, tongue) for file in found.get("failed", ())]
    more = escape(said["failed_files"].format(files="; ".join(failed))) if failed else ""
    return f"<p class='quiet'>{line}</p>" + (f"<p>{more}</p>" if more else "")


def versions(found: Sequence[Json], said: Words) -> list[list[str]]:
    """Return the rows of versions, the latest first."""
    return [
        [
            "●" if one["active"] else "",
            one["id"],
            said.get(one["kind"], one["kind"]),
            (one["created"] or "–")[:16].replace("T", " "),
            measured(one["metrics"], said),
        ]
        for one in reversed(found)
    ]


def measured(metrics: Mapping[str, float | None], said: Words) -> str:
    """Return metrics in a line: shares with three digits, counts as they are."""
    parts = [
        f"{_fact(name, said)} {_value(value)}"
        for name, value in metrics.items()
        if value is not None
    ]
    return ", ".join(parts)


def _fact(name: str, said: Words) -> str:
    return said.get(f"fact_{name}", name.replace("_", " "))


def version(one: Json, said: Words) -> str:
    """Return what is known of a version."""
    facts = {"": one["id"], **one["details"], **one["metrics"]}
    rows = "".join(
        f"<dt>{escape(_fact(str(name), said))}</dt><dd>{escape(_value(value))}</dd>"
        for name, value in facts.items()
        if name and value is not None
    )
    parts = [f"<p class='legend'>{escape(said['details'])}</p><dl class='facts'>{rows}</dl>"]
    if one["curve"]:
        parts.append(curve(one["curve"], said))
    elif one["kind"] == "models":
        parts.append(f"<p class='quiet'>{escape(said['no_curve'])}</p>")
    for name, title in (("added", "added"), ("changed", "changed"), ("removed", "gone")):
        articles = one["changes"].get(name, ())
        if articles:
            shown = ", ".join(articles[:_SHOWN]) + (" …" if len(articles) > _SHOWN else "")
            parts.append(f"<p class='legend'>{escape(said[title])} ({len(articles)})</p>")
            parts.append(f"<p class='quiet'>{escape(shown)}</p>")
    return "".join(parts)


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def curve(series: Mapping[str, Sequence[Sequence[float]]], said: Words) -> str:
    """Return the plots of a training: each series below the other, on the same steps."""
    last = max(point[0] for points in series.values() for point in points) or 1
    plots = "".join(
        _plot(name, points, last, said) for name, points in sorted(series.items()) if name in said
    )
    return f"<p class='legend'>{escape(said['curve'])}</p>{plots}"


def trend(found: Sequence[Json], said: Words) -> str:
    """Return the accuracy of one model after the other; nothing for less than two."""
    known = [one["metrics"].get("accuracy") for one in found if one["kind"] == "models"]
    values = [value for value in known if value is not None]
    if len(values) < 2:  # noqa: PLR2004 — one point is no line
        return ""
    points = list(enumerate(values, 1))
    return _plot("accuracy", points, len(points), said, unit="")


def _plot(
    name: str,
    points: Sequence[Sequence[float]],
    last: float,
    said: Words,
    unit: str | None = None,
) -> str:
    values = [point[1] for point in points]
    low, high = min(values), max(values)
    room = max((high - low) * 0.08, (_SPAN - (high - low)) / 2)
    low, high = low - room, high + room
    tall = _HIGH - _FOOT - 10

    def place(point: Sequence[float]) -> tuple[float, float]:
        x = _LEFT + (_WIDE - _LEFT - 12) * point[0] / last
        return x, 10 + tall * (high - point[1]) / (high - low)

    dots = [place(point) for point in points]
    drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in dots)
    marks = ""
    if len(dots) <= 40:  # noqa: PLR2004 — more dots would be a band
        marks = "".join(f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3'/>" for x, y in dots)
    grid = "".join(
        f"<line class='grid' x1='{_LEFT}' x2='{_WIDE}' y1='{10 + tall * share:.1f}'"
        f" y2='{10 + tall * share:.1f}'/><text x='{_LEFT - 6}' y='{14 + tall * share:.1f}'"
        f" text-anchor='end'>{high - (high - low) * share:.3f}</text>"
        for share in (0.0, 0.5, 1.0)
    )
    title = escape(said.get(name, said["trend"]))
    foot = f"{last:g} {said['steps'] if unit is None else unit}"
    return (
        f"<svg class='curve' viewBox='0 0 {_WIDE} {_HIGH}' role='img' aria-label='{title}'>{grid}"
        f"<polyline class='{escape(name)}' points='{drawn}'/>{marks}"
        f"<text x='{_LEFT}' y='{_HIGH - 4}'>{title}</text>"
        f"<text x='{_WIDE}' y='{_HIGH - 4}' text-anchor='end'>{escape(foot)}</text></svg>"
    )


def files(found: Json, said: Words) -> str:
    """Return the files that a home is built from."""
    rows = "".join(
        f"<dt>{escape(said[title].partition('. ')[2])}</dt><dd>{_names(found[shelf], said)}</dd>"
        for shelf, title in (("articles", "documents"), ("dialogs", "dialogs"))
    )
    return f"<p class='legend'>{escape(said['files'])}</p><dl class='facts'>{rows}</dl>"


def _names(found: Sequence[Json], said: Words) -> str:
    names = [one["path"].partition("/")[2] for one in found]
    shown = ", ".join(names[:_SHOWN]) + (f" … ({len(names)})" if len(names) > _SHOWN else "")
    return escape(shown or said["no_files"])
