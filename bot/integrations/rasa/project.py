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

EXACT: Final = "careline"  # the key of an example's exact text in its metadata
# Rasa's annotations: [text](kind), [text](kind:value), [text]{…}, [text][{…}, {…}].
ANNOTATION: Final = re.compile(
    r"\[(?P<text>[^\]]+?)\](?:\((?P<kind>[^:)]+?)(?::(?P<value>[^)]+))?\)"
    r"|\{(?P<one>[^}]+?)\}|\[(?P<many>\s*\{.*?\}\s*)\])"
)
_READ_KEYS: Final = frozenset({"version", "nlu", "intents", "entities", "slots", "responses"})
_SKIPPED_KEYS: Final = {
    "stories": "stories are not imported: write routes in policy.yml",
    "rules": "rules are not imported: write routes in policy.yml",
    "forms": "forms are not imported: name the slots of an action in policy.yml",
    "actions": "actions are not imported: name them in policy.yml",
    "flows": "flows are not imported: write routes in policy.yml",
    "e2e_actions": "end-to-end actions are not imported",
}
_VERSIONS: Final = ("2.", "3.")

Lists = Mapping[str, Mapping[str, tuple[str, ...]]]


@dataclass(frozen=True)
class RasaProject:
    """The contents of a Rasa project that a home can use; `lists`: kind → value → synonyms."""

    examples: tuple[Example, ...] = ()
    intents: tuple[str, ...] = ()
    responses: tuple[rasa_responses.RasaResponse, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    patterns: Mapping[str, str] = field(default_factory=dict)
    lists: Lists = field(default_factory=dict)
    skipped: tuple[SkippedItem, ...] = ()
    files: tuple[Path, ...] = ()


def read(path: Path) -> RasaProject:
    """Read the YAML files of a project; raise CarelineError if none of them is Rasa's."""
    reader = _Reader(path if path.is_dir() else path.parent)
    files = tuple(file for file in yaml_files(path) if reader.read_file(file))
    if not files:
        message = f"{path} contains nothing of Rasa: no `nlu`, `intents` or `responses`"
        raise CarelineError(message)
    return reader.project(files)


@dataclass
class _Reader:
    """A reader that collects the contents of a project's files."""

    root: Path
    examples: list[Example] = field(default_factory=list)
    intents: dict[str, None] = field(default_factory=dict)
    kinds: dict[str, None] = field(default_factory=dict)
    annotated: dict[str, dict[str, str]] = field(default_factory=dict)  # kind → text → value
    lookups: dict[str, list[str]] = field(default_factory=dict)
    synonyms: dict[str, str] = field(default_factory=dict)  # synonym → value
    regexes: dict[str, list[str]] = field(default_factory=dict)
    domain: rasa_responses.ResponseCollector = field(
        default_factory=rasa_responses.ResponseCollector
    )
    skipped: list[SkippedItem] = field(default_factory=list)

    def read_file(self, file: Path) -> bool:
        """Read a file; return whether it is Rasa's data."""
        content = load(file)
        name = file.relative_to(self.root).as_posix()
        rasa_keys = (_READ_KEYS | set(_SKIPPED_KEYS)) - {"version"}
        if not rasa_keys & set(content):
            return False
        version = str(content.get("version", "3.1"))
        if not version.startswith(_VERSIONS):
            why = f"has version {version}; versions 2 and 3 are supported"
            self.skipped.append(SkippedItem(name, why))
            return False
        self._read_nlu(content.get("nlu"), name, file.parent)
        self._read_names(content.get("intents"), self.intents)
        self._read_names(content.get("entities"), self.kinds)
        self.domain.collect(content.get("responses"), name, self.skipped)
        self._check_slots(content.get("slots"), name)
        for key, why in _SKIPPED_KEYS.items():
            if content.get(key):
                self.skipped.append(SkippedItem(f"{name}: {key}", why))
        return bool((_READ_KEYS - {"version"}) & set(content))

    @staticmethod
    def _read_names(value: Any, target: dict[str, None]) -> None:
        for item in value if isinstance(value, list) else ():
            target.update(dict.fromkeys(item if isinstance(item, dict) else [str(item)]))

    def _check_slots(self, value: Any, name: str) -> None:
        for slot, definition in (value if isinstance(value, dict) else {}).items():
            items = definition.get("mappings") if isinstance(definition, dict) else None
            mappings = [item for item in items or () if isinstance(item, dict)]
            kinds = {str(mapping["entity"]) for mapping in mappings if "entity" in mapping}
            if kinds - {slot}:
                names = ", ".join(sorted(kinds))
                why = f"is filled by {names}: give the slot the name of its entity"
                self.skipped.append(SkippedItem(f"{name}: slot {slot}", why))

    def _read_nlu(self, value: Any, name: str, folder: Path) -> None:
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
                self._read_intent(title, examples, where)
            elif kind == "lookup":
                self._read_lookup(title, examples, where, folder)
            elif kind == "regex":
                self.regexes.setdefault(title, []).extend(lines(examples, where, self.skipped))
            else:
                names = lines(examples, where, self.skipped)
                self.synonyms.update(dict.fromkeys(names, title))

    def _read_intent(self, intent: str, examples: Any, where: str) -> None:
        self.intents.setdefault(intent)
        file = where.split(": ", maxsplit=1)[0]
        for number, (text, exact) in enumerate(self._texts(examples, where), start=1):
            place = f"{where} example {number}"
            plain = exact if exact is not None else self._without_annotations(text, place)
            if not plain.strip():
                self.skipped.append(SkippedItem(place, "is empty"))
            elif len(plain) > MAX_CHARACTERS:
                why = f"is longer than {MAX_CHARACTERS} characters"
                self.skipped.append(SkippedItem(place, why))
            else:
                self.examples.append(Example(plain, intent, file))

    def _texts(self, examples: Any, where: str) -> Iterator[tuple[str, str | None]]:
        """Yield annotated texts, each with the exact plain text from its metadata, if any."""
        if isinstance(examples, str):
            for line in lines(examples, where, self.skipped):
                yield line, None
            return
        for item in examples if isinstance(examples, list) else ():
            if isinstance(item, str):
                yield item.strip("\r\n "), None
            elif isinstance(item, dict) and isinstance(item.get("text"), str):
                metadata = item.get("metadata")
                exact = metadata.get(EXACT) if isinstance(metadata, dict) else None
                yield item["text"].strip("\r\n "), exact if isinstance(exact, str) else None
            else:
                self.skipped.append(SkippedItem(where, "an example has no text"))

    def _without_annotations(self, text: str, where: str) -> str:
        def plain(match: re.Match[str]) -> str:
            try:
                entities = list(_entities(match))
            except (ValueError, AttributeError):
                why = f"{match[0]} is no annotation: it is read as text"
                self.skipped.append(SkippedItem(where, why))
                return match[0]
            for kind, value in entities:
                self.kinds.setdefault(kind)
                self.annotated.setdefault(kind, {})[match["text"]] = value
            return match["text"]

        return ANNOTATION.sub(plain, text)

    def _read_lookup(self, kind: str, examples: Any, where: str, folder: Path) -> None:
        is_single = isinstance(examples, str) and not examples.lstrip().startswith("-")
        names = [examples.strip()] if is_single else list(lines(examples, where, self.skipped))
        elements = self.lookups.setdefault(kind, [])
        for name in names:
            if not name.endswith(".txt"):
                elements.append(name)
                continue
            files = [base / name for base in (folder, self.root) if (base / name).is_file()]
            if files:
                rows = read_text(files[0]).splitlines()
                elements += [row.strip() for row in rows if row.strip()]
            else:
                self.skipped.append(SkippedItem(where, f"there is no file {name}"))

    def project(self, files: tuple[Path, ...]) -> RasaProject:
        """Return the collected project."""
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
        for kind, regexes in self.regexes.items():
            joined = regexes[0] if len(regexes) == 1 else "|".join(f"(?:{r})" for r in regexes)
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
        for kind in dict.fromkeys([*self.lookups, *self.annotated]):
            values = lists.setdefault(kind, {})
            annotated = self.annotated.get(kind, {})
            for name in dict.fromkeys([*self.lookups.get(kind, ()), *annotated]):
                value = annotated.get(name, name)
                value = self.synonyms.get(name, value) if value == name else value
                synonyms = values.setdefault(value, {})
                if name != value:
                    synonyms.setdefault(name)
            for name, value in self.synonyms.items():
                if value in values:
                    values[value].setdefault(name)
                    used.add(value)
        for value in dict.fromkeys(self.synonyms.values()):
            if value not in used:
                why = "belongs to no entity whose values are known"
                self.skipped.append(SkippedItem(f"synonym {value}", why))
        return {
            kind: {value: tuple(s for s in names if s != value) for value, names in v.items()}
            for kind, v in lists.items()
        }


def _entities(match: re.Match[str]) -> Iterator[tuple[str, str]]:
    """Yield kind and value of each entity of an annotation; raise ValueError if it has none."""
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
