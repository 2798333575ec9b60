"""Files that customers send, stored encrypted with their conversation until it is deleted."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from bot.core.types import CarelineError, InvalidMessageError, Message, NotFoundError, now
from bot.store import ownership
from bot.store.encryption import FieldCipher
from bot.store.tables import attachments

MAX_FILES: Final = 20  # files of one conversation
_ABANDONED: Final = timedelta(hours=1)  # a file that no message names is removed after this time


@dataclass(frozen=True)
class Attachment:
    """A file as it is served."""

    id: str
    conversation_id: str
    name: str
    media_type: str
    content: bytes


class Attachments:
    """A store of encrypted files."""

    def __init__(self, engine: Engine, seal: FieldCipher) -> None:
        """Use a migrated database; the content is encrypted with `seal`."""
        self._engine = engine
        self._seal = seal

    def add(self, message: Message, file: Attachment) -> None:
        """Store a file for the next message; open the conversation where there is none.

        Raises CarelineError for more files than a conversation may have.
        """
        condition = attachments.c.conversation_id == file.conversation_id
        at = now()
        is_abandoned = attachments.c.message_id.is_(None) & (attachments.c.at < at - _ABANDONED)
        with self._engine.begin() as connection:
            ownership.open_conversation(connection, message)
            connection.execute(delete(attachments).where(condition, is_abandoned))
            count = select(func.count()).select_from(attachments).where(condition)
            if int(connection.execute(count).scalar_one()) >= MAX_FILES:
                text = f"a conversation takes {MAX_FILES} files: describe the rest in words"
                raise CarelineError(text)
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
        """Return a file; raise NotFoundError where it is unknown or cannot be decrypted."""
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
    """Attach its files to a message; raise InvalidMessageError for files that are not available."""
    if not message.attachments:
        return
    available = (
        attachments.c.id.in_(message.attachments)
        & (attachments.c.conversation_id == message.conversation_id)
        & attachments.c.message_id.is_(None)
    )
    updated = connection.execute(update(attachments).where(available).values(message_id=message.id))
    if updated.rowcount != len(set(message.attachments)):
        text = "an attached file is not there, or was sent before: attach it again"
        raise InvalidMessageError(text)


def files_of_messages(
    connection: Connection, message_ids: list[str]
) -> dict[str, list[dict[str, Any]]]:
    """Return the files of messages, by message id: names and types, without the content."""
    c = attachments.c
    query = (
        select(c.id, c.message_id, c.name, c.media_type, c.size)
        .where(c.message_id.in_(message_ids))
        .order_by(c.at, c.id)
    )
    files: dict[str, list[dict[str, Any]]] = {}
    for row in connection.execute(query):
        file = {"id": row.id, "name": row.name, "media_type": row.media_type, "size": row.size}
        files.setdefault(row.message_id, []).append(file)
    return files
