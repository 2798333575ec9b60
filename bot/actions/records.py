"""Records of a customer that a home's actions show to agents.

An action with `records` and `prove` is the home's `RecordSource`. The home defines the records,
their proof and all texts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

Texts = Mapping[str, str]  # language code → text


@dataclass(frozen=True)
class ProofField:
    """A value that proves a record: its name in a request, and its title."""

    name: str
    title: Texts


@dataclass(frozen=True)
class RecordValue:
    """A value of a record with its title."""

    title: Texts
    value: Texts


@dataclass(frozen=True)
class Record:
    """A record for display: a heading, its state, how it was proven, and values.

    `data` is the record for programs; its keys are keys of the route's JSON.
    """

    heading: str
    status: Texts
    proof: Texts
    values: Sequence[RecordValue] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


@runtime_checkable
class RecordSource(Protocol):
    """An action that reads the records of customers; reading changes nothing."""

    @property
    def titles(self) -> Mapping[str, Texts]:
        """The texts around the records: `records`, `none` and `no_match`."""

    @property
    def proof_fields(self) -> Sequence[ProofField]:
        """The values that prove a record."""

    def records(self, customer: str | None, conversation: str, /) -> Sequence[Record]:
        """Return the records of a verified customer, and those proven in a conversation."""

    def prove(self, fields: Mapping[str, str], /) -> Sequence[Record]:
        """Return the records that these values prove; none if they do not match."""


@runtime_checkable
class ProofSource(Protocol):
    """An action that returns the values which prove a record.

    They replace personal data that the log does not contain, when a test is recorded from it.
    """

    def proof_values(self, identifier: str, /) -> Mapping[str, str]:
        """Return the values that prove a record, by slot name; none if it is unknown."""


def as_json(record: Record) -> dict[str, Any]:
    """Return a record as JSON for the route."""
    return {
        **record.data,
        "display": {
            "heading": record.heading,
            "status": dict(record.status),
            "proof": dict(record.proof),
            "values": [
                {"title": dict(item.title), "value": dict(item.value)} for item in record.values
            ],
        },
    }
