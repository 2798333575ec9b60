"""Other people's data into a home: nothing that is there is overwritten, no comment is lost."""

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
_OURS: Final = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz")


@dataclass
class ImportReport:
    """What an import did: counts, the files it wrote, what was left out, and what to do next."""

    examples: int = 0
    intents: int = 0
    templates: int = 0
    entities: int = 0
    skipped: list[SkippedItem] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def into(home: Path, source: Path) -> ImportReport:
    """Bring a Rasa project, or a file in our own formats, into a home."""
    if source.name.endswith(_OURS):
        return _copy(home, source)
    project = rasa.read(source)
    policies = policy.load(home / "policy.yml").content  # a broken home is said before any write
    templates.load(home / "templates")
    done = ImportReport(skipped=list(project.skipped))
    _add_examples(home, project, done)
    _add_templates(home, project, done)
    _add_entities(home, project, done)
    known = {response.name for response in project.responses}
    missing = [i for i in project.intents if i in known and i not in policies.routes]
    if missing:
        routes = ", ".join(f"{intent}: template" for intent in missing)
        done.notes.append(
            f"to answer with the imported texts, add to routes in policy.yml: {routes}"
        )
    if done.examples:
        done.notes.append("the model learns them with `careline train`")
    return done


def _copy(home: Path, source: Path) -> ImportReport:
    """Copy labelled texts or transcripts that can be read whole."""
    examples = datasets.read_examples(source, held_back=True)
    target = home / "dialogs" / source.name
    done = ImportReport(len(examples), len({example.intent for example in examples}))
    if target.exists() and target.read_bytes() != source.read_bytes():
        message = f"{target} is there and differs from {source}: rename one of them"
        raise CarelineError(message)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        done.files.append(str(target))
    return done


def _add_examples(home: Path, project: rasa.RasaProject, done: ImportReport) -> None:
    """Write the examples that an earlier import has not written yet."""
    target = home / "dialogs" / EXAMPLES
    there = datasets.read_examples(target) if target.exists() else []
    # A CSV's texts are read without the blanks around them.
    known = {(example.text, example.intent) for example in there}
    new = [e for e in project.examples if (e.text.strip(), e.intent.strip()) not in known]
    done.examples = len(new)
    done.intents = len({example.intent for example in project.examples})
    if not new:
        return
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["text", "intent"])
    rows.writerows([e.text, e.intent] for e in (*there, *new))
    _write(target, text.getvalue(), done)


def _add_templates(home: Path, project: rasa.RasaProject, done: ImportReport) -> None:
    for code in templates.LANGUAGES:
        path = home / "templates" / f"{code}.yml"
        content = _mapping(path)
        wanted: dict[str, list[str]] = {}
        for response in project.responses:
            if response.language == code:
                wanted.setdefault(response.name, []).append(response.text)
        new = {name: v for name, v in wanted.items() if name not in content and name != "titles"}
        for name, variants in wanted.items():
            if name not in new and content.get(name) not in (variants, variants[0]):
                why = "is there already and says something else: the home's text stays"
                done.skipped.append(SkippedItem(f"templates/{code}.yml: {name}", why))
        if _merge(path, new, done):
            done.templates += len(new)
        titles = content.get("titles") or {}
        fresh = {
            intent: title
            for intent, title in project.titles.items()
            if intent in project.intents
            and intent not in titles
            and responses.language_of(title) == code
        }
        _merge(path, {"titles": fresh} if fresh else {}, done)


def _add_entities(home: Path, project: rasa.RasaProject, done: ImportReport) -> None:
    path = home / "policy.yml"
    there = _mapping(path).get("entities") or {}
    new: dict[str, Any] = {}
    for kind in (*project.lists, *(k for k in project.patterns if k not in project.lists)):
        where = f"policy.yml: entity {kind}"
        values = project.lists.get(kind)
        if values and kind in project.patterns:
            why = "has values and a pattern: the values were taken"
            done.skipped.append(SkippedItem(where, why))
        entry = _unambiguous(values, where, done) if values else project.patterns.get(kind)
        if kind in BUILT_IN:
            done.skipped.append(SkippedItem(where, "is a kind that is built in: that one stays"))
        elif kind in there:
            if there[kind] != entry:
                done.skipped.append(SkippedItem(where, "is there already: the home's entry stays"))
        elif entry:
            try:
                entity_definitions.read({kind: entry}, None)
                new[kind] = entry
            except ValueError as error:
                done.skipped.append(SkippedItem(where, str(error)))
    if new and _merge(path, {"entities": new}, done):
        done.entities = len(new)


def _unambiguous(
    values: Mapping[str, Iterable[str]], where: str, done: ImportReport
) -> dict[str, dict[str, list[str]]]:
    """Return a list of values where each name stands for one value, the first that claims it."""
    owners = {value.casefold(): value for value in reversed(list(values))}
    kept: dict[str, list[str]] = {v: [] for v in values if owners[v.casefold()] == v}
    for value, others in values.items():
        for other in others:
            owner = owners.setdefault(other.casefold(), owners[value.casefold()])
            if owner != owners[value.casefold()]:
                why = f"{other} names both {owner} and {value}: it stays with the first"
                done.skipped.append(SkippedItem(where, why))
            elif other not in kept[owner] and other != owner:
                kept[owner].append(other)
    return {"values": kept}


def _mapping(path: Path) -> dict[str, Any]:
    """Return the content of a YAML file of the home that was checked before; {} without one."""
    if not path.exists():
        return {}
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {}


def _merge(path: Path, changes: Mapping[str, Any], done: ImportReport) -> bool:
    """Add entries to a YAML file of the home, or say what to add where that cannot be done."""
    if not changes:
        return False
    before = path.read_bytes().decode("utf-8") if path.exists() else ""
    after, wanted = before, _mapping(path)
    for key, value in changes.items():
        if isinstance(value, dict):
            after = add_under(after, key, value)
            wanted[key] = {**(wanted.get(key) or {}), **value}
        else:
            after = add_entry(after, key, value)
            wanted[key] = value
    if _parsed(after) != wanted:
        text = yaml.safe_dump(dict(changes), allow_unicode=True, default_flow_style=True)
        one_line = " ".join(text.split())
        done.notes.append(f"{path} is written in a way nothing can be added to; add: {one_line}")
        return False
    _write(path, after, done)
    return True


def add_entry(text: str, key: str, value: Any) -> str:
    """Append a top-level entry to the text of a YAML file."""
    newline = "" if not text or text.endswith("\n") else "\n"
    return text + newline + _dump({key: value})


def add_under(text: str, key: str, entries: Mapping[str, Any]) -> str:
    """Put entries first into a top-level mapping of a YAML text; make it where it is missing."""
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
    """Return how far the entries of the mapping above are indented."""
    for line in rest.splitlines():
        entry = line.lstrip(" ")
        if entry and not entry.startswith("#"):
            return len(line) - len(entry) or _INDENT
    return _INDENT


def _dump(value: Mapping[str, Any]) -> str:
    """Return YAML as people write it: a list of names on its line, texts below each other."""
    leaves = None if any(isinstance(entry, dict) for entry in value.values()) else False
    return yaml.safe_dump(
        dict(value), allow_unicode=True, sort_keys=False, width=2**31, default_flow_style=leaves
    )


def _parsed(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


def _write(path: Path, text: str, done: ImportReport) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8"))
    except (OSError, UnicodeEncodeError) as error:
        message = f"{path} cannot be written: {error}"
        raise CarelineError(message) from error
    done.files.append(str(path))
