"""Rows and HTML of texts, jobs and versions. Pure functions of JSON."""

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
/* Gradio's own texts follow the browser's language; these follow the page's. */
:is(#setup-documents, #setup-dialogs) .wrap { font-size: 0; }
:is(#setup-documents, #setup-dialogs) .wrap .or { display: none; }
:is(#setup-documents, #setup-dialogs) .wrap::after { font-size: .95rem;
  content: "Drop files here, or click to choose them"; }
:is(#setup-documents, #setup-dialogs) .wrap:lang(zh)::after {
  content: "把文件拖到这里，或点击选择"; }
#workshop-history td, #workshop-versions td { font-size: .85rem; }
"""
_WIDTH, _HEIGHT, _LEFT, _FOOT = 640, 200, 46, 24
_SPAN: Final = 0.1  # of an axis at least, so that small changes look small
_MAX_LISTED: Final = 60  # passages, articles
Texts = Mapping[str, str]


def check_html(result: Json, texts: Texts, locale: str) -> tuple[str, str]:
    """Return the problems of a check, and its preview: the difference and the passages."""
    preview = passages_html(result, texts)
    if "difference" in result:
        preview = difference_html(result["difference"], texts) + preview
    return problems_html(result, texts, locale), preview


def problems_html(result: Json, texts: Texts, locale: str) -> str:
    """Return the errors and warnings of a check, with their lines."""
    groups = (("unfit", "error", "bad"), ("warnings", "warning", ""))
    parts = []
    for title, severity, css_class in groups:
        problems = [problem for problem in result["problems"] if problem["severity"] == severity]
        if problems:
            items = "".join(f"<li>{_problem(problem, texts, locale)}</li>" for problem in problems)
            parts.append(f"<p class='verdict {css_class}'>{escape(texts[title])}</p>")
            parts.append(f"<ul class='findings'>{items}</ul>")
    return "".join(parts) or f"<p class='verdict good'>✓ {escape(texts['checked'])}</p>"


def _problem(problem: Json, texts: Texts, locale: str) -> str:
    line = f"<b>{escape(texts['line'].format(n=problem['line']))}</b> " if problem["line"] else ""
    return line + escape(error_texts.problem_text(problem, locale))


def passages_html(result: Json, texts: Texts) -> str:
    """Return the passages that an article would be split into."""
    passages = result["passages"]
    if not passages:
        return ""
    title = escape(texts["passages"].format(n=len(passages)))
    html = "".join(
        f"<p class='passage'><b>{escape(passage['heading'])}</b>{escape(passage['text'])}</p>"
        for passage in passages[:_MAX_LISTED]
    )
    return f"<p class='legend'>{title}</p>{html}"


def difference_html(text: str, texts: Texts) -> str:
    """Return a unified difference with coloured lines."""
    if not text:
        return f"<p class='quiet'>{escape(texts['same'])}</p>"
    css_classes = {"+": "plus", "-": "minus", "@": "at"}
    lines = "".join(
        f"<span class='{css_classes.get(line[:1], '')}'>{escape(line) or ' '}</span>"
        for line in text.splitlines()[2:]
    )
    title = escape(texts["difference"])
    return f"<p class='legend'>{title}</p><div class='diff' tabindex='0'>{lines}</div>"


def publication_rows(publications: Sequence[Json]) -> list[list[str]]:
    """Return the rows of publications."""
    return [
        [
            publication["at"][:16].replace("T", " "),
            publication["who"],
            publication["path"],
            f"+{publication['added']} −{publication['removed']}",
            publication["note"]
            or (f"← {publication['reverts']}" if publication["reverts"] else ""),
            publication["id"],
        ]
        for publication in publications
    ]


def text_choices(texts: Sequence[Json], labels: Texts) -> list[tuple[str, str]]:
    """Return texts as choices, with their kinds."""
    prefixes = {"article": "kb/", "draft": "drafts/", "templates": "templates/"}
    return [
        (
            f"{labels[text['kind']]} · {text['path'].removeprefix(prefixes.get(text['kind'], ''))}",
            path,
        )
        for text in texts
        if (path := text["path"])
    ]


def serving_html(status: Json, texts: Texts) -> str:
    """Return a line with the served versions, and the active ones not served yet."""
    active, served = status["active"], status["served"]
    pending = [active[kind] for kind in ("model", "knowledge") if active[kind] != served[kind]]
    parts = [texts["serves"].format(**{k: served[k] or texts["none"] for k in active})]
    if pending:
        parts.append(texts["not_yet"].format(names=", ".join(filter(None, pending))))
    return f"<p class='serving quiet'>{escape(' · '.join(parts))}</p>"


def job_html(status: Json, texts: Texts, locale: str) -> str:
    """Return the progress of the running job, or the result of the last one."""
    job = status["job"]
    due_html = f"<p class='quiet'>{escape(texts['due'])}</p>" if status["due"] else ""
    if job is None:
        return due_html
    names = {"task": texts[f"{job['task']}_task"], "step": texts.get(job["step"], job["step"])}
    names["at"] = (job["ended"] or "")[11:16]
    line = escape(texts[f"job_{job['state']}"].format(**names))
    if job["state"] == "running":
        share = 100 * job["done"] / job["total"] if job["total"] else 0
        counted = f" {job['done']}/{job['total']}" if job["total"] else ""
        body = (
            f"<div class='bar' role='progressbar' aria-label='{line}' aria-valuenow='{share:.0f}'>"
            f"<i style='width:{share:.0f}%'></i></div>"
        )
        return f"{due_html}<div class='job running'>{line}{counted}{body}</div>"
    body = _result(job, texts, locale)
    if job["error"]:
        body = f"<pre>{escape(error_texts.job_error_text(job, locale))}</pre>"
    return f"{due_html}<div class='job {job['state']}'>{line}{body}</div>"


def _result(job: Json, texts: Texts, locale: str) -> str:
    result = job["result"]
    if not result:
        return ""
    if job["task"] == "check":
        first, _, rest = lint_texts.report(result, locale).partition("\n")
        more = f"<div class='report' tabindex='0'>{escape(rest.strip())}</div>" if rest else ""
        return f"<details><summary>{escape(first)}</summary>{more}</details>"
    accuracy = result.get("accuracy")
    facts = {**result, "accuracy": "–" if accuracy is None else f"{accuracy:.1%}"}
    line = escape(texts[f"{job['task']}_result"].format(**facts))
    failed = [error_texts.unread_file_text(file, locale) for file in result.get("failed", ())]
    more = escape(texts["failed_files"].format(files="; ".join(failed))) if failed else ""
    return f"<p class='quiet'>{line}</p>" + (f"<p>{more}</p>" if more else "")


def version_rows(versions: Sequence[Json], texts: Texts) -> list[list[str]]:
    """Return the rows of versions, the latest first."""
    return [
        [
            "●" if version["active"] else "",
            version["id"],
            texts.get(version["kind"], version["kind"]),
            (version["created"] or "–")[:16].replace("T", " "),
            metrics_line(version["metrics"], texts),
        ]
        for version in reversed(versions)
    ]


def metrics_line(metrics: Mapping[str, float | None], texts: Texts) -> str:
    """Return a line of metrics: shares with three digits, counts as they are."""
    parts = [
        f"{_fact(name, texts)} {_value(value)}"
        for name, value in metrics.items()
        if value is not None
    ]
    return ", ".join(parts)


def _fact(name: str, texts: Texts) -> str:
    return texts.get(f"fact_{name}", name.replace("_", " "))


def version_html(version: Json, texts: Texts) -> str:
    """Return the details of a version."""
    facts = {"": version["id"], **version["details"], **version["metrics"]}
    rows = "".join(
        f"<dt>{escape(_fact(str(name), texts))}</dt><dd>{escape(_value(value))}</dd>"
        for name, value in facts.items()
        if name and value is not None
    )
    parts = [f"<p class='legend'>{escape(texts['details'])}</p><dl class='facts'>{rows}</dl>"]
    if version["curve"]:
        parts.append(curve_html(version["curve"], texts))
    elif version["kind"] == "models":
        parts.append(f"<p class='quiet'>{escape(texts['no_curve'])}</p>")
    for name, title in (("added", "added"), ("changed", "changed"), ("removed", "gone")):
        articles = version["changes"].get(name, ())
        if articles:
            names = ", ".join(articles[:_MAX_LISTED]) + (
                " …" if len(articles) > _MAX_LISTED else ""
            )
            parts.append(f"<p class='legend'>{escape(texts[title])} ({len(articles)})</p>")
            parts.append(f"<p class='quiet'>{escape(names)}</p>")
    return "".join(parts)


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def curve_html(series: Mapping[str, Sequence[Sequence[float]]], texts: Texts) -> str:
    """Return the plots of a training, one below the other, with the same steps."""
    last = max(point[0] for points in series.values() for point in points) or 1
    plots = "".join(
        _plot(name, points, last, texts) for name, points in sorted(series.items()) if name in texts
    )
    return f"<p class='legend'>{escape(texts['curve'])}</p>{plots}"


def trend_html(versions: Sequence[Json], texts: Texts) -> str:
    """Return a plot of the models' accuracy; an empty string for fewer than two."""
    accuracies = [
        version["metrics"].get("accuracy") for version in versions if version["kind"] == "models"
    ]
    values = [value for value in accuracies if value is not None]
    if len(values) < 2:  # noqa: PLR2004 — one point is no line
        return ""
    points = list(enumerate(values, 1))
    return _plot("accuracy", points, len(points), texts, unit="")


def _plot(
    name: str,
    points: Sequence[Sequence[float]],
    last: float,
    texts: Texts,
    unit: str | None = None,
) -> str:
    values = [point[1] for point in points]
    low, high = min(values), max(values)
    margin = max((high - low) * 0.08, (_SPAN - (high - low)) / 2)
    low, high = low - margin, high + margin
    height = _HEIGHT - _FOOT - 10

    def place(point: Sequence[float]) -> tuple[float, float]:
        x = _LEFT + (_WIDTH - _LEFT - 12) * point[0] / last
        return x, 10 + height * (high - point[1]) / (high - low)

    dots = [place(point) for point in points]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in dots)
    marks = ""
    if len(dots) <= 40:  # noqa: PLR2004 — more dots would be a band
        marks = "".join(f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3'/>" for x, y in dots)
    grid = "".join(
        f"<line class='grid' x1='{_LEFT}' x2='{_WIDTH}' y1='{10 + height * share:.1f}'"
        f" y2='{10 + height * share:.1f}'/><text x='{_LEFT - 6}' y='{14 + height * share:.1f}'"
        f" text-anchor='end'>{high - (high - low) * share:.3f}</text>"
        for share in (0.0, 0.5, 1.0)
    )
    title = escape(texts.get(name, texts["trend"]))
    footer = f"{last:g} {texts['steps'] if unit is None else unit}"
    return (
        f"<svg class='curve' viewBox='0 0 {_WIDTH} {_HEIGHT}' role='img' aria-label='{title}'>"
        f"{grid}"
        f"<polyline class='{escape(name)}' points='{line}'/>{marks}"
        f"<text x='{_LEFT}' y='{_HEIGHT - 4}'>{title}</text>"
        f"<text x='{_WIDTH}' y='{_HEIGHT - 4}' text-anchor='end'>{escape(footer)}</text></svg>"
    )


def files_html(files: Json, texts: Texts) -> str:
    """Return the files of the home from which versions are built."""
    rows = "".join(
        f"<dt>{escape(texts[title].partition('. ')[2])}</dt>"
        f"<dd>{_list_names(files[group], texts)}</dd>"
        for group, title in (("articles", "documents"), ("dialogs", "dialogs"))
    )
    return f"<p class='legend'>{escape(texts['files'])}</p><dl class='facts'>{rows}</dl>"


def _list_names(files: Sequence[Json], texts: Texts) -> str:
    names = [file["path"].partition("/")[2] for file in files]
    listed = ", ".join(names[:_MAX_LISTED]) + (
        f" … ({len(names)})" if len(names) > _MAX_LISTED else ""
    )
    return escape(listed or texts["no_files"])
