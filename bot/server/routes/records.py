"""Routes of a customer's records, for the agent of the conversation; they change nothing.

The home's actions define the records and their proof. The path is `orders` because at first all
records were orders.
"""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from pydantic import Field

from bot.actions import records
from bot.actions.records import RecordSource
from bot.actions.runner import ActionRunner
from bot.core.types import NotFoundError
from bot.dialogue.handoff import ConversationOwner
from bot.server.api_errors import RefusedRequestError
from bot.server.auth.access import StaffUser
from bot.server.dependencies import TheService
from bot.server.routes.console import TheStaff
from bot.server.service import Service
from bot.store.accounts import AccessLevel

router: Final = APIRouter(prefix="/api/desk/conversations/{conversation}/orders")
_NO_SOURCE: Final = "the orders are in another system: look there"
_NO_MATCH: Final = "no record has these values: ask the customer for them"
Values = Annotated[
    dict[
        Annotated[str, Field(max_length=64)],
        Annotated[str, Field(min_length=1, max_length=250)],
    ],
    Field(max_length=20),
]


def allowed(conversation: str, staff: TheStaff, service: TheService) -> StaffUser:
    """Return the caller; raise 403 unless the conversation is assigned to them."""
    assignment = service.desk.assignment(conversation)
    is_assigned = assignment.owner is ConversationOwner.HUMAN
    is_own = is_assigned and staff.user is not None and assignment.agent == staff.user.id
    if not (is_own or staff.level.covers(AccessLevel.SUPERVISOR)):
        message = "take over the conversation first to see its orders"
        raise RefusedRequestError(403, message, "orders_first")
    return staff


Allowed = Annotated[StaffUser, Depends(allowed)]


@router.get("")
def orders(conversation: str, staff: Allowed, service: TheService) -> dict[str, Any]:
    """List the records of the customer, as far as the customer is verified.

    `known` is false if they are in another system. `titles` and `fields` name the records and the
    values that prove one, in the languages of the home.
    """
    del staff
    source = _source(service)
    if source is None:
        return {"known": False, "orders": [], "titles": {}, "fields": []}
    customer = service.log.customer(conversation)
    return {
        "known": True,
        "orders": [records.as_json(record) for record in source.records(customer, conversation)],
        "titles": {name: dict(texts) for name, texts in source.titles.items()},
        "fields": [{"name": f.name, "title": dict(f.title)} for f in source.proof_fields],
    }


@router.post("")
def prove(conversation: str, body: Values, staff: Allowed, service: TheService) -> dict[str, Any]:
    """Return the records that these values prove; ten wrong attempts cause a waiting time.

    `fields` of the list names the required values.
    """
    del conversation
    return {"orders": [records.as_json(record) for record in _prove(service, body, staff)]}


def _prove(service: Service, values: dict[str, str], staff: StaffUser) -> list[records.Record]:
    source = _source(service)
    if source is None:
        raise NotFoundError(_NO_SOURCE, "orders_elsewhere")
    names = [field.name for field in source.proof_fields]
    if missing := [name for name in names if name not in values]:
        names_missing = ", ".join(missing)
        message = f"{names_missing} is missing: see `fields` of the list"
        raise RefusedRequestError(422, message, "values_missing", names=names_missing)
    service.lookup_limiter.check(_name(staff))
    records_ = source.prove({name: values[name] for name in names})
    if not records_:
        service.lookup_limiter.wrong(_name(staff))
        raise NotFoundError(_NO_MATCH, "no_such_order")
    return list(records_)


def _source(service: Service) -> RecordSource | None:
    actions = service.assistant.components.actions
    return actions.records if isinstance(actions, ActionRunner) else None


def _name(staff: StaffUser) -> str:
    return staff.user.id if staff.user else ""
