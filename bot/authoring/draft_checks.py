"""A draft is read as the server would read it; what is wrong is told with its line."""

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path, PurePosixPath
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bot.agent_assist import canned_replies
from bot.authoring.article_drafts import REMINDERS
from bot.authoring.editable_files import MOST_CHARACTERS, EditableFile, FileKind
from bot.authoring.yaml_source import NO_TEXT, YamlIssue, YamlSource, is_text
from bot.core.types import CarelineError, ConfigurationIssue
from bot.dialogue import policy as policies
from bot.dialogue import policy_checks, templates, validation
from bot.dialogue.policy import PolicyError
from bot.store import content_snapshots
from knowledge_base.chunking import chunk
from knowledge_base.documents import Chunk, Document
from knowledge_base.index.filters import STAFF
from knowledge_base.sources import loader

_FRONT: Final = re.compile(r"\A---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", re.DOTALL)


@dataclass(frozen=True)
class DraftIssue:
    """Something to mend; an error keeps a draft from being published, a warning does not.

    `reason` and `facts` are for pages that say it in another language.
    """

    message: str
    line: int | None = None
    is_error: bool = True
    reason: str = ""
    facts: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True)
class DraftReport:
    """What was found of a draft, and the passages an article would be searched by."""

    problems: tuple[DraftIssue, ...]
    passages: tuple[Chunk, ...] = field(default=())

    @property
    def is_fit(self) -> bool:
        """Whether it may be published."""
        return not any(problem.is_error for problem in self.problems)


def check(home: Path, labels: Sequence[str], paper: EditableFile, text: str) -> DraftReport:
    """Check the new text of a file of the home.

    `labels` are the intents of the active model; none where there is no model.
    """
    if len(text) > MOST_CHARACTERS:
        message = f"it is longer than {MOST_CHARACTERS} characters: split it"
        return _failed(message, "too_long", most=MOST_CHARACTERS)
    if not is_text(text):
        return _failed(NO_TEXT, "no_text")
    if paper.kind in {FileKind.ARTICLE, FileKind.DRAFT}:
        return _article(paper, text)
    tree = YamlSource(text)
    tree.build(text)
    if tree.faults:
        return DraftReport(tuple(_faulty(fault) for fault in tree.faults))
    if paper.kind is FileKind.CANNED:
        return DraftReport(tuple(_canned(tree, text)))
    return _content(home, labels, paper, text, tree)


def _failed(message: str, reason: str, **facts: int) -> DraftReport:
    return DraftReport((DraftIssue(message, reason=reason, facts=facts),))


def _faulty(fault: YamlIssue, above: int = 0) -> DraftIssue:
    """Return a fault of YAML that begins below so many lines."""
    line = None if fault.line is None and not above else (fault.line or 0) + above
    return DraftIssue(fault.message, line, reason=fault.reason, facts=fault.facts)


def _article(paper: EditableFile, text: str) -> DraftReport:
    front = _FRONT.match(text)
    tree = YamlSource(front[1] if front else "")
    # The front matter begins below the line of its rule.
    found = [_faulty(fault, above=1) for fault in tree.faults]
    if found:
        return DraftReport(tuple(found))
    name = PurePosixPath(paper.path).relative_to(
        "kb" if paper.kind is FileKind.ARTICLE else "drafts"
    )
    passages: list[Chunk] = []
    for item in loader.parse(text.encode(), str(name)):
        if isinstance(item, Document):
            passages += chunk(item)
            found += _about(item, tree, datetime.now(UTC).date())
        else:
            line = tree.line([item.facts.get("key")])
            place = line + 1 if line else None
            found.append(DraftIssue(item.error, place, reason=item.reason, facts=item.facts))
    found += _left_over(text)
    if front is None and paper.path.endswith(".md"):
        said = "it has no front matter: begin with `---`, `language: en`, `---`"
        found.append(DraftIssue(said, 1, is_error=False, reason="no_front_matter"))
    return DraftReport(tuple(found), tuple(passages))


def _about(document: Document, tree: YamlSource, today: date) -> Iterator[DraftIssue]:
    """Yield what would surprise who wrote an article that can be read."""

    def warn(key: str, said: str, reason: str, **facts: str) -> DraftIssue:
        line = tree.line([key])
        place = line + 1 if line else None
        return DraftIssue(said, place, is_error=False, reason=reason, facts=facts)

    if document.language is None:
        said = "it names no language: write `language: en` or `zh` on top"
        yield warn("language", said, "no_language")
    if document.audience in STAFF:
        yield warn("audience", "it is for staff: customers are told nothing of it", "for_staff")
    if document.valid_from and document.valid_from > today.isoformat():
        said = f"customers are told nothing of it before {document.valid_from}"
        yield warn("valid_from", said, "not_before", day=document.valid_from)
    if document.valid_until and document.valid_until < today.isoformat():
        said = f"it ended on {document.valid_until}: customers never see it"
        yield warn("valid_until", said, "ended", day=document.valid_until)


def _left_over(text: str) -> Iterator[DraftIssue]:
    """Yield the words that ask for an article to be written, where they still stand in it."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() in REMINDERS:
            said = "write the article, then delete this line"
            yield DraftIssue(said, number, reason="left_over")


def _canned(tree: YamlSource, text: str) -> Iterator[DraftIssue]:
    try:
        canned_replies.parse(text)
    except ValidationError as error:
        for one in error.errors():
            yield _invalid(one, tree)


def _content(
    home: Path, labels: Sequence[str], paper: EditableFile, text: str, tree: YamlSource
) -> DraftReport:
    """Check templates or policy together with the rest of the home's content."""
    problems = list(_lists_outside(tree, text, home)) if paper.kind is FileKind.POLICY else []
    if problems:
        return DraftReport(tuple(problems))
    before = {one.message for one in _current_issues(home, labels)}
    with tempfile.TemporaryDirectory(prefix="careline-draft-") as scratch:
        place = Path(scratch)
        _copy(home, place, paper, text)
        try:
            found = _issues(place, labels)
        except CarelineError as error:
            return DraftReport(tuple(_refused(error, paper, tree, place)))
    return DraftReport(
        tuple(
            DraftIssue(
                one.message,
                tree.line_of_name(one.message),
                is_error=one.message not in before and one.reason != policy_checks.UNKNOWN_INTENT,
                reason=one.reason,
                facts=one.facts,
            )
            for one in found
        )
    )


def _current_issues(home: Path, labels: Sequence[str]) -> list[ConfigurationIssue]:
    """Return what does not fit together in the home as it is; none where it cannot be read."""
    try:
        return _issues(home, labels)
    except CarelineError:
        return []


def _issues(content: Path, labels: Sequence[str]) -> list[ConfigurationIssue]:
    policy = policies.load(content / "policy.yml")
    texts = templates.load(content / "templates")
    return [
        *policy_checks.find_issues(policy.content, labels, texts.names),
        *texts.problems(policy_checks.template_variables(policy.content)),
    ]


def _copy(home: Path, place: Path, paper: EditableFile, text: str) -> None:
    """Put the home's content into a folder, with the draft in its place."""
    (place / "templates").mkdir()
    (place / paper.path).write_text(text, encoding="utf-8")
    for name in content_snapshots.content_files(place if paper.kind is FileKind.POLICY else home):
        source, target = home / name, place / name
        if content_snapshots.is_file(source) and name != paper.path:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


def _lists_outside(tree: YamlSource, text: str, home: Path) -> Iterator[DraftIssue]:
    """Yield the files of names that a policy would read from outside the home, and hidden ones."""
    for name, file in content_snapshots.entity_files(text):
        path = (home / file).resolve()
        hidden = any(part.startswith(".") for part in Path(file).parts)
        if hidden or not path.is_relative_to(home.resolve()):
            said = f"`{file}` lies outside the home: put the file beside policy.yml"
            line = tree.line(["entities", name, "file"])
            yield DraftIssue(said, line, reason="outside", facts={"name": file})


def _refused(
    error: CarelineError, paper: EditableFile, tree: YamlSource, place: Path
) -> Iterator[DraftIssue]:
    """Yield what the readers of policy and templates complain about, perhaps of another file."""
    cause = error.__cause__
    file = str(error.facts.get("file", "")).removeprefix(f"{place}/")
    if isinstance(error, PolicyError) and isinstance(cause, ValidationError):
        found = [_invalid(one, tree) for one in cause.errors()]
    else:
        facts = {name: value for name, value in error.facts.items() if name != "file"}
        line = tree.line_of_name(str(error))
        found = [DraftIssue(str(error), line, reason=error.reason, facts=facts)]
    for one in found:  # people know the home, not the folder it was checked in
        said = one.message.replace(f"{place}/", "").replace(str(place), ".")
        if file in {"", paper.path}:
            yield replace(one, message=said)
        else:
            said = f"{file}: {said.removeprefix(f'{file}: ')}"
            yield replace(one, message=said, line=None, facts={**one.facts, "file": file})


def _invalid(error: ErrorDetails, tree: YamlSource) -> DraftIssue:
    """Return what pydantic complains about; a validator of ours names the entry it means."""
    place, message = error["loc"], error["msg"]
    said = message.removeprefix("Value error, ")
    named = said.partition(":")[0] if said != message else ""
    where = ".".join(map(str, place)) or "the file"
    reason, facts = validation.to_issue(error)
    line = tree.line([*place, named])
    return DraftIssue(f"{where}: {said}", line, reason=reason, facts=facts)
