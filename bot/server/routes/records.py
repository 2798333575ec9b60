"""The routes of a customer's orders, for who has the conversation; they change nothing."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from bot.actions import lookup
from bot.core.types import NotFoundError, now
from bot.dialogue.handoff import ConversationOwner
from bot.server.api_errors import RefusedRequestError
from bot.server.auth.access import StaffUser
from bot.server.routes.console import TheService, TheStaff
from bot.server.service import Service
from bot.store.accounts import AccessLevel

router: Final = APIRouter(prefix="/api/desk/conversations/{conversation}/orders")
_NOT_HERE: Final = "orders are kept in another system: look there"
_NO_FIT: Final = "no order has this number and this address: ask the customer for both"


class ProofRequest(BaseModel):
    """What a customer gave to prove an order: its number and the address it was placed with."""

    number: str = Field(min_length=1, max_length=64)
    email: str = Field(min_length=3, max_length=250)


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
    """List the orders of the customer, as far as it is proven who that is.

    `known` is false where orders are kept elsewhere.
    """
    del who
    database = None if service.home.settings.actions_url else service.home.orders()
    if database is None:
        return {"known": False, "orders": []}
    customer = service.log.customer(conversation)
    found = lookup.of_conversation(database, conversation, customer, now())
    return {"known": True, "orders": [lookup.as_json(one) for one in found]}


@router.post("")
def prove(
    conversation: str, body: ProofRequest, who: Allowed, service: TheService
) -> dict[str, Any]:
    """Return the order that number and address prove; who tries ten wrong pairs has to wait."""
    del conversation
    return {"orders": [lookup.as_json(_proven(service, body, who))]}


def _proven(service: Service, body: ProofRequest, who: StaffUser) -> lookup.Shown:
    database = None if service.home.settings.actions_url else service.home.orders()
    if database is None:
        raise NotFoundError(_NOT_HERE, "orders_elsewhere")
    service.lookups.check(_name(who))
    found = lookup.by_address(database, body.number, body.email, now())
    if found is None:
        service.lookups.wrong(_name(who))
        raise NotFoundError(_NO_FIT, "no_such_order")
    return found


def _name(who: StaffUser) -> str:
    return who.user.id if who.user else ""
