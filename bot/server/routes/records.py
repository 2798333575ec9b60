"""The routes of a customer's records, for who has the conversation; they change nothing.

What records are, and what proves them, is up to the home's actions. The path says `orders`, as it
did when all records were orders.
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
from bot.server.routes.console import TheService, TheStaff
from bot.server.service import Service
from bot.store.accounts import AccessLevel

router: Final = APIRouter(prefix="/api/desk/conversations/{conversation}/orders")
_NOT_HERE: Final = "orders are kept in another system: look there"
_NO_FIT: Final = "no record has these values: ask the customer for them"
Values = Annotated[
    dict[
        Annotated[str, Field(max_length=64)],
        Annotated[str, Field(min_length=1, max_length=250)],
    ],
    Field(max_length=20),
]


def allowed(conversation: str, who: TheStaff, service: TheService) -> StaffUser:
    """Return who asks; raise 403 where the conversation is a colleague's, or nobody's yet."""
    custody = service.desk.custody(conversation)
    mine = who.user and custody.owner is ConversationOwner.HUMAN and custody.agent == who.user.id
    if not (mine or who.level.covers(AccessLevel.SUPERVISOR)):
        message = "take the conversation over first: orders are for who has it"
        raise RefusedRequestError(403, message, "orders_first")
    return who


Allowed = Annotated[StaffUser, Depends(allowed)]


@router.get("")
def orders(conversation: str, who: Allowed, service: TheService) -> dict[str, Any]:
    """List the records of the customer, as far as it is proven who that is.

    `known` is false where they are kept elsewhere. `titles` and `fields` say, in the languages of
    the home, what the records are called and what proves one.
    """
    del who
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
def prove(conversation: str, body: Values, who: Allowed, service: TheService) -> dict[str, Any]:
    """Return the records that these values prove; who tries ten wrong sets has to wait.

    The values that are needed stand in `fields` of the list.
    """
    del conversation
    return {"orders": [records.as_json(record) for record in _proven(service, body, who)]}


def _proven(service: Service, values: dict[str, str], who: StaffUser) -> list[records.Record]:
    source = _source(service)
    if source is None:
        raise NotFoundError(_NOT_HERE, "orders_elsewhere")
    names = [field.name for field in source.proof_fields]
    if missing := [name for name in names if name not in values]:
        wanted = ", ".join(missing)
        message = f"{wanted} must be given: see `fields` of the list"
        raise RefusedRequestError(422, message, "values_missing", names=wanted)
    service.lookups.check(_name(who))
    found = source.prove({name: values[name] for name in names})
    if not found:
        service.lookups.wrong(_name(who))
        raise NotFoundError(_NO_FIT, "no_such_order")
    return list(found)


def _source(service: Service) -> RecordSource | None:
    actions = service.assistant.components.actions
    return actions.records if isinstance(actions, ActionRunner) else None


def _name(who: StaffUser) -> str:
    return who.user.id if who.user else ""
