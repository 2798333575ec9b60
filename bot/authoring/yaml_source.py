"""YAML as a person wrote it: where each entry stands, and what no file of ours should hold."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

import yaml

_HOW: Final = "write `name: value`, and put texts that hold a colon, # or { in quotes"
NO_TEXT: Final = "it holds characters that are no text: delete them"
_MOST_NODES: Final = 100_000  # counted as if every alias were written out


def is_text(text: str) -> bool:
    """Return whether every database and every file takes a text."""
    return "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


@dataclass(frozen=True)
class YamlIssue:
    """Something wrong in a file, and its line, counted from 1; `reason` is a key for pages."""

    message: str
    line: int | None = None
    reason: str = ""
    facts: Mapping[str, str | int] = field(default_factory=dict)


class YamlSource:
    """The nodes of one document; where it could not be read, its faults alone."""

    def __init__(self, text: str) -> None:
        """Read a text; nothing is built from it, so that nothing in it can grow."""
        self.faults: list[YamlIssue] = []
        self._root: yaml.Node | None = None
        with self._noting():
            self._root = yaml.compose(text, Loader=yaml.SafeLoader)
            if self._root is not None:
                self._examine(self._root)

    def build(self, text: str) -> None:
        """Note what cannot be made of the same text: the 45th of a month, tags of other programs.

        Only where it has no faults yet, so that nothing can grow.
        """
        if self.faults or self._root is None:
            return
        loader = yaml.SafeLoader("")
        for node in _scalars(self._root, set()):
            # What YAML itself complains about comes with its line, and `<<` is no value.
            with self._noting(_line(node)), suppress(yaml.YAMLError):
                value = loader.construct_object(node)
                if isinstance(value, str) and not is_text(value):  # by an escape
                    self.faults.append(YamlIssue(NO_TEXT, _line(node), "no_text"))
        if not self.faults:
            with self._noting():
                yaml.safe_load(text)

    @contextmanager
    def _noting(self, line: int | None = None) -> Iterator[None]:
        """Keep what YAML complains about; `line` is where it is not told with the complaint."""
        try:
            yield
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            what = " ".join(part for part in (error.context, error.problem) if part)
            message = f"this is not YAML ({what}): {_HOW}"
            line = mark.line + 1 if mark else None
            self.faults.append(YamlIssue(message, line, "not_yaml", {"why": what}))
        except (yaml.YAMLError, ValueError) as error:
            what = " ".join(str(error).split())
            message = f"this is not YAML ({what}): {_HOW}"
            self.faults.append(YamlIssue(message, line, "not_yaml", {"why": what}))
        except RecursionError:
            message = "its entries are nested too deep: write it flatter"
            self.faults.append(YamlIssue(message, None, "too_deep"))

    def _examine(self, root: yaml.Node) -> None:
        sizes: dict[int, int] = {}

        def size(node: yaml.Node, above: frozenset[int]) -> int:
            if id(node) in above:
                message = "an entry holds itself: write it out"
                self.faults.append(YamlIssue(message, _line(node), "holds_itself"))
                return 1
            if id(node) not in sizes:
                inside = above | {id(node)}
                sizes[id(node)] = 1 + sum(size(child, inside) for child in _children(node))
            return sizes[id(node)]

        if size(root, frozenset()) > _MOST_NODES:
            message = f"with its aliases written out it has over {_MOST_NODES} entries"
            self.faults.append(YamlIssue(message, None, "too_many", {"most": _MOST_NODES}))
            return
        for node in _mappings(root, set()):
            seen: set[str] = set()
            for key, _ in node.value:
                name = str(key.value)
                if name in seen and name != "<<":
                    said = f"`{name}` stands here twice: only the last one would count"
                    self.faults.append(YamlIssue(said, _line(key), "twice", {"name": name}))
                seen.add(name)

    def line(self, place: Sequence[object]) -> int | None:
        """Return the line of an entry, or of what is nearest above it."""
        node, found = self._root, None
        for step in place:
            child = _below(node, step)
            if child is None:
                break
            found, node = _line(child[0]), child[1]
        return found

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
    """Yield the single values of a tree and the names of its entries, each once."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        yield node
    for child in _children(node):
        yield from _scalars(child, seen)


def _below(node: yaml.Node | None, step: object) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        return next(((k, v) for k, v in node.value if str(k.value) == str(step)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
