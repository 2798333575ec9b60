import pytest

from bot.dialogue.handoff import STEPS, bot_may_speak, step
from bot.dialogue.state import BOT, CLOSED, HUMAN, QUEUED
from bot.types import CarelineError

OWNERS = (BOT, QUEUED, HUMAN, CLOSED)
ALLOWED = {
    (BOT, QUEUED),
    (BOT, CLOSED),
    (QUEUED, HUMAN),
    (QUEUED, BOT),
    (QUEUED, CLOSED),
    (HUMAN, BOT),
    (HUMAN, QUEUED),
    (HUMAN, CLOSED),
    (CLOSED, BOT),
}


@pytest.mark.parametrize("to", OWNERS)
@pytest.mark.parametrize("owner", OWNERS)
def test_only_known_steps_are_made(owner: str, to: str) -> None:
    if (owner, to) in ALLOWED:
        assert step(owner, to) == to
    else:
        with pytest.raises(CarelineError, match=f"with {owner} cannot go to {to}"):
            step(owner, to)


def test_a_person_gets_a_conversation_only_from_the_queue() -> None:
    assert [owner for owner, steps in STEPS.items() if HUMAN in steps] == [QUEUED]


def test_every_owner_leads_somewhere() -> None:
    assert set(STEPS) == set(OWNERS)
    assert all(STEPS.values())


def test_the_bot_is_silent_only_while_a_person_has_the_conversation() -> None:
    assert [owner for owner in OWNERS if not bot_may_speak(owner)] == [HUMAN]
