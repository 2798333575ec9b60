"""Routes of the console besides the desk's: conversation details, notes and labels."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from bot.agent_assist import canned_replies
from bot.server.api_errors import plain
from bot.server.auth.access import StaffUser, at_least
from bot.server.dependencies import TheService
from bot.store.accounts import AccessLevel

router: Final = APIRouter(prefix="/api/desk")
TheStaff = Annotated[StaffUser, Depends(at_least(AccessLevel.AGENT))]
_Words = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(plain)]


class Note(BaseModel):
    """An agent's note for colleagues."""

    text: _Words = Field(min_length=1, max_length=5000)


class Label(BaseModel):
    """A label for finding conversations."""

    label: _Words = Field(min_length=1, max_length=64)


@router.get("/conversations/{conversation}")
def dossier(conversation: str, staff: TheStaff, service: TheService) -> dict[str, Any]:
    """Return the owner and details of a conversation: slots, moods, notes, labels."""
    assignment = service.desk.assignment(conversation)
    return {
        "conversation_id": conversation,
        "state": assignment.owner.value,
        "queue": assignment.queue,
        "default_queue": service.assistant.components.policy.content.default_queue,
        "agent": assignment.agent,
        "fence": assignment.fence,
        "mine": staff.user is not None and assignment.agent == staff.user.id,
        **service.notes.dossier(conversation),
    }


@router.post("/conversations/{conversation}/notes", status_code=201)
def note(conversation: str, body: Note, staff: TheStaff, service: TheService) -> dict[str, Any]:
    """Add a note, which customers never see."""
    return service.notes.add_note(conversation, staff.author(), body.text)


@router.post("/conversations/{conversation}/labels", status_code=201)
def label(conversation: str, body: Label, staff: TheStaff, service: TheService) -> dict[str, Any]:
    """Add a label to a conversation."""
    service.notes.add_label(conversation, staff.author(), body.label)
    return {"label": body.label}


@router.post("/conversations/{conversation}/labels/remove")
def unlabel(conversation: str, body: Label, staff: TheStaff, service: TheService) -> dict[str, Any]:
    """Remove a label from a conversation."""
    del staff
    service.notes.remove_label(conversation, body.label)
    return {"label": body.label}


@router.get("/conversations/{conversation}/canned")
def replies(conversation: str, staff: TheStaff, service: TheService) -> dict[str, Any]:
    """List the canned replies in the conversation's language, with its values filled in."""
    details = service.notes.dossier(conversation)
    values = {
        **details["slots"],
        "customer": details["visitor_name"],
        "agent": staff.user.name if staff.user else None,
    }
    language = details["language"] or "en"
    return {
        "replies": [
            {
                "shortcut": reply.shortcut,
                "text": canned_replies.fill_variables(reply.text(language), values),
            }
            for reply in canned_replies.load(service.home.path)
        ]
    }
