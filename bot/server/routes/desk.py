"""The routes of people who answer: presence, the queue, taking, speaking, passing on, closing.

They are for agents who signed in, as themselves, and for holders of the console's token. A change
answers with who has the conversation now; what the hand-off's rules refuse is a 409.
"""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from bot.dialogue.handoff import ConversationOwner
from bot.server.auth.access import StaffUser, at_least
from bot.server.service import Service
from bot.store import conversation_notes
from bot.store.accounts import AccessLevel
from bot.store.handoff_desk import Agent, HandoffDesk, QueuedConversation

_ID: Final = r"^[A-Za-z0-9_\-.:@]{1,64}$"


def desk_of(request: Request) -> HandoffDesk:
    """Return the desk."""
    service: Service = request.app.state.service
    return service.desk


router: Final = APIRouter(prefix="/api/desk", dependencies=[Depends(at_least(AccessLevel.AGENT))])
TheDesk = Annotated[HandoffDesk, Depends(desk_of)]
TheStaff = Annotated[StaffUser, Depends(at_least(AccessLevel.AGENT))]


class Enrolment(BaseModel):
    """An agent; no queues or languages stand for all."""

    id: str = Field(pattern=_ID)
    name: str = Field(min_length=1, max_length=128)
    queues: list[str] = Field(default=[], max_length=50)
    languages: list[str] = Field(default=[], max_length=10)
    capacity: int = Field(5, ge=1, le=100)


class Presence(BaseModel):
    """Whether an agent is there; it is forgotten after a minute.

    `renew` says as well that the agent is still at every conversation taken.
    """

    online: bool = True
    renew: bool = False


class TakeRequest(BaseModel):
    """Who takes a conversation."""

    agent: str = Field(pattern=_ID)


class HoldRequest(TakeRequest):
    """Who has a conversation, and the token got when taking it."""

    fence: int = Field(ge=0, le=2**31 - 1)


class AgentMessage(HoldRequest):
    """An agent's words; the same `client_message_id` is sent once."""

    text: str = Field(min_length=1, max_length=20_000)
    client_message_id: str | None = Field(None, max_length=128)
    suggestion: str | None = Field(None, max_length=64)  # whose words it began as, and which
    place: int = Field(0, ge=0, le=9)


class Typing(HoldRequest):
    """Whether the agent is typing."""

    on: bool = True


class TransferRequest(HoldRequest):
    """Where a conversation goes: to a queue, or to a colleague."""

    queue: str | None = Field(None, max_length=64)
    to: str | None = Field(None, pattern=_ID)


@router.put("/agents", dependencies=[Depends(at_least(AccessLevel.SUPERVISOR))])
def enroll(body: Enrolment, desk: TheDesk) -> dict[str, Any]:
    """Add an agent, or change what is known of one."""
    agent = Agent(body.id, body.name, tuple(body.queues), tuple(body.languages), body.capacity)
    desk.enroll(agent)
    return {"agent": body.id}


@router.get("/agents")
def agents(desk: TheDesk) -> dict[str, Any]:
    """List the agents, who is there and how busy they are."""
    return {"agents": [_agent(agent) for agent in desk.agents()]}


@router.post("/agents/{agent}/presence")
def be_present(agent: str, body: Presence, desk: TheDesk, who: TheStaff) -> dict[str, Any]:
    """Say that an agent is there, every half minute or so, or has left."""
    who.check_is(agent)
    desk.be_present(agent, online=body.online)
    renewed = desk.renew_all(agent) if body.renew else 0
    return {"agent": agent, "online": body.online, "renewed": renewed}


@router.get("/queue")
def queue(request: Request, desk: TheDesk) -> dict[str, Any]:
    """List the conversations that wait or are with somebody, who waits longest first.

    `reply_seconds` is how long a customer shall wait for a person at most.
    """
    service: Service = request.app.state.service
    found = desk.queue()
    clocks = conversation_notes.queue_details(
        service.home.engine, [one.conversation_id for one in found]
    )
    return {
        "reply_seconds": service.home.settings.reply_minutes * 60,
        "conversations": [{**_waiting(one), **clocks[one.conversation_id]} for one in found],
    }


@router.post("/conversations/{conversation}/take")
def take(conversation: str, body: TakeRequest, desk: TheDesk, who: TheStaff) -> dict[str, Any]:
    """Take a conversation; the token in the answer goes with everything said in it."""
    who.check_is(body.agent)
    held = desk.take(conversation, body.agent)
    return {"conversation_id": conversation, "state": held.owner.value, "fence": held.fence}


@router.post("/conversations/{conversation}/say", status_code=201)
def say(
    conversation: str, body: AgentMessage, request: Request, desk: TheDesk, who: TheStaff
) -> dict[str, Any]:
    """Send an agent's words to the customer; what they began as is remembered, to learn from."""
    who.check_is(body.agent)
    sent = desk.say(conversation, body.agent, body.fence, body.text, body.client_message_id)
    if body.suggestion is not None:
        service: Service = request.app.state.service
        service.chose(body.suggestion, body.place, sent, body.text)
    return {"message_id": sent}


@router.post("/conversations/{conversation}/typing")
def type_(conversation: str, body: Typing, desk: TheDesk, who: TheStaff) -> dict[str, Any]:
    """Show that an agent is typing; it ends by itself after some seconds."""
    who.check_is(body.agent)
    desk.type(conversation, body.agent, body.fence, on=body.on)
    return {"typing": body.on}


@router.post("/conversations/{conversation}/renew")
def renew(conversation: str, body: HoldRequest, desk: TheDesk, who: TheStaff) -> dict[str, Any]:
    """Say that an agent is still there; one not heard of for two minutes loses a conversation."""
    who.check_is(body.agent)
    desk.renew(conversation, body.agent, body.fence)
    return _standing(desk, conversation)


@router.post("/conversations/{conversation}/return")
def give_back(conversation: str, body: HoldRequest, desk: TheDesk, who: TheStaff) -> dict[str, Any]:
    """Give a conversation back to the bot."""
    who.check_is(body.agent, unless=AccessLevel.SUPERVISOR)
    desk.give_back(conversation, body.agent, body.fence)
    return _standing(desk, conversation)


@router.post("/conversations/{conversation}/transfer")
def transfer(
    conversation: str, body: TransferRequest, desk: TheDesk, who: TheStaff
) -> dict[str, Any]:
    """Pass a conversation on."""
    who.check_is(body.agent, unless=AccessLevel.SUPERVISOR)
    desk.transfer(conversation, body.agent, body.fence, queue=body.queue, to=body.to)
    return _standing(desk, conversation)


@router.post("/conversations/{conversation}/close")
def close(conversation: str, body: HoldRequest, desk: TheDesk, who: TheStaff) -> dict[str, Any]:
    """End a conversation; the customer's next message opens it again."""
    who.check_is(body.agent, unless=AccessLevel.SUPERVISOR)
    desk.close(conversation, body.agent, body.fence)
    return _standing(desk, conversation)


@router.get("/conversations/{conversation}/summary")
def summary(conversation: str, request: Request, desk: TheDesk) -> dict[str, Any]:
    """Tell a person in short what a conversation was about so far."""
    desk.custody(conversation)
    service: Service = request.app.state.service
    return service.summary(conversation)


@router.get("/conversations/{conversation}/suggestions")
def suggestions(conversation: str, request: Request, desk: TheDesk) -> dict[str, Any]:
    """Offer three replies to the customer's last message, each with its source, best first."""
    desk.custody(conversation)
    service: Service = request.app.state.service
    return service.suggestions(conversation)


def _standing(desk: HandoffDesk, conversation: str) -> dict[str, Any]:
    custody = desk.custody(conversation)
    return {
        "conversation_id": conversation,
        "state": custody.owner.value,
        "queue": custody.queue,
        "agent": custody.agent if custody.owner is ConversationOwner.HUMAN else None,
        "fence": custody.fence,
    }


def _agent(agent: Agent) -> dict[str, Any]:
    return {
        "id": agent.id,
        "name": agent.name,
        "queues": list(agent.queues),
        "languages": list(agent.languages),
        "capacity": agent.capacity,
        "online": agent.online,
        "busy": agent.busy,
    }


def _waiting(one: QueuedConversation) -> dict[str, Any]:
    return {
        "conversation_id": one.conversation_id,
        "state": one.owner.value,
        "queue": one.queue,
        "agent": one.agent,
        "language": one.language,
        "since": one.since.isoformat() if one.since else None,
        "mood": one.mood,
        "intent": one.intent,
        "intents": list(one.intents),
        "contact": one.contact,
        "name": one.name,
        "fence": one.fence,
    }
