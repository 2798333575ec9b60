"""The desk's part of the HTTP API, with the session of the signed-in user."""

import secrets
from dataclasses import dataclass
from urllib.parse import quote

from ui.client.http_client import Client, Json


@dataclass(frozen=True)
class DeskApi:
    """The actions of an agent; an error of the server is an ApiError with its message."""

    client: Client

    def me(self) -> Json:
        """Return the signed-in user."""
        return self.client.get("/api/session")

    def agents(self) -> list[Json]:
        """Return all agents, with their presence and their load."""
        agents: list[Json] = self.client.get("/api/desk/agents")["agents"]
        return agents

    def set_presence(self, agent: str, *, online: bool, renew: bool = False) -> None:
        """Set whether an agent is online; `renew` extends the leases of all their conversations."""
        path = f"/api/desk/agents/{quote(agent, safe='')}/presence"
        self.client.post(path, online=online, renew=renew)

    def queue(self) -> Json:
        """Return the conversations that wait or are with an agent."""
        return self.client.get("/api/desk/queue")

    def details(self, conversation: str) -> Json:
        """Return the owner and the details of a conversation."""
        return self.client.get(_path(conversation))

    def get_part(self, conversation: str, name: str) -> Json:
        """Return the summary, suggestions, canned replies or records of a conversation."""
        return self.client.get(f"{_path(conversation)}/{name}")

    def intents(self) -> dict[str, Json]:
        """Return the intents, each with its titles in `en` and `zh`."""
        intents = self.client.get("/api/desk/intents")["intents"]
        return {intent["intent"]: intent for intent in intents}

    def corrections(self, message: str) -> Json:
        """Return the corrections of a message."""
        return self.client.get(f"/api/desk/messages/{quote(message, safe='')}/corrections")

    def correct(self, message: str, kind: str, value: str) -> Json:
        """Correct a message: its intent, article or answer."""
        path = f"/api/desk/messages/{quote(message, safe='')}/corrections"
        return self.client.post(path, **{kind: value})

    def prove(self, conversation: str, fields: dict[str, str]) -> Json:
        """Return the records that these values prove."""
        return self.client.post(f"{_path(conversation)}/orders", **fields)

    def take(self, conversation: str, agent: str) -> Json:
        """Take a conversation over."""
        return self.client.post(f"{_path(conversation)}/take", agent=agent)

    def act(self, conversation: str, action: str, agent: str, **options: object) -> Json:
        """Type, renew, return, transfer or close, with the fence of the present owner."""
        fence = self.details(conversation)["fence"]
        path = f"{_path(conversation)}/{action}"
        return self.client.post(path, agent=agent, fence=fence, **options)

    def say(
        self, conversation: str, agent: str, text: str, suggestion: tuple[str, int] | None
    ) -> Json:
        """Send a message; `suggestion` is the offer and the place it was made from, if any."""
        options: Json = {"text": text, "client_message_id": secrets.token_hex(16)}
        if suggestion:
            options |= {"suggestion": suggestion[0], "place": suggestion[1]}
        return self.act(conversation, "say", agent, **options)

    def note(self, conversation: str, text: str) -> None:
        """Write a note for colleagues."""
        self.client.post(f"{_path(conversation)}/notes", text=text)

    def label(self, conversation: str, before: list[str], after: list[str]) -> None:
        """Add and remove labels of a conversation."""
        for label in after:
            if label not in before:
                self.client.post(f"{_path(conversation)}/labels", label=label)
        for label in before:
            if label not in after:
                self.client.post(f"{_path(conversation)}/labels/remove", label=label)


def _path(conversation: str) -> str:
    return f"/api/desk/conversations/{quote(conversation, safe='')}"
