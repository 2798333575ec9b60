"""The client for programs: the HTTP API with types, blocking and streaming."""

from collections.abc import Iterator

from ui.client.http_client import Client, Json
from ui.client.models import Article, ConversationLine, PassageView, TurnView


class Careline(Client):
    """A client that returns typed values.

        with Careline("http://127.0.0.1:8000") as careline:
            turn = careline.ask("How do I wash my rain jacket?")
            for piece in careline.say("And my boots?", turn.conversation_id):
                print(piece if isinstance(piece, str) else piece.reply.citations)

    A message is sent again if the connection breaks; the server answers it once.
    """

    def ask(
        self, text: str, conversation_id: str | None = None, *, sender: str | None = None
    ) -> TurnView:
        """Send a message and return its turn."""
        return TurnView.of(self.send(text, conversation_id, sender=sender))

    def say(
        self, text: str, conversation_id: str | None = None, *, sender: str | None = None
    ) -> Iterator[str | TurnView]:
        """Send a message and yield the tokens of the reply as they arrive, then the turn."""
        for name, data in self.stream(text, conversation_id, sender=sender):
            if name == "token":
                yield data["text"]
            elif name == "turn":
                yield TurnView.of(data)

    def lines(self, conversation_id: str, after: str | int | None = None) -> list[ConversationLine]:
        """Return a conversation's messages in order, after a position or a message id."""
        return [ConversationLine.of(line) for line in self.history(conversation_id, after)]

    def live(
        self, conversation_id: str, after: str | int | None = None
    ) -> Iterator[ConversationLine]:
        """Yield a conversation's messages as they arrive, until the caller stops."""
        return (ConversationLine.of(line) for line in self.follow(conversation_id, after))

    def find(self, query: str, k: int = 5) -> list[PassageView]:
        """Return the passages that match a query best."""
        return [PassageView.of(hit) for hit in self.search(query, k)]

    def read(self, article_id: str) -> Article:
        """Return an article."""
        return Article.of(self.article(article_id))

    def why(self, message_id: str) -> Json:
        """Return the trace of a message: everything that led to its reply."""
        return self.trace(message_id)
