"""Rasa's training data (versions 2 and 3): examples, entities and responses of a project."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bot.core.types import CarelineError
from bot.integrations.rasa import responses as rasa_responses
from bot.integrations.rasa.files import SkippedItem, entries, lines, load, yaml_files
from bot.training.datasets import MAX_CHARACTERS, Example, read_text

EXACT: Final = "careline"  # an example's metadata under this name hold its exact text
# Rasa's three ways to annotate: [text](kind), [text](kind:value), [text]{…}, [text][{…}, {…}].
ANNOTATION: Final = re.compile(
    r"\[(?P<text>[^\]]+?)\](?:\((?P<kind>[^:)]+?)(?::(?P<value>[^)]+))?\)"
    r"|\{(?P<one>[^}]+?)\}|\[(?P<many>\s*\{.*?\}\s*)\])"
)
_READ: Final = frozenset({"version", "nlu", "intents", "entities", "slots", "responses"})
_NOT_READ: Final = {
    "stories": "conversations of an assistant are not imported: routes stand in policy.yml",
    "rules": "rules are not imported: routes stand in policy.yml",
    "forms": "forms are not imported: name an action's slots in policy.yml",
    "actions": "actions are not imported: name them in policy.yml",
    "flows": "flows are not imported: routes stand in policy.yml",
    "e2e_actions": "end-to-end actions are not imported",
}
_VERSIONS: Final = ("2.", "3.")

Lists = Mapping[str, Mapping[str, tuple[str, ...]]]


@dataclass(frozen=True)
class RasaProject:
    """What a Rasa project says that a home can hold; `lists`: kind → value → its other names."""

    examples: tuple[Example, ...] = ()
    intents: tuple[str, ...] = ()
    responses: tuple[rasa_responses.RasaResponse, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    patterns: Mapping[str, str] = field(default_factory=dict)
    lists: Lists = field(default_factory=dict)
    skipped: tuple[SkippedItem, ...] = ()
    files: tuple[Path, ...] = ()


def read(path: Path) -> RasaProject:
    """Read a YAML file or all those of a folder; raise CarelineError where nothing is Rasa's."""
    reader = _Reader(path if path.is_dir() else path.parent)
    used = tuple(file for file in yaml_files(path) if reader.take(file))
    if not used:
        message = f"{path} holds nothing of Rasa: no `nlu`, `intents` or `responses`"
        raise CarelineError(message)
    return reader.project(used)


@dataclass
class _Reader:
    """Gathers the files of one project."""

    root: Path
    examples: list[Example] = field(default_factory=list)
    intents: dict[str, None] = field(default_factory=dict)
    kinds: dict[str, None] = field(default_factory=dict)
    annotated: dict[str, dict[str, str]] = field(default_factory=dict)  # kind → text → value
    listed: dict[str, list[str]] = field(default_factory=dict)
    synonyms: dict[str, str] = field(default_factory=dict)  # other name → value
    regexes: dict[str, list[str]] = field(default_factory=dict)
    domain: rasa_responses.ResponseCollector = field(
        default_factory=rasa_responses.ResponseCollector
    )
    skipped: list[SkippedItem] = field(default_factory=list)

    def take(self, file: Path) -> bool:
        """Read one file; tell whether it is Rasa's data."""
        content = load(file)
        name = file.relative_to(self.root).as_posix()
        known = (_READ | set(_NOT_READ)) - {"version"}
        if not known & set(content):
            return False
        version = str(content.get("version", "3.1"))
        if not version.startswith(_VERSIONS):
            self.skipped.append(SkippedItem(name, f"is of version {version}; 2 and 3 are read"))
            return False
        self._nlu(content.get("nlu"), name, file.parent)
        self._names(content.get("intents"), self.intents)
        self._names(content.get("entities"), self.kinds)
        self.domain.take(content.get("responses"), name, self.skipped)
        self._slots(content.get("slots"), name)
        for key, why in _NOT_READ.items():
            if content.get(key):
                self.skipped.append(SkippedItem(f"{name}: {key}", why))
        return bool((_READ - {"version"}) & set(content))

    @staticmethod
    def _names(value: Any, into: dict[str, None]) -> None:
        for item in value if isinstance(value, list) else ():
            into.update(dict.fromkeys(item if isinstance(item, dict) else [str(item)]))

    def _slots(self, value: Any, name: str) -> None:
        for slot, about in (value if isinstance(value, dict) else {}).items():
            mappings = about.get("mappings") if isinstance(about, dict) else None
            found = [m for m in mappings or () if isinstance(m, dict)]
            kinds = {str(m["entity"]) for m in found if "entity" in m}
            if kinds - {slot}:
                why = f"is filled by {', '.join(sorted(kinds))}: here a slot has its entity's name"
                self.skipped.append(SkippedItem(f"{name}: slot {slot}", why))

    def _nlu(self, value: Any, name: str, folder: Path) -> None:
        for item in entries(value, f"{name}: nlu", self.skipped):
            kind = next((k for k in ("intent", "synonym", "regex", "lookup") if k in item), None)
            if kind is None or not item[kind]:
                why = "names no intent, synonym, regex or lookup"
                self.skipped.append(SkippedItem(f"{name}: nlu", why))
                continue
            title, where = str(item[kind]), f"{name}: {kind} {item[kind]}"
            examples = item.get("examples")
            if not examples:
                self.skipped.append(SkippedItem(where, "has no examples"))
            elif kind == "intent":
                self._intent(title, examples, where)
            elif kind == "lookup":
                self._lookup(title, examples, where, folder)
            elif kind == "regex":
                self.regexes.setdefault(title, []).extend(lines(examples, where, self.skipped))
            else:
                found = lines(examples, where, self.skipped)
                self.synonyms.update(dict.fromkeys(found, title))

    def _intent(self, intent: str, examples: Any, where: str) -> None:
        self.intents.setdefault(intent)
        file = where.split(": ", maxsplit=1)[0]
        for number, (text, exact) in enumerate(self._texts(examples, where), start=1):
            spot = f"{where} example {number}"
            plain = exact if exact is not None else self._without_annotations(text, spot)
            if not plain.strip():
                self.skipped.append(SkippedItem(spot, "is empty"))
            elif len(plain) > MAX_CHARACTERS:
                self.skipped.append(
                    SkippedItem(spot, f"is longer than {MAX_CHARACTERS} characters")
                )
            else:
                self.examples.append(Example(plain, intent, file))

    def _texts(self, examples: Any, where: str) -> Iterator[tuple[str, str | None]]:
        """Yield annotated texts, each with the exact plain one where the metadata hold it."""
        if isinstance(examples, str):
            for line in lines(examples, where, self.skipped):
                yield line, None
            return
        for item in examples if isinstance(examples, list) else ():
            if isinstance(item, str):
                yield item.strip("\r\n "), None
            elif isinstance(item, dict) and isinstance(item.get("text"), str):
                metadata = item.get("metadata")
                own = metadata.get(EXACT) if isinstance(metadata, dict) else None
                yield item["text"].strip("\r\n "), own if isinstance(own, str) else None
            else:
                self.skipped.append(SkippedItem(where, "an example has no text"))

    def _without_annotations(self, text: str, where: str) -> str:
        def plain(match: re.Match[str]) -> str:
            try:
                found = list(_entities(match))
            except (ValueError, AttributeError):
                self.skipped.append(
                    SkippedItem(where, f"{match[0]} is no annotation: kept as text")
                )
                return match[0]
            for kind, value in found:
                self.kinds.setdefault(kind)
                self.annotated.setdefault(kind, {})[match["text"]] = value
            return match["text"]

        return ANNOTATION.sub(plain, text)

    def _lookup(self, kind: str, examples: Any, where: str, folder: Path) -> None:
        bare = isinstance(examples, str) and not examples.lstrip().startswith("-")
        names = [examples.strip()] if bare else list(lines(examples, where, self.skipped))
        elements = self.listed.setdefault(kind, [])
        for name in names:
            if not name.endswith(".txt"):
                elements.append(name)
                continue
            files = [base / name for base in (folder, self.root) if (base / name).is_file()]
            if files:
                found = read_text(files[0]).splitlines()
                elements += [line.strip() for line in found if line.strip()]
            else:
                self.skipped.append(SkippedItem(where, f"there is no file {name}"))

    def project(self, files: tuple[Path, ...]) -> RasaProject:
        """Return what was gathered."""
        patterns = dict(self._patterns())
        lists = self._lists()
        for kind in self.kinds:
            if kind not in patterns and kind not in lists:
                why = "has neither a pattern nor a list nor an annotated value"
                self.skipped.append(SkippedItem(f"entity {kind}", why))
        return RasaProject(
            examples=tuple(self.examples),
            intents=tuple(self.intents),
            responses=self.domain.responses(),
            titles=self.domain.titles,
            patterns=patterns,
            lists=lists,
            skipped=tuple(self.skipped),
            files=files,
        )

    def _patterns(self) -> Iterator[tuple[str, str]]:
        for kind, found in self.regexes.items():
            joined = found[0] if len(found) == 1 else "|".join(f"(?:{one})" for one in found)
            try:
                re.compile(joined)
            except re.error as error:
                why = f"is not a regular expression: {error}"
                self.skipped.append(SkippedItem(f"regex {kind}", why))
            else:
                yield kind, joined

    def _lists(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """Return the values of each kind, from lookup tables, annotations and synonyms."""
        lists: dict[str, dict[str, dict[str, None]]] = {}
        used: set[str] = set()
        for kind in dict.fromkeys([*self.listed, *self.annotated]):
            values = lists.setdefault(kind, {})
            annotated = self.annotated.get(kind, {})
            for name in dict.fromkeys([*self.listed.get(kind, ()), *annotated]):
                own = annotated.get(name, name)
                value = self.synonyms.get(name, own) if own == name else own
                others = values.setdefault(value, {})
                if name != value:
                    others.setdefault(name)
            for name, value in self.synonyms.items():
                if value in values:
                    values[value].setdefault(name)
                    used.add(value)
        for value in dict.fromkeys(self.synonyms.values()):
            if value not in used:
                why = "belongs to no entity whose values are known"
                self.skipped.append(SkippedItem(f"synonym {value}", why))
        return {
            kind: {value: tuple(o for o in others if o != value) for value, others in v.items()}
            for kind, v in lists.items()
        }


def _entities(match: re.Match[str]) -> Iterator[tuple[str, str]]:
    """Yield kind and value of each entity an annotation names; ValueError where it names none."""
    if match["kind"]:
        yield match["kind"].strip(), match["value"] or match["text"]
        return
    body = f"{{{match['one']}}}" if match["one"] else match["many"]
    for item in json.loads(f"[{body}]"):
        kind = item.get("entity")
        if not isinstance(kind, str) or not kind:
            message = "an annotation names no entity"
            raise ValueError(message)
        yield kind, str(item.get("value", match["text"]))
