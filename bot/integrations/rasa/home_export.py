"""A home as files of other programs: Rasa's nlu.yml and domain.yml."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from bot.core.types import CarelineError
from bot.dialogue import policy, templates
from bot.integrations.rasa import yaml_export
from bot.training import datasets


@dataclass(frozen=True)
class ExportReport:
    """What an export wrote."""

    examples: int
    intents: int
    templates: int
    entities: int
    files: tuple[str, ...]


def to_rasa(home: Path, folder: Path) -> ExportReport:
    """Write a home as a Rasa project; the held-back conversations stay out, as in training."""
    targets = (folder / "nlu.yml", folder / "domain.yml")
    for target in targets:
        if target.exists():
            message = f"{target} is there already: give another folder, or remove it"
            raise CarelineError(message)
    files = datasets.training_files(home / "dialogs")
    examples = [example for path in files for example in datasets.read_examples(path)]
    content = policy.load(home / "policy.yml").content
    texts = own_templates(home / "templates")
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
        templates=len({name for own in texts.values() for name in own}),
        entities=len(content.entities),
        files=tuple(map(str, targets)),
    )


def own_templates(folder: Path) -> dict[str, dict[str, list[str]]]:
    """Return a home's own templates by language, without those that are built in."""
    templates.load(folder)  # what is wrong in them is said there
    found: dict[str, dict[str, list[str]]] = {}
    for code in templates.LANGUAGES:
        path = folder / f"{code}.yml"
        if path.exists():
            raw = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
            raw.pop("titles", None)
            found[code] = {
                str(name): [_text(one) for one in (said if isinstance(said, list) else [said])]
                for name, said in raw.items()
            }
    return found


def _text(variant: str | dict[str, str]) -> str:
    """Return the words of a variant; Rasa has other conditions."""
    return variant if isinstance(variant, str) else variant["text"]
