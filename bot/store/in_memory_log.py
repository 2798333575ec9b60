"""A log in memory for replays, with the interface of the SQL log."""

from collections.abc import Sequence
from datetime import datetime

from bot.core.types import ConversationChangedError, Message, Turn
from bot.dialogue import state as states
from bot.dialogue.state import State
from bot.store.conversation_log import LogReceipt


class MemoryLog:
    """A log without a database: for replays, which must write nothing, and for tests."""

    def __init__(self) -> None:
        """Start empty."""
        self.states: dict[str, State] = {}
        self.turns: list[Turn] = []

    def receive(self, message: Message) -> LogReceipt:
        """Accept a message."""
        return LogReceipt(message)

    def answered(self, message_id: str) -> Turn | None:
        """Return the turn of a message, if it was answered."""
        return next((turn for turn in self.turns if turn.message.id == message_id), None)

    def load(self, conversation_id: str) -> State:
        """Return the state of a conversation."""
        return self.states.get(conversation_id, State())

    def append(self, turn: Turn, state: State, before: State | None = None) -> Turn:
        """Store a turn and its state; raise ConversationChangedError for an outdated state."""
        current = self.load(turn.message.conversation_id)
        if before is not None and current.revision != before.revision:
            message = "the conversation moved on"
            raise ConversationChangedError(message)
        self.turns.append(turn)
        self.states[turn.message.conversation_id] = state
        return turn

    def pending(self, conversation_id: str | None = None) -> Sequence[Message]:
        """Return nothing: no message waits here."""
        del conversation_id
        return []

    def is_staffed(self, queue: str, at: datetime) -> bool:
        """Return False: there are no agents here."""
        del queue, at
        return False

    def earlier(self, sender: str, conversation_id: str) -> tuple[str, ...]:
        """Return nothing: earlier visits are not stored."""
        del sender, conversation_id
        return ()

    def queue_position(self, conversation_id: str) -> int:
        """Return the place in the queue, from 1."""
        other_states = [s for key, s in self.states.items() if key != conversation_id]
        return sum(1 for state in other_states if state.owner == states.QUEUED) + 1
