"""Examples, entities and templates as the YAML files Rasa 3 loads."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import yaml

from bot.integrations.rasa.project import ANNOTATION, EXACT, Lists
from bot.integrations.rasa.responses import LANGUAGE, PREFIX
from bot.training.datasets import Example

VERSION: Final = "3.1"
_STRIPPED: Final = "\n\r "  # what Rasa takes off an example
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_/-]*")
_WORDS: Final = frozenset({"yes", "no", "on", "off", "true", "false", "null", "y", "n"})
_JOINER: Final = "\u2060"  # an invisible character that keeps brackets from being an annotation

Texts = Mapping[str, Mapping[str, Sequence[str]]]  # language → template → variants


class _Quoted(str):
    """A text that is written in quotes: no version of YAML takes it for something else."""

    __slots__ = ()


class _Block(str):
    """Lines that are written as they are, where YAML can."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002 - PyYAML's signature
        """Indent lists below their key, as Rasa's own files do."""
        del indentless
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: object) -> bool:
        """Write everything out."""
        del data
        return True


def _quoted(dumper: yaml.SafeDumper, data: _Quoted) -> yaml.ScalarNode:
    # In double quotes PyYAML writes an emoji as a number; in single ones breaks of lines fold.
    style = "'" if data.isprintable() and max(data, default="") > "\uffff" else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(data), style=style)


def _block(dumper: yaml.SafeDumper, data: _Block) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(data), style="|")


_Dumper.add_representer(_Quoted, _quoted)
_Dumper.add_representer(_Block, _block)


def _yaml(content: Mapping[str, Any]) -> str:
    return str(yaml.dump(content, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=2**31))


def _name(text: str) -> str:
    plain = _NAME.fullmatch(text) and text.lower() not in _WORDS
    return text if plain else _Quoted(text)


def nlu_yaml(
    examples: Iterable[Example],
    patterns: Mapping[str, str] | None = None,
    lists: Lists | None = None,
) -> str:
    """Return `nlu.yml`: the examples by intent, and entities as regexes, lookups and synonyms.

    What is said before a message in a conversation has no place in Rasa's file.
    """
    by_intent: dict[str, list[str]] = {}
    for example in examples:
        by_intent.setdefault(example.intent, []).append(example.text)
    items: list[dict[str, Any]] = [_intent(name, texts) for name, texts in by_intent.items()]
    for name, pattern in (patterns or {}).items():
        items.append({"regex": _name(name), "examples": _lines([pattern])})
    synonyms: dict[str, list[str]] = {}
    for name, values in (lists or {}).items():
        names = [known for value, others in values.items() for known in (value, *others)]
        items.append({"lookup": _name(name), "examples": _lines(names)})
        for value, others in values.items():
            synonyms.setdefault(value, []).extend(others)
    items += [
        {"synonym": _name(value), "examples": _lines(list(dict.fromkeys(others)))}
        for value, others in synonyms.items()
        if others
    ]
    return _yaml({"version": _Quoted(VERSION), "nlu": items})


def _intent(name: str, texts: list[str]) -> dict[str, Any]:
    """Return an intent; where a text does not fit on a line as it is, all stand in a list."""
    if all(_fits_a_line(text) for text in texts):
        return {"intent": _name(name), "examples": _lines(texts)}
    return {"intent": _name(name), "examples": [_listed(text) for text in texts]}


def _fits_a_line(text: str) -> bool:
    return (
        text.strip() == text
        and len(text.splitlines()) == 1
        and text.isprintable()
        and not ANNOTATION.search(text)
    )


def _listed(text: str) -> dict[str, Any]:
    """Return an example as Rasa should read it, with its exact text where that differs."""
    shown = text
    while ANNOTATION.search(shown):
        shown = re.sub(r"\](?=[({\[])", "]" + _JOINER, shown)
    if shown == text.strip(_STRIPPED):
        return {"text": _Quoted(text)}
    return {"text": _Quoted(shown), "metadata": {EXACT: _Quoted(text)}}


def _lines(texts: list[str]) -> _Block:
    return _Block("".join(f"- {text}\n" for text in texts))


def domain_yaml(
    intents: Iterable[str], texts: Texts, entities: Iterable[str], actions: Iterable[str] = ()
) -> str:
    """Return `domain.yml`: intents, entities, one slot an entity, and templates as responses."""
    kinds = sorted(entities)
    # Rasa trains on `faq/price` as the retrieval intent `faq`.
    declared = dict.fromkeys(intent.split("/", 1)[0] for intent in intents)
    responses: dict[str, list[dict[str, Any]]] = {}
    for code, templates in texts.items():
        for name, variants in templates.items():
            responses.setdefault(_name(PREFIX + name), []).extend(
                {"text": _Quoted(text), "metadata": {LANGUAGE: code}} for text in variants
            )
    content: dict[str, Any] = {
        "version": _Quoted(VERSION),
        "intents": [_name(intent) for intent in declared],
        "entities": [_name(kind) for kind in kinds],
        "slots": {
            _name(kind): {
                "type": "text",
                "mappings": [{"type": "from_entity", "entity": _name(kind)}],
            }
            for kind in kinds
        },
        "responses": responses,
        "actions": [_name(action) for action in dict.fromkeys(actions)],
    }
    return _yaml({key: value for key, value in content.items() if value})
