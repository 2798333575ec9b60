"""Drafts of missing articles, which begin with the unanswered questions of customers."""

import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

import yaml

from bot.core.types import now

FOLDER: Final = "drafts"
_REMINDERS: Final = {
    "en": "Write here what customers need to know, then publish it in the workshop.",
    "zh": "请在这里写下顾客需要知道的内容，然后在工作台发布。",
}
REMINDERS: Final = frozenset(_REMINDERS.values())


def write(home: Path, title: str, language: str, questions: Sequence[str]) -> Path:
    """Write a draft that begins with the questions; a draft of the same title is replaced.

    Drafts are outside `kb/`, so that nothing unfinished is ever searched.
    """
    draft_language = language if language in _REMINDERS else "en"
    front = {"title": title, "language": draft_language, "valid_from": _tomorrow()}
    lines = ["---", yaml.safe_dump(front, allow_unicode=True, sort_keys=False).strip(), "---"]
    lines += [f"# {' '.join(title.split())}", "", _REMINDERS[draft_language], ""]
    lines += [f"## {' '.join(question.split())}\n" for question in questions]
    folder = home / FOLDER
    folder.mkdir(exist_ok=True)
    name = re.sub(r"[^\w]+", "-", title.lower()).strip("-_")[:60] or "draft"
    path = folder / f"{name}.md"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def _tomorrow() -> str:
    return (now() + timedelta(days=1)).date().isoformat()
