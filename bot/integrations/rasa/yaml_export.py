"""Examples, entities and templates as the YAML files that Rasa 3 loads."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import yaml

from bot.integrations.rasa.project import ANNOTATION, EXACT, Lists
from bot.integrations.rasa.responses import LANGUAGE, PREFIX
from bot.training.datasets import Example

VERSION: Final = "3.1"
_STRIPPED: Final = "\n\r "  # the characters that Rasa strips from an example
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_/-]*")
_YAML_WORDS: Final = frozenset({"yes", "no", "on", "off", "true", "false", "null", "y", "n"})
_JOINER: Final = "\u2060"  # an invisible character between brackets that are no annotation

Texts = Mapping[str, Mapping[str, Sequence[str]]]  # language → template → variants


class _Quoted(str):
    """A text that is written in quotes, so that every version of YAML reads it as text."""

    __slots__ = ()


class _Block(str):
    """Lines that are written as a block, if YAML can."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002 - PyYAML's signature
        """Indent lists below their key, as in Rasa's own files."""
        del indentless
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: object) -> bool:
        """Write no aliases."""
        del data
        return True


def _represent_quoted(dumper: yaml.SafeDumper, data: _Quoted) -> yaml.ScalarNode:
    # PyYAML escapes emojis in double quotes and folds line breaks in single quotes.
    style = "'" if data.isprintable() and max(data, default="") > "\uffff" else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(data), style=style)


def _represent_block(dumper: yaml.SafeDumper, data: _Block) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(data), style="|")


_Dumper.add_representer(_Quoted, _represent_quoted)
_Dumper.add_representer(_Block, _represent_block)


def _dump(content: Mapping[str, Any]) -> str:
    return str(yaml.dump(content, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=2**31))


def _name(text: str) -> str:
    is_plain = _NAME.fullmatch(text) and text.lower() not in _YAML_WORDS
    return text if is_plain else _Quoted(text)


def nlu_yaml(
    examples: Iterable[Example],
    patterns: Mapping[str, str] | None = None,
    lists: Lists | None = None,
) -> str:
    """Return `nlu.yml`: the examples by intent, and entities as regexes, lookups and synonyms.

    The context of messages in conversations is left out; Rasa's format has no place for it.
    """
    by_intent: dict[str, list[str]] = {}
    for example in examples:
        by_intent.setdefault(example.intent, []).append(example.text)
    items: list[dict[str, Any]] = [_intent(name, texts) for name, texts in by_intent.items()]
    for name, pattern in (patterns or {}).items():
        items.append({"regex": _name(name), "examples": _lines([pattern])})
    synonyms: dict[str, list[str]] = {}
    for name, values in (lists or {}).items():
        elements = [text for value, names in values.items() for text in (value, *names)]
        items.append({"lookup": _name(name), "examples": _lines(elements)})
        for value, names in values.items():
            synonyms.setdefault(value, []).extend(names)
    items += [
        {"synonym": _name(value), "examples": _lines(list(dict.fromkeys(names)))}
        for value, names in synonyms.items()
        if names
    ]
    return _dump({"version": _Quoted(VERSION), "nlu": items})


def _intent(name: str, texts: list[str]) -> dict[str, Any]:
    """Return an intent, with a list of examples if a text cannot be written on a line."""
    if all(_fits_on_line(text) for text in texts):
        return {"intent": _name(name), "examples": _lines(texts)}
    return {"intent": _name(name), "examples": [_example(text) for text in texts]}


def _fits_on_line(text: str) -> bool:
    return (
        text.strip() == text
        and len(text.splitlines()) == 1
        and text.isprintable()
        and not ANNOTATION.search(text)
    )


def _example(text: str) -> dict[str, Any]:
    """Return an example without annotations, with its exact text if that differs."""
    plain = text
    while ANNOTATION.search(plain):
        plain = re.sub(r"\](?=[({\[])", "]" + _JOINER, plain)
    if plain == text.strip(_STRIPPED):
        return {"text": _Quoted(text)}
    return {"text": _Quoted(plain), "metadata": {EXACT: _Quoted(text)}}


def _lines(texts: list[str]) -> _Block:
    return _Block("".join(f"- {text}\n" for text in texts))


def domain_yaml(
    intents: Iterable[str], texts: Texts, entities: Iterable[str], actions: Iterable[str] = ()
) -> str:
    """Return `domain.yml`: intents, entities, a slot for each, and templates as responses."""
    kinds = sorted(entities)
    # In Rasa, `faq/price` is an example of the retrieval intent `faq`.
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
    return _dump({key: value for key, value in content.items() if value})
