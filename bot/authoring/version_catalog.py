"""The versions of a home: what there is, what it measured, which one serves, and going back."""

import json
from pathlib import Path
from typing import Any, Final

from bot.container import KNOWLEDGE, MODELS, Home
from bot.core.types import CarelineError, NotFoundError
from knowledge_base.documents import KnowledgeError
from knowledge_base.index.versions import Version, Versions

_HISTORY: Final = "history.jsonl"
_CARD: Final = "card.md"
_POINTS: Final = 300  # of a curve: more cannot be told apart on a screen
_SHOWN: Final = 200  # articles


def rows(home: Home, kind: str | None = None) -> list[dict[str, Any]]:
    """Return all versions, oldest first, and which are active."""
    found = [
        row(version, active=version.id == versions.current_id())
        for versions in (home.models, home.knowledge_versions)
        for version in versions.list()
    ]
    found += [row(version, active=True) for version in home.content_versions()]
    return [one for one in found if kind in {None, one["kind"]}]


def row(version: Version, *, active: bool) -> dict[str, Any]:
    """Return a version in short."""
    return {
        "id": version.id,
        "kind": version.kind,
        "created": version.created or None,
        "parent": version.parent,
        "active": active,
        "metrics": version.metrics,
    }


def details(home: Home, identifier: str) -> dict[str, Any]:
    """Return what is known of one version: how it was built, its curve, what it changed."""
    versions, version = _found(home, identifier)
    known = version.details
    names = ("method", "base", "examples", "engine")
    shown: dict[str, Any] = {name: known[name] for name in names if name in known}
    if "labels" in known:
        shown["intents"] = len(known["labels"])
    if "origin" in known:
        shown["places"] = known["origin"]["places"]
    changed = home.changed_articles(identifier)
    folder = versions.folder(identifier)
    return {
        **row(version, active=identifier == versions.current_id()),
        "details": shown,
        "curve": _curve(folder / _HISTORY),
        "card": _card(folder / _CARD),
        "changes": {name: articles[:_SHOWN] for name, articles in changed.items()},
    }


def activate(home: Home, identifier: str) -> Version:
    """Make a version the one that serves; raise NotFoundError for an id that is none."""
    versions, version = _found(home, identifier)
    return versions.activate(version.id)


def rollback(home: Home, kind: str) -> Version:
    """Go back to the version before the active one."""
    kinds = {MODELS: home.models, KNOWLEDGE: home.knowledge_versions, "model": home.models}
    if kind not in kinds:
        message = f"there is nothing to roll back for {kind[:64]}: choose models or knowledge"
        raise CarelineError(message)
    try:
        return kinds[kind].rollback()
    except KnowledgeError as error:
        raise CarelineError(str(error), "nothing_before") from error


def _found(home: Home, identifier: str) -> tuple[Versions, Version]:
    versions = home.versions_of(identifier)
    try:
        return versions, versions.open(identifier)
    except KnowledgeError as error:
        raise NotFoundError(str(error), "no_version", version=identifier[:64]) from error


def _card(file: Path) -> str | None:
    """Return the model card without its pictures, which lie beside it."""
    if not file.exists():
        return None
    lines = file.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("!["))


def _curve(file: Path) -> dict[str, list[tuple[float, float]]]:
    """Return the series of a training by name, as points (step, value); none for what has none."""
    if not file.exists():
        return {}
    series: dict[str, list[tuple[float, float]]] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        values: dict[str, float] = json.loads(line)
        step = values.pop("step")
        for name, value in values.items():
            series.setdefault(name, []).append((step, value))
    return {name: _thinned(points) for name, points in series.items()}


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the points of a curve, or the means of runs of them where they are too many."""
    run = -(-len(points) // _POINTS)
    parts = [points[at : at + run] for at in range(0, len(points), run)]
    return [(part[-1][0], sum(value for _, value in part) / len(part)) for part in parts]
