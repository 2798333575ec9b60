"""Costs of language models, read from the log."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select

from bot.dialogue import state as states
from bot.store.tables import conversations, decisions, feedback, messages


@dataclass(frozen=True)
class Costs:
    """Tokens and their cost, in the currency of the prices in the settings.

    A conversation counts as resolved when the bot still has it and no reply of it got a thumb down.
    `reported` is the share of the replies whose tokens the engine reported; the rest are estimated.
    """

    conversations: int
    resolved: int
    replies: int
    written: int
    prompt_tokens: int
    completion_tokens: int
    reported: float | None
    cost: float

    @property
    def per_conversation(self) -> float | None:
        """The cost of a conversation; None without any."""
        return self.cost / self.conversations if self.conversations else None

    @property
    def per_resolved(self) -> float | None:
        """The cost of all conversations over the resolved ones; None without any."""
        return self.cost / self.resolved if self.resolved else None


def of_log(engine: Engine, since: datetime | None = None) -> Costs:
    """Return the costs of the replies in a log, from a time on."""
    query = select(decisions.c.conversation_id, decisions.c.trace, conversations.c.owner).join(
        conversations, conversations.c.id == decisions.c.conversation_id
    )
    disliked = (
        select(messages.c.conversation_id)
        .join(feedback, feedback.c.message_id == messages.c.id)
        .where(feedback.c.rating == "down")
    )
    query = query.where(conversations.c.synthetic.is_(False))
    if since is not None:
        query = query.where(decisions.c.at >= since)
    owners: dict[str, str] = {}
    sums: defaultdict[str, float] = defaultdict(float)
    with engine.connect() as connection:
        for row in connection.execute(query.execution_options(yield_per=500)):
            owners[row.conversation_id] = row.owner
            sums["replies"] += 1
            for generated in row.trace.get("generated") or ():
                _add(sums, generated)
        disliked_ids = set(connection.execute(disliked).scalars())
    resolved = [
        key for key, owner in owners.items() if owner == states.BOT and key not in disliked_ids
    ]
    written = int(sums["written"])
    return Costs(
        conversations=len(owners),
        resolved=len(resolved),
        replies=int(sums["replies"]),
        written=written,
        prompt_tokens=int(sums["prompt"]),
        completion_tokens=int(sums["completion"]),
        reported=sums["reported"] / written if written else None,
        cost=sums["cost"],
    )


def _add(sums: defaultdict[str, float], generated: dict[str, Any]) -> None:
    tokens = generated["tokens"]
    sums["written"] += 1
    sums["prompt"] += tokens["prompt"]
    sums["completion"] += tokens["completion"]
    sums["reported"] += bool(tokens["reported"])
    sums["cost"] += generated["cost"] or 0.0
