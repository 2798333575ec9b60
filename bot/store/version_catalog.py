"""The versions of a home: all that exist, their metrics, the active ones, and rollback."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bot.core.types import CarelineError, NotFoundError
from knowledge_base.documents import KnowledgeError
from knowledge_base.index.versions import Version, Versions

MODELS: Final = "models"
KNOWLEDGE: Final = "knowledge"
_HISTORY: Final = "history.jsonl"
_CARD: Final = "card.md"
_MAX_POINTS: Final = 300  # of a curve: more cannot be told apart on a screen
_MAX_ARTICLES: Final = 200


@dataclass(frozen=True)
class VersionCatalog:
    """The versions of models and knowledge, and those of the content files as they are now."""

    models: Versions
    knowledge: Versions
    content: Callable[[], Sequence[Version]]

    def rows(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Return all versions as JSON, oldest first, with a mark for the active ones."""
        rows = [
            version_json(version, active=version.id == versions.current_id())
            for versions in (self.models, self.knowledge)
            for version in versions.list()
        ]
        rows += [version_json(version, active=True) for version in self.content()]
        return [row for row in rows if kind in {None, row["kind"]}]

    def details(self, identifier: str) -> dict[str, Any]:
        """Return how one version was built, its training curve, and the articles it changed."""
        versions, version = self._open(identifier)
        recorded = version.details
        names = ("method", "base", "examples", "engine")
        details: dict[str, Any] = {name: recorded[name] for name in names if name in recorded}
        if "labels" in recorded:
            details["intents"] = len(recorded["labels"])
        if "origin" in recorded:
            details["places"] = recorded["origin"]["places"]
        changed = self.changed_articles(identifier)
        folder = versions.folder(identifier)
        return {
            **version_json(version, active=identifier == versions.current_id()),
            "details": details,
            "curve": _curve(folder / _HISTORY),
            "card": _card(folder / _CARD),
            "changes": {name: articles[:_MAX_ARTICLES] for name, articles in changed.items()},
        }

    def activate(self, identifier: str) -> Version:
        """Make a version the active one; raise NotFoundError for an unknown id."""
        versions, version = self._open(identifier)
        return versions.activate(version.id)

    def rollback(self, kind: str) -> Version:
        """Go back to the version before the active one; raise CarelineError where there is none."""
        kinds = {MODELS: self.models, KNOWLEDGE: self.knowledge, "model": self.models}
        if kind not in kinds:
            message = f"there is nothing to roll back for {kind[:64]}: choose models or knowledge"
            raise CarelineError(message)
        try:
            return kinds[kind].rollback()
        except KnowledgeError as error:
            raise CarelineError(str(error), "nothing_before") from error

    def versions_of(self, identifier: str) -> Versions:
        """Return the versions an id belongs to, by its prefix."""
        for versions in (self.models, self.knowledge):
            if identifier.startswith(f"{versions.prefix}-"):
                return versions
        message = (
            f"{identifier} is no version that can be switched to: models are m-…, knowledge k-…; "
            "templates and policy are files of the home, edit or restore those"
        )
        raise CarelineError(message)

    def changed_articles(self, version: str) -> dict[str, list[str]]:
        """Return the articles that a version of the knowledge added, changed and removed.

        Empty for other versions, for the first one, and where a version no longer exists.
        """
        from knowledge_base.index import storage

        if not version.startswith(f"{self.knowledge.prefix}-"):
            return {}
        try:
            after = self.knowledge.open(version)
            if after.parent is None:
                return {}
            before = self.knowledge.open(after.parent)
        except KnowledgeError:
            return {}
        new, old = (
            {name: span.sha256 for name, span in storage.read_spans(folder).items()}
            for folder in (self.knowledge.folder(after.id), self.knowledge.folder(before.id))
        )
        return {
            "added": sorted(new.keys() - old.keys()),
            "changed": sorted(name for name in new.keys() & old.keys() if new[name] != old[name]),
            "removed": sorted(old.keys() - new.keys()),
        }

    def _open(self, identifier: str) -> tuple[Versions, Version]:
        versions = self.versions_of(identifier)
        try:
            return versions, versions.open(identifier)
        except KnowledgeError as error:
            raise NotFoundError(str(error), "no_version", version=identifier[:64]) from error


def version_json(version: Version, *, active: bool) -> dict[str, Any]:
    """Return a version as the JSON of `careline versions`."""
    return {
        "id": version.id,
        "kind": version.kind,
        "created": version.created or None,
        "parent": version.parent,
        "active": active,
        "metrics": version.metrics,
    }


def _card(file: Path) -> str | None:
    """Return the model card without its pictures, which are separate files."""
    if not file.exists():
        return None
    lines = file.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("!["))


def _curve(file: Path) -> dict[str, list[tuple[float, float]]]:
    """Return the series of a training by name, as points (step, value); empty without a history."""
    if not file.exists():
        return {}
    series: dict[str, list[tuple[float, float]]] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        values: dict[str, float] = json.loads(line)
        step = values.pop("step")
        for name, value in values.items():
            series.setdefault(name, []).append((step, value))
    return {name: _reduce_points(points) for name, points in series.items()}


def _reduce_points(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the points of a curve, or the means of runs of them where there are too many."""
    run = -(-len(points) // _MAX_POINTS)
    parts = [points[at : at + run] for at in range(0, len(points), run)]
    return [(part[-1][0], sum(value for _, value in part) / len(part)) for part in parts]
