"""Export of a home as a Rasa project: nlu.yml and domain.yml."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from bot.core.types import CarelineError
from bot.dialogue import policy, templates
from bot.integrations.rasa import yaml_export
from bot.training import datasets


@dataclass(frozen=True)
class ExportReport:
    """The result of an export."""

    examples: int
    intents: int
    templates: int
    entities: int
    files: tuple[str, ...]


def export_to_rasa(home: Path, folder: Path) -> ExportReport:
    """Write a home as a Rasa project, without the held-back conversations, as in training."""
    targets = (folder / "nlu.yml", folder / "domain.yml")
    for target in targets:
        if target.exists():
            message = f"{target} exists already: give another folder, or remove it"
            raise CarelineError(message)
    files = datasets.training_files(home / "dialogs")
    examples = [example for path in files for example in datasets.read_examples(path)]
    content = policy.load(home / "policy.yml").content
    texts = read_templates(home / "templates")
    patterns = {name: e for name, e in content.entities.items() if isinstance(e, str)}
    lists = {name: e for name, e in content.entities.items() if not isinstance(e, str)}
    intents = dict.fromkeys([*(example.intent for example in examples), *content.routes])
    actions = [rule.action for rule in content.routes.values() if rule.action]
    nlu = yaml_export.nlu_yaml(examples, patterns, lists)
    domain = yaml_export.domain_yaml(intents, texts, content.entities, actions)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for target, text in zip(targets, (nlu, domain), strict=True):
            target.write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"{folder} cannot be written to: {error.strerror}"
        raise CarelineError(message) from error
    return ExportReport(
        examples=len(examples),
        intents=len(intents),
        templates=len({name for templates_of in texts.values() for name in templates_of}),
        entities=len(content.entities),
        files=tuple(map(str, targets)),
    )


def read_templates(folder: Path) -> dict[str, dict[str, list[str]]]:
    """Return a home's own templates by language, without the built-in ones."""
    templates.load(folder)  # raises if they have errors
    texts: dict[str, dict[str, list[str]]] = {}
    for code in templates.LANGUAGES:
        path = folder / f"{code}.yml"
        if path.exists():
            content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
            content.pop("titles", None)
            texts[code] = {
                str(name): [_text(v) for v in (entry if isinstance(entry, list) else [entry])]
                for name, entry in content.items()
            }
    return texts


def _text(variant: str | dict[str, str]) -> str:
    """Return the text of a variant without its condition, which Rasa could not read."""
    return variant if isinstance(variant, str) else variant["text"]
