"""Charts of the page of figures as SVG: they follow the theme's colours and need no script."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from ui.client.http_client import Json

OUTCOMES: Final = ("confirmed", "assumed", "abandoned", "unhappy", "handoff")
_WIDTH, _HEIGHT, _LEFT, _FOOT = 960, 230, 36, 22
_TOPICS: Final = {"intent": 10, "discovered": 8}  # rows of each kind
_LABEL: Final = 190  # beside the rows of the voice
_CELL: Final = 22
_LETTERS: Final = 28  # of a topic's name beside its row
_WIDE: Final = "\u2e80"  # characters from here on are as wide as two letters
_BUTTON: Final = 'role="button" tabindex="0"'
# A click on a mark, or Enter on one that can be reached by keys, leads to what it counts.
CLICKS: Final = """
const told = at => at && trigger('click', {...at.dataset});
element.addEventListener('click', event => told(event.target.closest('[data-figure]')));
element.addEventListener('keydown', event => {
  if (event.key !== 'Enter' && event.key !== ' ') return;
  const at = event.target.closest('[data-figure]');
  if (at) event.preventDefault();
  told(at);
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


def outcomes(days: Sequence[Json], words: Mapping[str, str]) -> str:
    """Return a stacked bar for each day, by how conversations ended."""
    most = max((day["conversations"] for day in days), default=0) or 1
    top = _nice(most)
    step = (_WIDTH - _LEFT) / max(len(days), 1)
    wide = max(step * 0.78, 1.0)
    scale = (_HEIGHT - _FOOT - 8) / top
    parts = []
    for share in (0.0, 0.5, 1.0):
        y = _HEIGHT - _FOOT - share * top * scale
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{share * top:g}</text>'
        )
    for number, day in enumerate(days):
        x = _LEFT + number * step + (step - wide) / 2
        y = float(_HEIGHT - _FOOT)
        said = ", ".join(f"{day['outcomes'][name]} {named(name, words)}" for name in OUTCOMES)
        parts.append(f"<g><title>{day['day']}: {escape(said)}</title>")
        for name in OUTCOMES:
            tall = day["outcomes"][name] * scale
            y -= tall
            if tall:
                link = _link("outcome", name, named(name, words), day["day"])
                parts.append(
                    f'<rect class="{name}" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}"'
                    f' height="{tall:.1f}" {link}/>'
                )
        parts.append("</g>")
        if number % max(1, len(days) // 8) == 0:
            middle = x + wide / 2
            parts.append(
                f'<text x="{middle:.1f}" y="{_HEIGHT - 6}" text-anchor="middle">'
                f"{day['day'][5:]}</text>"
            )
    legend = "".join(
        f"<span {_link('outcome', name, named(name, words))} {_BUTTON}>"
        f'<svg viewBox="0 0 10 10" aria-hidden="true"><rect class="{name}" width="10"'
        f' height="10" rx="2"/></svg>{escape(named(name, words))}</span>'
        for name in OUTCOMES
    )
    return _chart(
        words["outcomes"], parts, _WIDTH, _HEIGHT, f'<div class="legend-row">{legend}</div>'
    )


def named(outcome: str, words: Mapping[str, str]) -> str:
    """Return how an outcome is called on the page."""
    return words["handed" if outcome == "handoff" else outcome]


def _nice(most: int) -> int:
    """Return the top of an axis: the next even number of two leading digits."""
    unit: int = 10 ** max(len(str(most)) - 2, 0)
    top = -(-most // unit) * unit
    return top + unit if top % 2 and unit == 1 else top


def _chart(  # noqa: PLR0913 — one parameter a part
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


def routes(counts: Mapping[str, int], words: Mapping[str, str]) -> str:
    """Return a bar for each route, with its share of all replies."""
    total = sum(counts.values()) or 1
    rows = []
    for name, count in sorted(counts.items(), key=lambda item: -item[1]):
        label = words["route_handoff" if name == "handoff" else name]
        rows.append(
            f"<span {_link('route', name, label)} {_BUTTON}>{escape(label)}</span>"
            f"<span><i style='width:{100 * count / total:.1f}%'></i>"
            f"</span><span>{count} · {100 * count / total:.0f} %</span>"
        )
    title = escape(words["routes"])
    return (
        f'<section class="chart"><h2>{title}</h2><div class="bars">{"".join(rows)}</div></section>'
    )


def voice(rows: Sequence[Json], days: Sequence[Json], words: Mapping[str, str]) -> str:
    """Return rows of squares: topics by day, the redder the more messages are negative.

    The intents come first, then what was discovered beside them; of each the most complained about.
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
    for kind, most in _TOPICS.items():
        topics = [topic for this, topic in counts if this == kind]
        topics.sort(key=lambda topic: (-counts[kind, topic], topic))
        if topics:
            heading = escape(words[f"voice_{kind}"])
            parts.append(f'<text class="kind" x="0" y="{y + 15}">{heading}</text>')
            y += _CELL
        for topic in topics[:most]:
            here = [cells.get((topic, day["day"])) for day in days]
            parts += _line(topic, names[topic], y, here, words)
            y += _CELL
    step = (_WIDTH - _LABEL) / max(len(days), 1)
    for number in range(0, len(days), max(1, len(days) // 8)):
        x = _LABEL + (number + 0.5) * step
        parts.append(
            f'<text x="{x:.1f}" y="{y + 14}" text-anchor="middle">{days[number]["day"][5:]}</text>'
        )
    return _chart(words["voice"], parts, _WIDTH, y + 20, role="group")


def _line(
    topic: str, name: str, y: int, cells: Sequence[Json | None], words: Mapping[str, str]
) -> list[str]:
    """Return a topic's row: its name, and a square a day."""
    step = (_WIDTH - _LABEL) / max(len(cells), 1)
    label = f'<text {_link("negative", topic, name)} {_BUTTON} x="0" y="{y + 15}">'
    parts = [f"{label}{escape(_shortened(name))}</text>"]
    for number, cell in enumerate(cells):
        place = (
            f'x="{_LABEL + number * step:.1f}" y="{y}" rx="2"'
            f' width="{max(step - 2, 1):.1f}" height="{_CELL - 2}"'
        )
        if cell is None:
            nothing = f"<title>{escape(name)}: {words['voice_none']}</title>"
            parts.append(f'<rect class="none" {place}>{nothing}</rect>')
            continue
        total = sum(cell[mood] for mood in ("negative", "neutral", "positive"))
        share = cell["negative"] / max(total, 1)
        link = _link("negative", topic, name, cell["day"]) if cell["negative"] else ""
        parts.append(
            f'<rect class="mood" {link} fill-opacity="{0.06 + 0.94 * share:.2f}" {place}>'
            f"<title>{escape(name)} {cell['day']}: {cell['negative']} / {total}</title></rect>"
        )
    return parts


def _shortened(name: str) -> str:
    """Return a name that fits beside the squares; a Chinese character is as wide as two letters."""
    wide = 0
    for at, character in enumerate(name):
        wide += 1 + (character > _WIDE)
        if wide > _LETTERS:
            return f"{name[:at]}…"
    return name


def _link(figure: str, value: str, name: str, day: str = "") -> str:
    """Return what a mark leads to: the conversations behind a figure."""
    told = f"{name} {day}".strip()
    return (
        f'data-figure="{figure}" data-value="{escape(value)}" data-name="{escape(told)}"'
        f' data-day="{day}"'
    )
