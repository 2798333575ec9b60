"""Validation errors of a home's files, with the keys the pages have sentences for."""

from collections.abc import Mapping
from typing import Final

from pydantic_core import ErrorDetails

from bot.core.types import InvalidValueError

# The pydantic error types that our models can raise.
REASONS: Final = {
    "missing": "field_missing",
    "extra_forbidden": "field_unknown",
    "literal_error": "not_one_of",
    "string_type": "not_text",
    "int_type": "not_whole",
    "int_parsing": "not_whole",
    "int_from_float": "not_whole",
    "float_type": "not_number",
    "float_parsing": "not_number",
    "bool_type": "not_yes_or_no",
    "bool_parsing": "not_yes_or_no",
    "list_type": "not_list",
    "tuple_type": "not_list",
    "dict_type": "not_mapping",
    "model_type": "not_mapping",
    "invalid_key": "name_not_text",
    "greater_than": "not_above",
    "greater_than_equal": "below_least",
    "less_than_equal": "above_most",
    "string_too_short": "field_empty",
    "string_too_long": "field_too_long",
    "too_long": "too_many_items",
    "string_pattern_mismatch": "not_like",
}
_KEY: Final = "[key]"  # the last part of a location that means the name of an entry


def to_issue(error: ErrorDetails, *above: str) -> tuple[str, dict[str, str | int]]:
    """Return the reason of an error and its facts; `place` names the entry, below `above`."""
    place = [*above, *map(str, error["loc"])]
    reason = REASONS.get(error["type"], "")
    context: Mapping[str, object] = error.get("ctx", {})
    cause = context.get("error")
    if isinstance(cause, InvalidValueError):
        inside = [str(cause.facts["place"])] if "place" in cause.facts else []
        return cause.reason, {**cause.facts, "place": ".".join([*place, *inside])}
    if place[-1:] == [_KEY]:
        place, reason = place[:-1], "name_not_text"
    return reason, {"place": ".".join(place), **{k: _format_fact(v) for k, v in context.items()}}


def _format_fact(value: object) -> str:
    """Return a value of an error as text that is the same in every language."""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text.replace("' or '", "', '")
