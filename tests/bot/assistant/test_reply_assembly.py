"""Several answers in one reply."""

from bot.assistant.reply_assembly import is_needless
from bot.core.types import Decision, Route

HELLO = Decision(Route.TEMPLATE, "smalltalk", "greeting", template="greeting")
ASKS = Decision(Route.ACT, "missing_slot", "invoice", slot="email")


def test_a_greeting_is_returned_only_where_nothing_is_wanted() -> None:
    assert is_needless(HELLO, [], has_request=True)
    assert not is_needless(HELLO, [], has_request=False)


def test_what_two_requests_need_is_asked_for_once() -> None:
    assert is_needless(ASKS, [ASKS], has_request=True)
    assert not is_needless(ASKS, [HELLO], has_request=True)
    other = Decision(Route.ACT, "missing_slot", "invoice", slot="order_number")
    assert not is_needless(other, [ASKS], has_request=True)
