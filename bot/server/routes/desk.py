"""Routes of agents: presence, queue, taking over, replying, transferring, closing.

They are for signed-in agents, who act as themselves, and for holders of the console's token. A
change returns the new owner of the conversation; a change that is not allowed is a 409.
"""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from bot.dialogue.handoff import ConversationOwner
from bot.server.auth.access import StaffUser, at_least
from bot.server.dependencies import TheService
from bot.store.accounts import AccessLevel
from bot.store.handoff_desk import Agent, HandoffDesk, QueuedConversation

_ID: Final = r"^[A-Za-z0-9_\-.:@]{1,64}$"


def desk_of(service: TheService) -> HandoffDesk:
    """Return the desk."""
    return service.desk


router: Final = APIRouter(prefix="/api/desk", dependencies=[Depends(at_least(AccessLevel.AGENT))])
TheDesk = Annotated[HandoffDesk, Depends(desk_of)]
TheStaff = Annotated[StaffUser, Depends(at_least(AccessLevel.AGENT))]


class Enrolment(BaseModel):
    """An agent; empty queues or languages mean all."""

    id: str = Field(pattern=_ID)
    name: str = Field(min_length=1, max_length=128)
    queues: list[str] = Field(default=[], max_length=50)
    languages: list[str] = Field(default=[], max_length=10)
    capacity: int = Field(5, ge=1, le=100)


class Presence(BaseModel):
    """The presence of an agent; it expires after a minute.

    `renew` also renews the leases of all conversations of the agent.
    """

    online: bool = True
    renew: bool = False


class TakeRequest(BaseModel):
    """The agent that takes a conversation."""

    agent: str = Field(pattern=_ID)


class HoldRequest(TakeRequest):
    """The agent that has a conversation, and its fencing token."""

    fence: int = Field(ge=0, le=2**31 - 1)


class AgentMessage(HoldRequest):
    """An agent's message; the same `client_message_id` is sent once."""

    text: str = Field(min_length=1, max_length=20_000)
    client_message_id: str | None = Field(None, max_length=128)
    suggestion: str | None = Field(
        None, max_length=64
    )  # the suggestion it started from, and its place
    place: int = Field(0, ge=0, le=9)


class Typing(HoldRequest):
    """The typing state of the agent."""

    on: bool = True


class TransferRequest(HoldRequest):
    """The target of a transfer: a queue or a colleague."""

    queue: str | None = Field(None, max_length=64)
    to: str | None = Field(None, pattern=_ID)


@router.put("/agents", dependencies=[Depends(at_least(AccessLevel.SUPERVISOR))])
def enroll(body: Enrolment, desk: TheDesk) -> dict[str, Any]:
    """Add or change an agent."""
    agent = Agent(body.id, body.name, tuple(body.queues), tuple(body.languages), body.capacity)
    desk.save_agent(agent)
    return {"agent": body.id}


@router.get("/agents")
def agents(desk: TheDesk) -> dict[str, Any]:
    """List the agents with their presence and load."""
    return {"agents": [_agent(agent) for agent in desk.agents()]}


@router.post("/agents/{agent}/presence")
def be_present(agent: str, body: Presence, desk: TheDesk, staff: TheStaff) -> dict[str, Any]:
    """Report that an agent is present (about every half minute), or has left."""
    staff.check_is(agent)
    desk.set_presence(agent, online=body.online)
    renewed = desk.renew_all(agent) if body.renew else 0
    return {"agent": agent, "online": body.online, "renewed": renewed}


@router.get("/queue")
def queue(service: TheService, desk: TheDesk) -> dict[str, Any]:
    """List the conversations that wait or are with an agent, longest waiting first.

    `reply_seconds` is the target for the waiting time.
    """
    waiting = desk.queue()
    ids = [conversation.conversation_id for conversation in waiting]
    clocks = service.notes.queue_details(ids)
    return {
        "reply_seconds": service.home.settings.reply_minutes * 60,
        "conversations": [{**_queued(item), **clocks[item.conversation_id]} for item in waiting],
    }


@router.post("/conversations/{conversation}/take")
def take(conversation: str, body: TakeRequest, desk: TheDesk, staff: TheStaff) -> dict[str, Any]:
    """Take a conversation; all its changes need the fencing token in the response."""
    staff.check_is(body.agent)
    held = desk.take(conversation, body.agent)
    return {"conversation_id": conversation, "state": held.owner.value, "fence": held.fence}


@router.post("/conversations/{conversation}/say", status_code=201)
def say(
    conversation: str, body: AgentMessage, service: TheService, desk: TheDesk, staff: TheStaff
) -> dict[str, Any]:
    """Send an agent's message to the customer; store the suggestion it started from."""
    staff.check_is(body.agent)
    sent = desk.send(conversation, body.agent, body.fence, body.text, body.client_message_id)
    if body.suggestion is not None:
        service.suggester.record_choice(body.suggestion, body.place, sent, body.text)
    return {"message_id": sent}


@router.post("/conversations/{conversation}/typing")
def type_(conversation: str, body: Typing, desk: TheDesk, staff: TheStaff) -> dict[str, Any]:
    """Show that an agent is typing; it expires after some seconds."""
    staff.check_is(body.agent)
    desk.set_typing(conversation, body.agent, body.fence, on=body.on)
    return {"typing": body.on}


@router.post("/conversations/{conversation}/renew")
def renew(conversation: str, body: HoldRequest, desk: TheDesk, staff: TheStaff) -> dict[str, Any]:
    """Renew an agent's lease; without renewal the conversation returns after two minutes."""
    staff.check_is(body.agent)
    desk.renew(conversation, body.agent, body.fence)
    return _assignment(desk, conversation)


@router.post("/conversations/{conversation}/return")
def give_back(
    conversation: str, body: HoldRequest, desk: TheDesk, staff: TheStaff
) -> dict[str, Any]:
    """Return a conversation to the bot."""
    staff.check_is(body.agent, unless=AccessLevel.SUPERVISOR)
    desk.give_back(conversation, body.agent, body.fence)
    return _assignment(desk, conversation)


@router.post("/conversations/{conversation}/transfer")
def transfer(
    conversation: str, body: TransferRequest, desk: TheDesk, staff: TheStaff
) -> dict[str, Any]:
    """Transfer a conversation."""
    staff.check_is(body.agent, unless=AccessLevel.SUPERVISOR)
    desk.transfer(conversation, body.agent, body.fence, queue=body.queue, to=body.to)
    return _assignment(desk, conversation)


@router.post("/conversations/{conversation}/close")
def close(conversation: str, body: HoldRequest, desk: TheDesk, staff: TheStaff) -> dict[str, Any]:
    """Close a conversation; the customer's next message opens it again."""
    staff.check_is(body.agent, unless=AccessLevel.SUPERVISOR)
    desk.close(conversation, body.agent, body.fence)
    return _assignment(desk, conversation)


@router.get("/conversations/{conversation}/summary")
def summary(conversation: str, service: TheService, desk: TheDesk) -> dict[str, Any]:
    """Return a short summary of a conversation."""
    desk.assignment(conversation)
    return service.summary(conversation)


@router.get("/conversations/{conversation}/suggestions")
def suggestions(conversation: str, service: TheService, desk: TheDesk) -> dict[str, Any]:
    """Return three suggested replies with their sources, best first."""
    desk.assignment(conversation)
    return service.suggester.offer(service.assistant.components, conversation)


def _assignment(desk: HandoffDesk, conversation: str) -> dict[str, Any]:
    assignment = desk.assignment(conversation)
    return {
        "conversation_id": conversation,
        "state": assignment.owner.value,
        "queue": assignment.queue,
        "agent": assignment.agent if assignment.owner is ConversationOwner.HUMAN else None,
        "fence": assignment.fence,
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


def _queued(item: QueuedConversation) -> dict[str, Any]:
    return {
        "conversation_id": item.conversation_id,
        "state": item.owner.value,
        "queue": item.queue,
        "agent": item.agent,
        "language": item.language,
        "since": item.since.isoformat() if item.since else None,
        "mood": item.mood,
        "intent": item.intent,
        "intents": list(item.intents),
        "contact": item.contact,
        "name": item.name,
        "fence": item.fence,
    }
