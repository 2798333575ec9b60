r"""The entities of a policy file: a pattern, or a list of values with their other names.

```yaml
entities:
  booking_code: 'B\\d{4}'                      # a regular expression
  colour: {values: {grey: [gray, 灰色], black: [黑色]}}
  product: {file: products.txt}               # next to policy.yml: `Check-up | examination | 检查`
```
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from bot.core.safe_regex import validate_pattern
from bot.core.types import InvalidValueError
from bot.dialogue import validation

Values = dict[str, tuple[str, ...]]

_FORMATS: Final = "give a regular expression, {values: {name: [other names]}} or {file: names.txt}"


def _none_to_empty(value: object) -> object:
    return () if value is None else value


class _Lookup(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    values: dict[str, Annotated[tuple[str, ...], BeforeValidator(_none_to_empty)]] | None = None
    file: str | None = None


def read(entries: object, folder: Path | None) -> dict[str, str | Values]:
    """Return the entities of a policy by name; an InvalidValueError names the wrong entry."""
    if not isinstance(entries, Mapping):
        message = "entities are a mapping of names"
        raise InvalidValueError(message, "not_mapping")
    return {str(name): _entity(str(name), entry, folder) for name, entry in entries.items()}


def _entity(name: str, entry: Any, folder: Path | None) -> str | Values:
    if isinstance(entry, str):
        try:
            return validate_pattern(entry)
        except InvalidValueError as error:
            message = f"{name}: {error}"
            raise InvalidValueError(message, error.reason, place=name, **error.facts) from error
    try:
        lookup = _Lookup.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, (name, *first["loc"])))
        message = f"{where}: {first['msg']}; {_FORMATS}"
        reason, facts = validation.to_issue(first, name)
        raise InvalidValueError(message, reason, **facts) from error
    if (lookup.values is None) == (lookup.file is None):
        message = f"{name}: {_FORMATS}"
        raise InvalidValueError(message, "no_entity", place=name)
    values = lookup.values if lookup.file is None else _from_file(name, lookup.file, folder)
    return _check_unambiguous(name, values or {})


def _from_file(name: str, file: str, folder: Path | None) -> Values:
    """Read one value per line, followed by its other names after `|`; `#` starts a comment."""
    path = (folder or Path()) / file
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, or not a valid path
        message = f"{name}: cannot read {path} as UTF-8 text: {error}"
        why = getattr(error, "strerror", None) or str(error)
        raise InvalidValueError(message, "unread_names", place=name, names=file, why=why) from error
    values: Values = {}
    for line in lines:
        names = [part.strip() for part in line.split("#", 1)[0].split("|")]
        if names[0]:
            values[names[0]] = (*values.get(names[0], ()), *(part for part in names[1:] if part))
    return values


def _check_unambiguous(name: str, values: Values) -> Values:
    owners: dict[str, str] = {}
    for value, synonyms in values.items():
        for spelling in (value, *synonyms):
            if not spelling.strip():
                message = f"{name}.{value}: a name is empty"
                raise InvalidValueError(message, "empty_name", place=f"{name}.{value}")
            owner = owners.setdefault(spelling.casefold(), value)
            if owner != value:
                message = f"{name}: {spelling} is a name of both {owner} and {value}"
                raise InvalidValueError(
                    message, "two_owners", place=name, known=spelling, first=owner, second=value
                )
    if not values:
        message = f"{name}: the list is empty"
        raise InvalidValueError(message, "no_values", place=name)
    return values
