"""YAML files with the line of each entry, and checks for contents that no file may have."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

import yaml

_HINT: Final = "write `name: value`, and put texts that contain a colon, # or { in quotes"
NO_TEXT: Final = "it contains characters that are not text: delete them"
_MAX_NODES: Final = 100_000  # with every alias written out


def is_text(text: str) -> bool:
    """Return whether every database and every file accepts a text."""
    return "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


@dataclass(frozen=True)
class YamlIssue:
    """An issue of a file, with its line from 1; pages translate it by `reason` and `facts`."""

    message: str
    line: int | None = None
    reason: str = ""
    facts: Mapping[str, str | int] = field(default_factory=dict)


class YamlSource:
    """The nodes of a document, or its issues if it cannot be read."""

    def __init__(self, text: str) -> None:
        """Parse a text without constructing its values, so that aliases cannot expand."""
        self.issues: list[YamlIssue] = []
        self._root: yaml.Node | None = None
        with self._collect_errors():
            self._root = yaml.compose(text, Loader=yaml.SafeLoader)
            if self._root is not None:
                self._examine(self._root)

    def build(self, text: str) -> None:
        """Collect the values that cannot be constructed: impossible dates, tags of other programs.

        Does nothing if there are issues already, so that aliases cannot expand.
        """
        if self.issues or self._root is None:
            return
        loader = yaml.SafeLoader("")
        for node in _scalars(self._root, set()):
            # YAML's own errors are collected below, with their lines; `<<` is not a value.
            with self._collect_errors(_line(node)), suppress(yaml.YAMLError):
                value = loader.construct_object(node)
                if isinstance(value, str) and not is_text(value):  # through an escape
                    self.issues.append(YamlIssue(NO_TEXT, _line(node), "no_text"))
        if not self.issues:
            with self._collect_errors():
                yaml.safe_load(text)

    @contextmanager
    def _collect_errors(self, line: int | None = None) -> Iterator[None]:
        """Collect YAML's errors as issues; `line` is used if an error has no line."""
        try:
            yield
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            why = " ".join(part for part in (error.context, error.problem) if part)
            message = f"this is not YAML ({why}): {_HINT}"
            line = mark.line + 1 if mark else None
            self.issues.append(YamlIssue(message, line, "not_yaml", {"why": why}))
        except (yaml.YAMLError, ValueError) as error:
            why = " ".join(str(error).split())
            message = f"this is not YAML ({why}): {_HINT}"
            self.issues.append(YamlIssue(message, line, "not_yaml", {"why": why}))
        except RecursionError:
            message = "its entries are nested too deep: write it flatter"
            self.issues.append(YamlIssue(message, None, "too_deep"))

    def _examine(self, root: yaml.Node) -> None:
        sizes: dict[int, int] = {}

        def size(node: yaml.Node, ancestors: frozenset[int]) -> int:
            if id(node) in ancestors:
                message = "an entry contains itself: write it out"
                self.issues.append(YamlIssue(message, _line(node), "holds_itself"))
                return 1
            if id(node) not in sizes:
                path = ancestors | {id(node)}
                sizes[id(node)] = 1 + sum(size(child, path) for child in _children(node))
            return sizes[id(node)]

        if size(root, frozenset()) > _MAX_NODES:
            message = f"with its aliases written out it has over {_MAX_NODES} entries: shorten it"
            self.issues.append(YamlIssue(message, None, "too_many", {"most": _MAX_NODES}))
            return
        for node in _mappings(root, set()):
            names: set[str] = set()
            for key, _ in node.value:
                name = str(key.value)
                if name in names and name != "<<":
                    message = f"`{name}` appears twice: remove one, only the last one counts"
                    self.issues.append(YamlIssue(message, _line(key), "twice", {"name": name}))
                names.add(name)

    def line(self, path: Sequence[object]) -> int | None:
        """Return the line of an entry, or of its nearest existing parent."""
        node, line = self._root, None
        for step in path:
            child = _child(node, step)
            if child is None:
                break
            line, node = _line(child[0]), child[1]
        return line

    def line_of_name(self, message: str) -> int | None:
        """Return the line of the first entry that a message names in backticks."""
        for name in re.findall(r"`([^`]+)`", message):
            for mapping in _mappings(self._root, set()) if self._root else ():
                for key, _ in mapping.value:
                    if key.value == name:
                        return _line(key)
        return None


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def _mappings(node: yaml.Node, seen: set[int]) -> Iterator[yaml.MappingNode]:
    """Yield the mappings of a tree, outer ones first, each once."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        yield node
    for child in _children(node):
        yield from _mappings(child, seen)


def _scalars(node: yaml.Node, seen: set[int]) -> Iterator[yaml.ScalarNode]:
    """Yield the scalar values and the keys of a tree, each once."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        yield node
    for child in _children(node):
        yield from _scalars(child, seen)


def _child(node: yaml.Node | None, step: object) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        return next(((k, v) for k, v in node.value if str(k.value) == str(step)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
