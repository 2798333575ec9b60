"""Checks of edited files: they are read as the server reads them, and issues have their line."""

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
from bot.authoring.editable_files import MAX_CHARACTERS, EditableFile, FileKind
from bot.authoring.yaml_source import NO_TEXT, YamlIssue, YamlSource, is_text
from bot.core.types import CarelineError, ConfigurationIssue
from bot.dialogue import policy, policy_checks, templates, validation
from bot.dialogue.policy import PolicyError
from bot.store import content_snapshots
from knowledge_base.chunking import chunk
from knowledge_base.documents import Chunk, Document
from knowledge_base.index.filters import STAFF
from knowledge_base.sources import loader

_FRONT_MATTER: Final = re.compile(r"\A---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", re.DOTALL)


@dataclass(frozen=True)
class DraftIssue:
    """An issue of a draft; an error prevents publishing, a warning does not.

    Pages translate it by `reason` and `facts`.
    """

    message: str
    line: int | None = None
    is_error: bool = True
    reason: str = ""
    facts: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True)
class DraftReport:
    """The issues of a draft, and the passages into which an article is cut."""

    problems: tuple[DraftIssue, ...]
    passages: tuple[Chunk, ...] = field(default=())

    @property
    def is_fit(self) -> bool:
        """Return whether it may be published."""
        return not any(problem.is_error for problem in self.problems)


def check(home: Path, labels: Sequence[str], file: EditableFile, text: str) -> DraftReport:
    """Check the new text of a file of the home.

    `labels` are the intents of the active model, empty if there is none.
    """
    if len(text) > MAX_CHARACTERS:
        message = f"it is longer than {MAX_CHARACTERS} characters: split it"
        return _single_issue(message, "too_long", most=MAX_CHARACTERS)
    if not is_text(text):
        return _single_issue(NO_TEXT, "no_text")
    if file.kind in {FileKind.ARTICLE, FileKind.DRAFT}:
        return _check_article(file, text)
    tree = YamlSource(text)
    tree.build(text)
    if tree.issues:
        return DraftReport(tuple(_from_yaml(issue) for issue in tree.issues))
    if file.kind is FileKind.CANNED:
        return DraftReport(tuple(_check_canned(tree, text)))
    return _check_content(home, labels, file, text, tree)


def _single_issue(message: str, reason: str, **facts: int) -> DraftReport:
    return DraftReport((DraftIssue(message, reason=reason, facts=facts),))


def _from_yaml(issue: YamlIssue, offset: int = 0) -> DraftIssue:
    """Return an issue of YAML that begins `offset` lines below the start of the file."""
    line = None if issue.line is None and not offset else (issue.line or 0) + offset
    return DraftIssue(issue.message, line, reason=issue.reason, facts=issue.facts)


def _check_article(file: EditableFile, text: str) -> DraftReport:
    front = _FRONT_MATTER.match(text)
    tree = YamlSource(front[1] if front else "")
    # The front matter begins one line below its `---`.
    issues = [_from_yaml(issue, offset=1) for issue in tree.issues]
    if issues:
        return DraftReport(tuple(issues))
    folder = "kb" if file.kind is FileKind.ARTICLE else "drafts"
    name = PurePosixPath(file.path).relative_to(folder)
    passages: list[Chunk] = []
    for item in loader.parse(text.encode(), str(name)):
        if isinstance(item, Document):
            passages += chunk(item)
            issues += _warnings(item, tree, datetime.now(UTC).date())
        else:
            key_line = tree.line([item.facts.get("key")])
            line = key_line + 1 if key_line else None
            issues.append(DraftIssue(item.error, line, reason=item.reason, facts=item.facts))
    issues += _find_reminders(text)
    if front is None and file.path.endswith(".md"):
        message = "it has no front matter: begin with `---`, `language: en`, `---`"
        issues.append(DraftIssue(message, 1, is_error=False, reason="no_front_matter"))
    return DraftReport(tuple(issues), tuple(passages))


def _warnings(document: Document, tree: YamlSource, today: date) -> Iterator[DraftIssue]:
    """Yield the warnings about an article that can be read."""

    def warn(key: str, message: str, reason: str, **facts: str) -> DraftIssue:
        key_line = tree.line([key])
        line = key_line + 1 if key_line else None
        return DraftIssue(message, line, is_error=False, reason=reason, facts=facts)

    if document.language is None:
        message = "it has no language: write `language: en` or `zh` at the top"
        yield warn("language", message, "no_language")
    if document.audience in STAFF:
        yield warn("audience", "it is for staff: customers do not see it", "for_staff")
    if document.valid_from and document.valid_from > today.isoformat():
        message = f"customers do not see it before {document.valid_from}"
        yield warn("valid_from", message, "not_before", day=document.valid_from)
    if document.valid_until and document.valid_until < today.isoformat():
        message = f"it ended on {document.valid_until}: customers do not see it"
        yield warn("valid_until", message, "ended", day=document.valid_until)


def _find_reminders(text: str) -> Iterator[DraftIssue]:
    """Yield the reminders of a new draft that are still in the text."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() in REMINDERS:
            message = "write the article, then delete this line"
            yield DraftIssue(message, number, reason="left_over")


def _check_canned(tree: YamlSource, text: str) -> Iterator[DraftIssue]:
    try:
        canned_replies.parse(text)
    except ValidationError as error:
        for details in error.errors():
            yield _from_pydantic(details, tree)


def _check_content(
    home: Path, labels: Sequence[str], file: EditableFile, text: str, tree: YamlSource
) -> DraftReport:
    """Check templates or policy together with the rest of the home's content."""
    outside = list(_find_outside_files(tree, text, home)) if file.kind is FileKind.POLICY else []
    if outside:
        return DraftReport(tuple(outside))
    before = {issue.message for issue in _current_issues(home, labels)}
    with tempfile.TemporaryDirectory(prefix="careline-draft-") as scratch:
        folder = Path(scratch)
        _copy_content(home, folder, file, text)
        try:
            issues = _find_issues(folder, labels)
        except CarelineError as error:
            return DraftReport(tuple(_from_error(error, file, tree, folder)))
    return DraftReport(
        tuple(
            DraftIssue(
                issue.message,
                tree.line_of_name(issue.message),
                is_error=issue.message not in before
                and issue.reason != policy_checks.UNKNOWN_INTENT,
                reason=issue.reason,
                facts=issue.facts,
            )
            for issue in issues
        )
    )


def _current_issues(home: Path, labels: Sequence[str]) -> list[ConfigurationIssue]:
    """Return the issues that the home has already; none if it cannot be read."""
    try:
        return _find_issues(home, labels)
    except CarelineError:
        return []


def _find_issues(content: Path, labels: Sequence[str]) -> list[ConfigurationIssue]:
    draft = policy.load(content / "policy.yml")
    texts = templates.load(content / "templates")
    return [
        *policy_checks.find_issues(draft.content, labels, texts.names),
        *texts.problems(policy_checks.template_variables(draft.content)),
    ]


def _copy_content(home: Path, folder: Path, file: EditableFile, text: str) -> None:
    """Copy the home's content into a folder, with the draft in place of its file."""
    (folder / "templates").mkdir()
    (folder / file.path).write_text(text, encoding="utf-8")
    for name in content_snapshots.content_files(folder if file.kind is FileKind.POLICY else home):
        source, target = home / name, folder / name
        if content_snapshots.is_file(source) and name != file.path:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


def _find_outside_files(tree: YamlSource, text: str, home: Path) -> Iterator[DraftIssue]:
    """Yield the entity files of a policy that are hidden or outside the home."""
    for name, file in content_snapshots.entity_files(text):
        path = (home / file).resolve()
        is_hidden = any(part.startswith(".") for part in Path(file).parts)
        if is_hidden or not path.is_relative_to(home.resolve()):
            message = f"`{file}` is hidden or outside the home: put it beside policy.yml"
            line = tree.line(["entities", name, "file"])
            yield DraftIssue(message, line, reason="outside", facts={"name": file})


def _from_error(
    error: CarelineError, file: EditableFile, tree: YamlSource, folder: Path
) -> Iterator[DraftIssue]:
    """Yield the issues of a policy or templates that cannot be read, perhaps of another file."""
    cause = error.__cause__
    path = str(error.facts.get("file", "")).removeprefix(f"{folder}/")
    if isinstance(error, PolicyError) and isinstance(cause, ValidationError):
        issues = [_from_pydantic(details, tree) for details in cause.errors()]
    else:
        facts = {name: value for name, value in error.facts.items() if name != "file"}
        line = tree.line_of_name(str(error))
        issues = [DraftIssue(str(error), line, reason=error.reason, facts=facts)]
    for issue in issues:  # without the temporary folder, which nobody knows
        message = issue.message.replace(f"{folder}/", "").replace(str(folder), ".")
        if path in {"", file.path}:
            yield replace(issue, message=message)
        else:
            message = f"{path}: {message.removeprefix(f'{path}: ')}"
            yield replace(issue, message=message, line=None, facts={**issue.facts, "file": path})


def _from_pydantic(error: ErrorDetails, tree: YamlSource) -> DraftIssue:
    """Return an error of pydantic as an issue; our own validators name the entry first."""
    location, full_message = error["loc"], error["msg"]
    message = full_message.removeprefix("Value error, ")
    entry = message.partition(":")[0] if message != full_message else ""
    where = ".".join(map(str, location)) or "the file"
    reason, facts = validation.to_issue(error)
    line = tree.line([*location, entry])
    return DraftIssue(f"{where}: {message}", line, reason=reason, facts=facts)
