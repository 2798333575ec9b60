"""From questions nobody could answer to the beginnings of the article that is missing."""

import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import yaml

from bot.analytics import knowledge_gaps as learning
from bot.analytics.knowledge_gaps import Cluster
from bot.analytics.period_report import Query
from bot.container import Home
from bot.core.types import now
from bot.store import daily_aggregates, query_log
from bot.store.query_log import Asked

FOLDER: Final = "drafts"
_MOST: Final = 2000  # questions, the latest: grouping them takes time with their square
_PLEASE: Final = {
    "en": "Write here what customers need to know, then publish it in the workshop.",
    "zh": "请在这里写下顾客需要知道的内容，然后在工作台发布。",
}
REMINDERS: Final = frozenset(_PLEASE.values())


def grouped(home: Home, found: Sequence[Asked]) -> list[Cluster]:
    """Return questions in groups of one meaning, beside what the home's knowledge says nearest."""
    if not found:
        return []
    knowledge = home.knowledge()
    encoder = knowledge.encoder if knowledge else home.encoder()
    return learning.clusters(
        found,
        encoder.queries,
        knowledge.passages() if knowledge else (),
        knowledge.vectors() if knowledge else None,
    )


def gaps(home: Home, period: Query) -> list[dict[str, Any]]:
    """Return the questions of a period that nobody could answer, grouped, largest group first."""
    start, end = daily_aggregates.bounds(period.first, period.last)
    shown = query_log.shown(home.engine, start, end, synthetic=period.synthetic)
    asked = [
        question
        for question in query_log.asked(home.engine, start, synthetic=period.synthetic)
        if question.conversation_id in shown
        and period.channel in {None, shown[question.conversation_id]}
        and period.language in {None, question.language}
    ]
    found = sorted(learning.unanswered(asked), key=lambda question: question.at)[-_MOST:]
    clusters = grouped(home, found)
    by_message = {question.message_id: question.conversation_id for question in found}
    return [
        {
            "name": cluster.name,
            "count": cluster.count,
            "language": cluster.language,
            "first": cluster.first.isoformat(),
            "last": cluster.last.isoformat(),
            "examples": list(cluster.examples),
            "nearest": cluster.nearest.article if cluster.nearest else None,
            "conversations": sorted({by_message[message] for message in cluster.messages}),
        }
        for cluster in clusters
    ]


def write(home: Path, title: str, language: str, asked: Sequence[str]) -> Path:
    """Write a draft that begins with the questions; one of the same title is written over.

    It lies outside `kb/`, so that nothing unfinished is ever searched.
    """
    tongue = language if language in _PLEASE else "en"
    front = {"title": title, "language": tongue, "valid_from": _tomorrow()}
    lines = ["---", yaml.safe_dump(front, allow_unicode=True, sort_keys=False).strip(), "---"]
    lines += [f"# {' '.join(title.split())}", "", _PLEASE[tongue], ""]
    lines += [f"## {' '.join(question.split())}\n" for question in asked]
    folder = home / FOLDER
    folder.mkdir(exist_ok=True)
    name = re.sub(r"[^\w]+", "-", title.lower()).strip("-_")[:60] or "draft"
    path = folder / f"{name}.md"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def _tomorrow() -> str:
    return (now() + timedelta(days=1)).date().isoformat()
