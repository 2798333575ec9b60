"""The workshop's part of the HTTP API, as somebody who signed in."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote

from ui.client.http_client import ApiError, Client, Json
from ui.screens import notices

_Answer = TypeVar("_Answer")
_ROOT: Final = "/api/workshop"


@dataclass(frozen=True)
class AuthoringApi:
    """What is done in the workshop; every refusal is an ApiError with the server's words."""

    client: Client

    def role(self) -> str:
        """Return the role of who signed in."""
        return str(self.client.get("/api/session")["role"])

    def status(self) -> Json:
        """Return what is active, what is served, and what is being done."""
        return self.client.get(f"{_ROOT}/status")

    def texts(self) -> list[Json]:
        """Return the texts that may be changed."""
        found: list[Json] = self.client.get(f"{_ROOT}/texts")["texts"]
        return found

    def text(self, path: str) -> Json:
        """Return a text and its hash."""
        return self.client.get(f"{_ROOT}/text", path=path)

    def check(self, path: str, text: str) -> Json:
        """Return what is wrong with new words, and what they change."""
        return self.client.post(f"{_ROOT}/check", path=path, text=text)

    def publish(self, path: str, text: str, base: str, note: str, draft: str | None) -> Json:
        """Publish new words."""
        body: Json = {"path": path, "text": text, "base": base, "note": note, "draft": draft}
        return self.client.post(f"{_ROOT}/publish", **body)

    def remove(self, path: str, base: str, note: str) -> Json:
        """Take an article or a draft away."""
        return self.client.post(f"{_ROOT}/remove", path=path, base=base, note=note)

    def publications(self, path: str | None = None) -> list[Json]:
        """Return what was published, of one text or of all, the latest first."""
        wanted = {"path": path} if path else {}
        found = self.client.get(f"{_ROOT}/publications", **wanted)["publications"]
        return list(found)

    def publication(self, identifier: str) -> Json:
        """Return a publication with what it changed."""
        return self.client.get(f"{_ROOT}/publications/{quote(identifier, safe='')}")

    def roll_back(self, identifier: str, base: str, note: str) -> Json:
        """Bring a text back to how it was before a publication."""
        place = f"{_ROOT}/publications/{quote(identifier, safe='')}/rollback"
        return self.client.post(place, base=base, note=note)

    def versions(self, kind: str | None = None) -> list[Json]:
        """Return the versions, oldest first."""
        wanted = {"kind": kind} if kind else {}
        found: list[Json] = self.client.get(f"{_ROOT}/versions", **wanted)["versions"]
        return found

    def version(self, identifier: str) -> Json:
        """Return a version with its curve and what it changed."""
        return self.client.get(f"{_ROOT}/versions/{quote(identifier, safe='')}")

    def activate(self, identifier: str) -> Json:
        """Make a version the one that serves."""
        return self.client.post(f"{_ROOT}/versions/{quote(identifier, safe='')}/activate")

    def go_back(self, kind: str) -> Json:
        """Go back to the version before the active one."""
        return self.client.post(f"{_ROOT}/versions/{kind}/rollback")

    def begin(self, task: str, **options: Any) -> Json:
        """Begin a job."""
        return self.client.post(f"{_ROOT}/jobs", task=task, **options)

    def stop(self, identifier: str) -> Json:
        """End a job before its time."""
        return self.client.post(f"{_ROOT}/jobs/{quote(identifier, safe='')}/stop")

    def files(self) -> Json:
        """Return the files that the home is built from."""
        return self.client.get(f"{_ROOT}/files")

    def send(self, to: str, file: Path) -> Json:
        """Bring a file into the home."""
        return self.client.send_file(f"{_ROOT}/files", file.read_bytes(), to=to, name=file.name)

    def discard(self, path: str) -> Json:
        """Delete a file of the home."""
        return self.client.post(f"{_ROOT}/files/remove", path=path)


def asked(ask: Callable[[], _Answer]) -> _Answer:
    """Return the server's answer; who signed in is told of a refusal."""
    try:
        return ask()
    except ApiError as error:
        raise notices.failure(error) from error
