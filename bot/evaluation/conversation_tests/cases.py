"""The format of the conversation tests in a home's `tests/*.yml`, with its validation."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from bot.core.types import CarelineError
from bot.dialogue.policy_file import PolicyContent

SUFFIXES: Final = (".yml", ".yaml")
WITHOUT: Final = r"^(model|knowledge|actions|routes\.\w+|templates\.\w+)$"


class _TextLoader(yaml.SafeLoader):
    """Loads every scalar but null as text: `yes` and `12345` are what customers write."""

    yaml_implicit_resolvers = {  # noqa: RUF012 — as in the base class
        first: [(tag, pattern) for tag, pattern in resolvers if tag.endswith((":null", ":merge"))]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


class ConversationTestError(CarelineError):
    """A file of tests is invalid; the message names the file, the test and the key."""


def _as_sequence(value: object) -> object:
    return value if isinstance(value, list | tuple) else (value,)


# One value, or a list of alternatives.
AnyOf = Annotated[tuple[str | None, ...], BeforeValidator(_as_sequence)]
# A list of required values; an entry may be a list of alternatives.
All = Annotated[tuple[AnyOf, ...], BeforeValidator(_as_sequence)]


class StrictModel(BaseModel):
    """A part of a test; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ReplyExpectation(StrictModel):
    """The expected reply."""

    contains: All = ()
    not_contains: All = ()
    cites: All = ()  # ids of articles
    equals: AnyOf | None = None


class OwnerExpectation(StrictModel):
    """The expected owner of the conversation after the turn."""

    state: AnyOf | None = None
    queue: AnyOf | None = None
    position: int | None = None


class RequestExpectation(StrictModel):
    """The expected decision about one request."""

    route: AnyOf | None = None
    intent: AnyOf | None = None
    reason: AnyOf | None = None


class TurnExpectation(RequestExpectation):
    """The expected result of a turn; missing keys are not checked.

    `template` is a template of the reply, `action` an action that ran (null: none did), `form` the
    slot that the open form asks for (null: none is open).
    """

    template: AnyOf | None = None
    action: AnyOf | None = None
    slots: dict[str, AnyOf] = Field(default_factory=dict)
    reply: ReplyExpectation = ReplyExpectation()
    buttons: All | None = None  # titles or payloads; an empty list: none
    handoff: OwnerExpectation = OwnerExpectation()
    language: AnyOf | None = None
    form: AnyOf | None = None
    requests: tuple[RequestExpectation, ...] = ()  # of a message with several, in order


class TestStep(StrictModel):
    """One turn of a test: a message of the customer or an agent, or an event."""

    customer: str | None = None
    agent: str | None = None
    event: Literal["take", "give_back", "transfer", "close", "silence", "wait"] | None = None
    minutes: float | None = Field(None, gt=0)  # of `wait`
    queue: str | None = None  # of `transfer`
    expect: TurnExpectation = TurnExpectation()

    @model_validator(mode="after")
    def _has_one_kind(self) -> Self:
        if sum(part is not None for part in (self.customer, self.agent, self.event)) != 1:
            message = "a turn has one of `customer`, `agent`, `event`"
            raise ValueError(message)
        if (self.event == "wait") != (self.minutes is not None):
            message = "`minutes` belongs to `event: wait`, and has to be there"
            raise ValueError(message)
        if self.queue is not None and self.event != "transfer":
            message = "`queue` belongs to `event: transfer`"
            raise ValueError(message)
        return self


class ConversationTest(StrictModel):
    """A test: one conversation. Without `at` it begins in opening hours of its language.

    `policy` changes entries of `policy.yml` for this test alone; `without` removes a part:
    `model`, `knowledge`, `actions`, `routes.<intent>` or `templates.<name>`.
    """

    name: str
    language: Literal["en", "zh"] = "en"
    at: datetime | None = None
    channel: str = "test"
    customer: str | None = None
    policy: PolicyContent | None = None
    without: tuple[Annotated[str, Field(pattern=WITHOUT)], ...] = ()
    turns: tuple[TestStep, ...] = Field(min_length=1)

    @field_validator("at")
    @classmethod
    def _with_zone(cls, at: datetime | None) -> datetime | None:
        return at.replace(tzinfo=UTC) if at and at.tzinfo is None else at


class LocatedTest(BaseModel):
    """A test and its file."""

    model_config = ConfigDict(frozen=True)

    file: Path
    case: ConversationTest


def files_of(home: Path, paths: Sequence[Path] = ()) -> list[Path]:
    """Return the files of tests: the given ones, those in given folders, or the home's."""
    files: list[Path] = []
    for path in paths or [home / "tests"]:
        if paths and not path.exists():
            message = f"there is no file or folder {path}"
            raise ConversationTestError(message)
        files += sorted(p for p in path.rglob("*") if p.suffix in SUFFIXES) or (
            [path] if path.is_file() else []
        )
    if not files:
        message = f"{home / 'tests'} holds no .yml: write tests there, or record one with --from"
        raise ConversationTestError(message)
    return files


def read(files: Iterable[Path], containing: str = "") -> list[LocatedTest]:
    """Read the tests whose names or files contain a text; all errors are reported at once."""
    errors: list[str] = []
    tests: list[LocatedTest] = []
    for file in files:
        tests += [LocatedTest(file=file, case=case) for case in _read(file, errors)]
    if errors:
        raise ConversationTestError("; ".join(errors))
    part = containing.casefold()
    return [test for test in tests if part in f"{test.file} {test.case.name}".casefold()]


def _read(file: Path, faults: list[str]) -> list[ConversationTest]:
    try:
        # As safe as SafeLoader, which creates only plain values.
        rows: Any = yaml.load(file.read_text(encoding="utf-8"), _TextLoader) or []  # noqa: S506
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        faults.append(f"{file} cannot be read: {' '.join(str(error).split())}")
        return []
    if not isinstance(rows, list):
        faults.append(f"{file} must be a list of tests: `- name: …`")
        return []
    cases: list[ConversationTest] = []
    for number, row in enumerate(rows, start=1):
        name = row.get("name", number) if isinstance(row, dict) else number
        try:
            cases.append(ConversationTest.model_validate(row))
        except ValidationError as error:
            faults += [f"{file}: test `{name}`: {_describe_error(dict(e))}" for e in error.errors()]
    names = Counter(case.name for case in cases)
    faults += [f"{file}: {n} tests are called `{name}`" for name, n in names.items() if n > 1]
    return cases


def _describe_error(error: dict[str, Any]) -> str:
    key = ".".join(str(part) for part in error["loc"])
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        return f"the key `{key}` is unknown"
    return f"{key}: {message}" if key else message
