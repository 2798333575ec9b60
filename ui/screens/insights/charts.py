"""Charts as SVG: they follow the theme's colours and need no script."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from ui.client.http_client import Json

OUTCOMES: Final = ("confirmed", "assumed", "abandoned", "unhappy", "handoff")
_WIDTH, _HEIGHT, _LEFT, _FOOT = 960, 230, 36, 22
_TOPICS: Final = {"intent": 10, "discovered": 8}  # rows of each kind
_LABEL: Final = 190  # width of the topics' names
_CELL: Final = 22
_LETTERS: Final = 28  # of a topic's name
_WIDE: Final = "\u2e80"  # characters from here on are as wide as two letters
_BUTTON: Final = 'role="button" tabindex="0"'
# A click on a mark, or Enter or space on one with the focus, shows its conversations.
CLICKS: Final = """
const open = mark => mark && trigger('click', {...mark.dataset});
element.addEventListener('click', event => open(event.target.closest('[data-figure]')));
element.addEventListener('keydown', event => {
  if (event.key !== 'Enter' && event.key !== ' ') return;
  const mark = event.target.closest('[data-figure]');
  if (mark) event.preventDefault();
  open(mark);
});
"""

CSS: Final = """
.filters { align-items: end; }
.figures button { display: block; min-width: 8.5rem; white-space: pre-line; text-align: left;
  line-height: 1.35;
  font-weight: 500; padding: .7rem .9rem; border-radius: 10px; }
.figures button::first-line { font-size: 1.55em; font-weight: 650; }
.chart { margin: .25rem 0 1rem; overflow-x: auto; }
.chart h2 { font-size: .95rem; font-weight: 600; margin: 0 0 .4rem; }
.chart svg { width: 100%; min-width: 34rem; height: auto; display: block; }
.chart text { fill: var(--body-text-color); font-size: 11px; opacity: .8; }
.chart .grid { stroke: var(--border-color-primary); stroke-width: 1; }
.chart .confirmed { fill: #059669; } .chart .assumed { fill: #6ee7b7; }
.chart .abandoned { fill: #fbbf24; } .chart .unhappy { fill: #f87171; }
.chart .handoff { fill: #818cf8; }
.chart [data-figure] { cursor: pointer; }
.chart [role="button"]:is(:hover, :focus-visible) { text-decoration: underline; }
.chart text.kind { font-weight: 600; opacity: 1; }
.chart .none { fill: var(--border-color-primary); opacity: .35; }
.chart .mood { fill: #dc2626; }
.legend-row { display: flex; flex-wrap: wrap; gap: .3rem 1rem; font-size: .85em; }
.chart .legend-row svg { width: .8em; min-width: .8em; height: .8em; display: inline;
  margin-right: .35em; }
.bars { display: grid; grid-template-columns: max-content 1fr max-content; gap: .45rem .7rem;
  align-items: center; font-size: .9em; }
.bars span:nth-child(3n) { font-variant-numeric: tabular-nums; text-align: right; }
.bars i { display: block; height: .8rem; border-radius: 4px; background: #10b981; }
:is(#insights-intents, #insights-articles) :is(th, .body-cell) { font-size: .8rem; }
.alarm { border-left: 4px solid #dc2626; padding: .5rem .9rem; border-radius: 6px;
  background: rgb(220 38 38 / .08); }
"""


def outcomes_chart(days: Sequence[Json], texts: Mapping[str, str]) -> str:
    """Return a stacked bar for each day, by the outcomes of conversations."""
    most = max((day["conversations"] for day in days), default=0) or 1
    top = _axis_top(most)
    step = (_WIDTH - _LEFT) / max(len(days), 1)
    width = max(step * 0.78, 1.0)
    scale = (_HEIGHT - _FOOT - 8) / top
    parts = []
    for share in (0.0, 0.5, 1.0):
        y = _HEIGHT - _FOOT - share * top * scale
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{share * top:g}</text>'
        )
    for number, day in enumerate(days):
        x = _LEFT + number * step + (step - width) / 2
        y = float(_HEIGHT - _FOOT)
        counts = ", ".join(
            f"{day['outcomes'][name]} {outcome_label(name, texts)}" for name in OUTCOMES
        )
        parts.append(f"<g><title>{day['day']}: {escape(counts)}</title>")
        for name in OUTCOMES:
            height = day["outcomes"][name] * scale
            y -= height
            if height:
                link = _link("outcome", name, outcome_label(name, texts), day["day"])
                parts.append(
                    f'<rect class="{name}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}"'
                    f' height="{height:.1f}" {link}/>'
                )
        parts.append("</g>")
        if number % max(1, len(days) // 8) == 0:
            middle = x + width / 2
            parts.append(
                f'<text x="{middle:.1f}" y="{_HEIGHT - 6}" text-anchor="middle">'
                f"{day['day'][5:]}</text>"
            )
    legend = "".join(
        f"<span {_link('outcome', name, outcome_label(name, texts))} {_BUTTON}>"
        f'<svg viewBox="0 0 10 10" aria-hidden="true"><rect class="{name}" width="10"'
        f' height="10" rx="2"/></svg>{escape(outcome_label(name, texts))}</span>'
        for name in OUTCOMES
    )
    return _chart(
        texts["outcomes"], parts, _WIDTH, _HEIGHT, f'<div class="legend-row">{legend}</div>'
    )


def outcome_label(outcome: str, texts: Mapping[str, str]) -> str:
    """Return the name of an outcome on the page."""
    return texts["handed" if outcome == "handoff" else outcome]


def _axis_top(most: int) -> int:
    """Return the top of an axis: the next even number of two leading digits."""
    unit: int = 10 ** max(len(str(most)) - 2, 0)
    top = -(-most // unit) * unit
    return top + unit if top % 2 and unit == 1 else top


def _chart(
    title: str,
    parts: Sequence[str],
    width: int,
    height: int,
    below: str = "",
    *,
    role: str = "img",
) -> str:
    return (
        f'<section class="chart"><h2>{escape(title)}</h2><svg viewBox="0 0 {width} {height}"'
        f' role="{role}" aria-label="{escape(title)}">{"".join(parts)}</svg>{below}</section>'
    )


def routes_chart(counts: Mapping[str, int], texts: Mapping[str, str]) -> str:
    """Return a bar for each route, with its share of all replies."""
    total = sum(counts.values()) or 1
    rows = []
    for name, count in sorted(counts.items(), key=lambda item: -item[1]):
        label = texts["route_handoff" if name == "handoff" else name]
        rows.append(
            f"<span {_link('route', name, label)} {_BUTTON}>{escape(label)}</span>"
            f"<span><i style='width:{100 * count / total:.1f}%'></i>"
            f"</span><span>{count} · {100 * count / total:.0f} %</span>"
        )
    title = escape(texts["routes"])
    return (
        f'<section class="chart"><h2>{title}</h2><div class="bars">{"".join(rows)}</div></section>'
    )


def voice_chart(rows: Sequence[Json], days: Sequence[Json], texts: Mapping[str, str]) -> str:
    """Return topics by day as squares, the redder the more messages are negative.

    The intents come first, then the discovered topics; of each those with most negative messages.
    """
    cells = {(row["topic"], row["day"]): row for row in rows}
    counts: dict[tuple[str, str], int] = {}
    names: dict[str, str] = {}
    for row in rows:
        key = row["kind"], row["topic"]
        counts[key] = counts.get(key, 0) + row["negative"]
        names[row["topic"]] = row["name"]
    parts: list[str] = []
    y = 0
    for kind, limit in _TOPICS.items():
        topics = [topic for other, topic in counts if other == kind]
        topics.sort(key=lambda topic: (-counts[kind, topic], topic))
        if topics:
            heading = escape(texts[f"voice_{kind}"])
            parts.append(f'<text class="kind" x="0" y="{y + 15}">{heading}</text>')
            y += _CELL
        for topic in topics[:limit]:
            row_cells = [cells.get((topic, day["day"])) for day in days]
            parts += _topic_row(topic, names[topic], y, row_cells, texts)
            y += _CELL
    step = (_WIDTH - _LABEL) / max(len(days), 1)
    for number in range(0, len(days), max(1, len(days) // 8)):
        x = _LABEL + (number + 0.5) * step
        parts.append(
            f'<text x="{x:.1f}" y="{y + 14}" text-anchor="middle">{days[number]["day"][5:]}</text>'
        )
    return _chart(texts["voice"], parts, _WIDTH, y + 20, role="group")


def _topic_row(
    topic: str, name: str, y: int, cells: Sequence[Json | None], texts: Mapping[str, str]
) -> list[str]:
    """Return the row of a topic: its name, and a square for each day."""
    step = (_WIDTH - _LABEL) / max(len(cells), 1)
    label = f'<text {_link("negative", topic, name)} {_BUTTON} x="0" y="{y + 15}">'
    parts = [f"{label}{escape(_shorten(name))}</text>"]
    for number, cell in enumerate(cells):
        position = (
            f'x="{_LABEL + number * step:.1f}" y="{y}" rx="2"'
            f' width="{max(step - 2, 1):.1f}" height="{_CELL - 2}"'
        )
        if cell is None:
            title = f"<title>{escape(name)}: {texts['voice_none']}</title>"
            parts.append(f'<rect class="none" {position}>{title}</rect>')
            continue
        total = sum(cell[mood] for mood in ("negative", "neutral", "positive"))
        share = cell["negative"] / max(total, 1)
        link = _link("negative", topic, name, cell["day"]) if cell["negative"] else ""
        parts.append(
            f'<rect class="mood" {link} fill-opacity="{0.06 + 0.94 * share:.2f}" {position}>'
            f"<title>{escape(name)} {cell['day']}: {cell['negative']} / {total}</title></rect>"
        )
    return parts


def _shorten(name: str) -> str:
    """Return a name that fits beside the squares; a Chinese character counts as two letters."""
    width = 0
    for index, character in enumerate(name):
        width += 1 + (character > _WIDE)
        if width > _LETTERS:
            return f"{name[:index]}…"
    return name


def _link(figure: str, value: str, name: str, day: str = "") -> str:
    """Return the attributes of a mark that opens the conversations behind a figure."""
    label = f"{name} {day}".strip()
    return (
        f'data-figure="{figure}" data-value="{escape(value)}" data-name="{escape(label)}"'
        f' data-day="{day}"'
    )
