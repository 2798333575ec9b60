"""Files that customers send: kept sealed beside their conversation until it is forgotten."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from bot.core.types import CarelineError, InvalidMessageError, Message, NotFoundError, now
from bot.store import ownership
from bot.store.encryption import FieldCipher
from bot.store.tables import attachments

MOST: Final = 20  # files of one conversation
_ABANDONED: Final = timedelta(hours=1)  # after which a file that no message names is removed


@dataclass(frozen=True)
class Attachment:
    """A file as it is served."""

    id: str
    conversation_id: str
    name: str
    media_type: str
    content: bytes


class Attachments:
    """Keeps files and gives them back."""

    def __init__(self, engine: Engine, seal: FieldCipher) -> None:
        """Use a migrated database; what is written is sealed."""
        self._engine = engine
        self._seal = seal

    def add(self, message: Message, file: Attachment) -> None:
        """Keep a file for a message to come; its conversation is opened where there is none.

        Raises CarelineError for more files than a conversation may have.
        """
        here = attachments.c.conversation_id == file.conversation_id
        at = now()
        abandoned = here & attachments.c.message_id.is_(None) & (attachments.c.at < at - _ABANDONED)
        with self._engine.begin() as connection:
            ownership.begin(connection, message)
            connection.execute(delete(attachments).where(abandoned))
            count = select(func.count()).select_from(attachments).where(here)
            if int(connection.execute(count).scalar_one()) >= MOST:
                complaint = f"a conversation takes {MOST} files: describe the rest in words"
                raise CarelineError(complaint)
            connection.execute(
                insert(attachments).values(
                    id=file.id,
                    conversation_id=file.conversation_id,
                    name=file.name,
                    media_type=file.media_type,
                    size=len(file.content),
                    content=self._seal.close_bytes(file.content),
                    at=at,
                )
            )

    def get(self, identifier: str) -> Attachment:
        """Return a file; raise NotFoundError where there is none, or none that can be read."""
        with self._engine.begin() as connection:
            row = connection.execute(
                select(attachments).where(attachments.c.id == identifier)
            ).one_or_none()
        content = self._seal.open_bytes(row.content) if row else None
        if row is None or content is None:
            message = f"there is no file {identifier[:64]}"
            raise NotFoundError(message)
        return Attachment(row.id, row.conversation_id, row.name, row.media_type, content)


def attach(connection: Connection, message: Message) -> None:
    """Give a message the files that it names; raise BadMessageError for others."""
    if not message.attachments:
        return
    theirs = (
        attachments.c.id.in_(message.attachments)
        & (attachments.c.conversation_id == message.conversation_id)
        & attachments.c.message_id.is_(None)
    )
    given = connection.execute(update(attachments).where(theirs).values(message_id=message.id))
    if given.rowcount != len(set(message.attachments)):
        complaint = "an attached file is not there, or was sent before: attach it again"
        raise InvalidMessageError(complaint)


def of(connection: Connection, message_ids: list[str]) -> dict[str, list[dict[str, Any]]]:
    """Return what came with messages, by their ids: names and kinds, without the bytes."""
    c = attachments.c
    query = (
        select(c.id, c.message_id, c.name, c.media_type, c.size)
        .where(c.message_id.in_(message_ids))
        .order_by(c.at, c.id)
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for row in connection.execute(query):
        file = {"id": row.id, "name": row.name, "media_type": row.media_type, "size": row.size}
        found.setdefault(row.message_id, []).append(file)
    return found
