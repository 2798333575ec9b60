"""Import of data into a home: nothing is overwritten, and comments are preserved."""

import csv
import io
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from bot.core.types import CarelineError
from bot.dialogue import entity_definitions, policy, templates
from bot.integrations.rasa import project as rasa
from bot.integrations.rasa import responses
from bot.integrations.rasa.files import SkippedItem
from bot.nlu.entities.extractor import BUILT_IN
from bot.training import datasets

EXAMPLES: Final = "rasa_import.csv"
_INDENT: Final = 2
_CARELINE_SUFFIXES: Final = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz")


@dataclass
class ImportReport:
    """The result of an import: counts, written files, skipped items, and next steps."""

    examples: int = 0
    intents: int = 0
    templates: int = 0
    entities: int = 0
    skipped: list[SkippedItem] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def import_into(home: Path, source: Path) -> ImportReport:
    """Import a Rasa project, or a file in our own formats, into a home."""
    if source.name.endswith(_CARELINE_SUFFIXES):
        return _copy(home, source)
    project = rasa.read(source)
    policies = policy.load(home / "policy.yml").content  # errors of the home come before any write
    templates.load(home / "templates")
    report = ImportReport(skipped=list(project.skipped))
    _add_examples(home, project, report)
    _add_templates(home, project, report)
    _add_entities(home, project, report)
    names = {response.name for response in project.responses}
    missing = [i for i in project.intents if i in names and i not in policies.routes]
    if missing:
        routes = ", ".join(f"{intent}: template" for intent in missing)
        report.notes.append(
            f"to answer with the imported texts, add to routes in policy.yml: {routes}"
        )
    if report.examples:
        report.notes.append("run `careline train` to train on the new examples")
    return report


def _copy(home: Path, source: Path) -> ImportReport:
    """Copy a file of labelled texts or transcripts, if all of it is valid."""
    examples = datasets.read_examples(source, held_back=True)
    target = home / "dialogs" / source.name
    report = ImportReport(len(examples), len({example.intent for example in examples}))
    if target.exists() and target.read_bytes() != source.read_bytes():
        message = f"{target} exists and differs from {source}: rename one of them"
        raise CarelineError(message)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        report.files.append(str(target))
    return report


def _add_examples(home: Path, project: rasa.RasaProject, report: ImportReport) -> None:
    """Write the examples that no earlier import has written."""
    target = home / "dialogs" / EXAMPLES
    existing = datasets.read_examples(target) if target.exists() else []
    # Texts of a CSV file are read without the blanks around them.
    rows = {(example.text, example.intent) for example in existing}
    new = [e for e in project.examples if (e.text.strip(), e.intent.strip()) not in rows]
    report.examples = len(new)
    report.intents = len({example.intent for example in project.examples})
    if not new:
        return
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["text", "intent"])
    writer.writerows([e.text, e.intent] for e in (*existing, *new))
    _write(target, text.getvalue(), report)


def _add_templates(home: Path, project: rasa.RasaProject, report: ImportReport) -> None:
    for code in templates.LANGUAGES:
        path = home / "templates" / f"{code}.yml"
        content = _read_mapping(path)
        texts: dict[str, list[str]] = {}
        for response in project.responses:
            if response.language == code:
                texts.setdefault(response.name, []).append(response.text)
        new = {name: v for name, v in texts.items() if name not in content and name != "titles"}
        for name, variants in texts.items():
            if name not in new and content.get(name) not in (variants, variants[0]):
                why = "exists already with another text: the home's text stays"
                report.skipped.append(SkippedItem(f"templates/{code}.yml: {name}", why))
        if _merge(path, new, report):
            report.templates += len(new)
        titles = content.get("titles") or {}
        new_titles = {
            intent: title
            for intent, title in project.titles.items()
            if intent in project.intents
            and intent not in titles
            and responses.language_of(title) == code
        }
        _merge(path, {"titles": new_titles} if new_titles else {}, report)


def _add_entities(home: Path, project: rasa.RasaProject, report: ImportReport) -> None:
    path = home / "policy.yml"
    existing = _read_mapping(path).get("entities") or {}
    new: dict[str, Any] = {}
    for kind in (*project.lists, *(k for k in project.patterns if k not in project.lists)):
        where = f"policy.yml: entity {kind}"
        values = project.lists.get(kind)
        if values and kind in project.patterns:
            why = "has values and a pattern: the values are used"
            report.skipped.append(SkippedItem(where, why))
        entry = _without_ambiguity(values, where, report) if values else project.patterns.get(kind)
        if kind in BUILT_IN:
            report.skipped.append(SkippedItem(where, "is built in: the built-in one stays"))
        elif kind in existing:
            if existing[kind] != entry:
                why = "exists already: the home's entry stays"
                report.skipped.append(SkippedItem(where, why))
        elif entry:
            try:
                entity_definitions.read({kind: entry}, None)
                new[kind] = entry
            except ValueError as error:
                report.skipped.append(SkippedItem(where, str(error)))
    if new and _merge(path, {"entities": new}, report):
        report.entities = len(new)


def _without_ambiguity(
    values: Mapping[str, Iterable[str]], where: str, report: ImportReport
) -> dict[str, dict[str, list[str]]]:
    """Return a list of values in which each name belongs to one value, the first that has it."""
    owners = {value.casefold(): value for value in reversed(list(values))}
    names: dict[str, list[str]] = {v: [] for v in values if owners[v.casefold()] == v}
    for value, synonyms in values.items():
        for synonym in synonyms:
            owner = owners.setdefault(synonym.casefold(), owners[value.casefold()])
            if owner != owners[value.casefold()]:
                why = f"{synonym} names both {owner} and {value}: it stays with the first"
                report.skipped.append(SkippedItem(where, why))
            elif synonym not in names[owner] and synonym != owner:
                names[owner].append(synonym)
    return {"values": names}


def _read_mapping(path: Path) -> dict[str, Any]:
    """Return the content of a valid YAML file of the home; empty if there is none."""
    if not path.exists():
        return {}
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {}


def _merge(path: Path, changes: Mapping[str, Any], report: ImportReport) -> bool:
    """Add entries to a YAML file of the home; if this fails, note what to add by hand."""
    if not changes:
        return False
    before = path.read_bytes().decode("utf-8") if path.exists() else ""
    after, expected = before, _read_mapping(path)
    for key, value in changes.items():
        if isinstance(value, dict):
            after = add_under(after, key, value)
            expected[key] = {**(expected.get(key) or {}), **value}
        else:
            after = add_entry(after, key, value)
            expected[key] = value
    if _parse(after) != expected:
        text = yaml.safe_dump(dict(changes), allow_unicode=True, default_flow_style=True)
        one_line = " ".join(text.split())
        report.notes.append(f"{path} cannot be extended automatically; add: {one_line}")
        return False
    _write(path, after, report)
    return True


def add_entry(text: str, key: str, value: Any) -> str:
    """Append a top-level entry to the text of a YAML file."""
    newline = "" if not text or text.endswith("\n") else "\n"
    return text + newline + _dump({key: value})


def add_under(text: str, key: str, entries: Mapping[str, Any]) -> str:
    """Insert entries at the start of a top-level mapping of a YAML text, or append the mapping."""
    empty = r"(?:\{[ \t]*\}|~|null)?"
    head = re.search(
        rf"^({re.escape(key)}:)[ \t]*{empty}[ \t]*((?:#[^\r\n]*)?\r?)$", text, re.MULTILINE
    )
    if head is None:
        return add_entry(text, key, dict(entries))
    rest = text[head.end() :]
    pad = " " * _indentation(rest)
    block = "".join(f"{pad}{line}\n" for line in _dump(entries).splitlines())
    comment = f"  {head[2]}" if head[2].strip() else head[2]
    return f"{text[: head.start()]}{head[1]}{comment}\n{block}{rest.removeprefix(chr(10))}"


def _indentation(rest: str) -> int:
    """Return the indentation of the first entry in the rest of a text."""
    for line in rest.splitlines():
        entry = line.lstrip(" ")
        if entry and not entry.startswith("#"):
            return len(line) - len(entry) or _INDENT
    return _INDENT


def _dump(value: Mapping[str, Any]) -> str:
    """Return YAML with lists of names on one line and texts on lines of their own."""
    leaves = None if any(isinstance(entry, dict) for entry in value.values()) else False
    return yaml.safe_dump(
        dict(value), allow_unicode=True, sort_keys=False, width=2**31, default_flow_style=leaves
    )


def _parse(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


def _write(path: Path, text: str, report: ImportReport) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8"))
    except (OSError, UnicodeEncodeError) as error:
        message = f"{path} cannot be written: {error}"
        raise CarelineError(message) from error
    report.files.append(str(path))
