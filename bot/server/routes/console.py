"""The routes of the console beside the desk's: what is known of a conversation, notes, labels."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from bot.agent_assist import canned_replies
from bot.server.api_errors import plain
from bot.server.auth.access import StaffUser, at_least
from bot.server.service import Service
from bot.store import conversation_notes
from bot.store.accounts import AccessLevel

router: Final = APIRouter(prefix="/api/desk")
TheStaff = Annotated[StaffUser, Depends(at_least(AccessLevel.AGENT))]
_Words = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(plain)]


def service_of(request: Request) -> Service:
    """Return the service."""
    service: Service = request.app.state.service
    return service


TheService = Annotated[Service, Depends(service_of)]


class Note(BaseModel):
    """What an agent writes for colleagues."""

    text: _Words = Field(min_length=1, max_length=5000)


class Label(BaseModel):
    """A word that conversations are found by again."""

    label: _Words = Field(min_length=1, max_length=64)


@router.get("/conversations/{conversation}")
def dossier(conversation: str, who: TheStaff, service: TheService) -> dict[str, Any]:
    """Return who has a conversation and what is known of it: slots, moods, notes, labels."""
    custody = service.desk.custody(conversation)
    return {
        "conversation_id": conversation,
        "state": custody.owner.value,
        "queue": custody.queue,
        "agent": custody.agent,
        "fence": custody.fence,
        "mine": who.user is not None and custody.agent == who.user.id,
        **conversation_notes.dossier(service.home.engine, conversation),
    }


@router.post("/conversations/{conversation}/notes", status_code=201)
def note(conversation: str, body: Note, who: TheStaff, service: TheService) -> dict[str, Any]:
    """Write a note, which customers never see."""
    return conversation_notes.add_note(service.home.engine, conversation, who.author(), body.text)


@router.post("/conversations/{conversation}/labels", status_code=201)
def label(conversation: str, body: Label, who: TheStaff, service: TheService) -> dict[str, Any]:
    """Put a label on a conversation."""
    conversation_notes.add_label(service.home.engine, conversation, who.author(), body.label)
    return {"label": body.label}


@router.post("/conversations/{conversation}/labels/remove")
def unlabel(conversation: str, body: Label, who: TheStaff, service: TheService) -> dict[str, Any]:
    """Take a label off a conversation."""
    del who
    conversation_notes.remove_label(service.home.engine, conversation, body.label)
    return {"label": body.label}


@router.get("/conversations/{conversation}/canned")
def replies(conversation: str, who: TheStaff, service: TheService) -> dict[str, Any]:
    """List the canned replies in the conversation's language, with its values filled in."""
    known = conversation_notes.dossier(service.home.engine, conversation)
    values = {
        **known["slots"],
        "customer": known["visitor_name"],
        "agent": who.user.name if who.user else None,
    }
    language = known["language"] or "en"
    return {
        "replies": [
            {
                "shortcut": one.shortcut,
                "text": canned_replies.fill_variables(one.text(language), values),
            }
            for one in canned_replies.load(service.home.path)
        ]
    }
