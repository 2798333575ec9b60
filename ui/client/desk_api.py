"""The desk's part of the HTTP API, as somebody who signed in."""

import secrets
from dataclasses import dataclass
from urllib.parse import quote

from ui.client.http_client import Client, Json


@dataclass(frozen=True)
class DeskApi:
    """What an agent does; every refusal is an ApiError with the server's words."""

    client: Client

    def me(self) -> Json:
        """Return who signed in."""
        return self.client.get("/api/session")

    def agents(self) -> list[Json]:
        """Return all agents, who is there and how busy they are."""
        found: list[Json] = self.client.get("/api/desk/agents")["agents"]
        return found

    def be_present(self, agent: str, *, online: bool, renew: bool = False) -> None:
        """Say that an agent is there, or has left; `renew` says: and still at all of theirs."""
        path = f"/api/desk/agents/{quote(agent, safe='')}/presence"
        self.client.post(path, online=online, renew=renew)

    def queue(self) -> Json:
        """Return the conversations that wait or are with somebody."""
        return self.client.get("/api/desk/queue")

    def known(self, conversation: str) -> Json:
        """Return who has a conversation and what is known of it."""
        return self.client.get(_path(conversation))

    def look(self, conversation: str, what: str) -> Json:
        """Return the summary, suggestions or canned replies of a conversation."""
        return self.client.get(f"{_path(conversation)}/{what}")

    def intents(self) -> dict[str, Json]:
        """Return the intents there are, each with its titles in `en` and `zh`."""
        found = self.client.get("/api/desk/intents")["intents"]
        return {one["intent"]: one for one in found}

    def corrections(self, message: str) -> Json:
        """Return what was corrected about a message."""
        return self.client.get(f"/api/desk/messages/{quote(message, safe='')}/corrections")

    def correct(self, message: str, kind: str, value: str) -> Json:
        """Say what would have been right about a message: its intent, article or answer."""
        path = f"/api/desk/messages/{quote(message, safe='')}/corrections"
        return self.client.post(path, **{kind: value})

    def prove(self, conversation: str, fields: dict[str, str]) -> Json:
        """Return the records that these values prove."""
        return self.client.post(f"{_path(conversation)}/orders", **fields)

    def take(self, conversation: str, agent: str) -> Json:
        """Take a conversation."""
        return self.client.post(f"{_path(conversation)}/take", agent=agent)

    def do(self, conversation: str, what: str, agent: str, **more: object) -> Json:
        """Type, renew, return, transfer or close, as who has the conversation now."""
        fence = self.known(conversation)["fence"]
        return self.client.post(f"{_path(conversation)}/{what}", agent=agent, fence=fence, **more)

    def say(self, conversation: str, agent: str, text: str, chosen: tuple[str, int] | None) -> Json:
        """Send words to the customer; `chosen` is the suggestion they began as, and its place."""
        more: Json = {"text": text, "client_message_id": secrets.token_hex(16)}
        if chosen:
            more |= {"suggestion": chosen[0], "place": chosen[1]}
        return self.do(conversation, "say", agent, **more)

    def note(self, conversation: str, text: str) -> None:
        """Write a note for colleagues."""
        self.client.post(f"{_path(conversation)}/notes", text=text)

    def label(self, conversation: str, before: list[str], after: list[str]) -> None:
        """Put labels on a conversation, and take others off."""
        for label in after:
            if label not in before:
                self.client.post(f"{_path(conversation)}/labels", label=label)
        for label in before:
            if label not in after:
                self.client.post(f"{_path(conversation)}/labels/remove", label=label)


def _path(conversation: str) -> str:
    return f"/api/desk/conversations/{quote(conversation, safe='')}"
