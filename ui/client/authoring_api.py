"""The workshop's part of the HTTP API, with the session of the signed-in user."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from ui.client.http_client import Client, Json

_ROOT: Final = "/api/workshop"


@dataclass(frozen=True)
class AuthoringApi:
    """The actions of the workshop; an error of the server is an ApiError with its message."""

    client: Client

    def role(self) -> str:
        """Return the role of the signed-in user."""
        return str(self.client.get("/api/session")["role"])

    def status(self) -> Json:
        """Return the active and served versions and the latest job."""
        return self.client.get(f"{_ROOT}/status")

    def texts(self) -> list[Json]:
        """Return the texts that can be edited."""
        texts: list[Json] = self.client.get(f"{_ROOT}/texts")["texts"]
        return texts

    def text(self, path: str) -> Json:
        """Return a text and its hash."""
        return self.client.get(f"{_ROOT}/text", path=path)

    def check(self, path: str, text: str) -> Json:
        """Return the problems of a changed text, and its difference."""
        return self.client.post(f"{_ROOT}/check", path=path, text=text)

    def publish(self, path: str, text: str, base: str, note: str, draft: str | None) -> Json:
        """Publish a changed text."""
        body: Json = {"path": path, "text": text, "base": base, "note": note, "draft": draft}
        return self.client.post(f"{_ROOT}/publish", **body)

    def remove(self, path: str, base: str, note: str) -> Json:
        """Remove an article or a draft."""
        return self.client.post(f"{_ROOT}/remove", path=path, base=base, note=note)

    def publications(self, path: str | None = None) -> list[Json]:
        """Return the publications of one text or of all, the latest first."""
        query = {"path": path} if path else {}
        return list(self.client.get(f"{_ROOT}/publications", **query)["publications"])

    def publication(self, identifier: str) -> Json:
        """Return a publication with its difference."""
        return self.client.get(f"{_ROOT}/publications/{quote(identifier, safe='')}")

    def roll_back(self, identifier: str, base: str, note: str) -> Json:
        """Restore a text as it was before a publication."""
        path = f"{_ROOT}/publications/{quote(identifier, safe='')}/rollback"
        return self.client.post(path, base=base, note=note)

    def versions(self, kind: str | None = None) -> list[Json]:
        """Return the versions, the oldest first."""
        query = {"kind": kind} if kind else {}
        return list(self.client.get(f"{_ROOT}/versions", **query)["versions"])

    def version(self, identifier: str) -> Json:
        """Return a version with its training curve and its changes."""
        return self.client.get(f"{_ROOT}/versions/{quote(identifier, safe='')}")

    def activate(self, identifier: str) -> Json:
        """Activate a version."""
        return self.client.post(f"{_ROOT}/versions/{quote(identifier, safe='')}/activate")

    def roll_back_version(self, kind: str) -> Json:
        """Go back to the version before the active one."""
        return self.client.post(f"{_ROOT}/versions/{kind}/rollback")

    def start(self, task: str, **options: Any) -> Json:
        """Start a job."""
        return self.client.post(f"{_ROOT}/jobs", task=task, **options)

    def stop(self, identifier: str) -> Json:
        """Stop a job."""
        return self.client.post(f"{_ROOT}/jobs/{quote(identifier, safe='')}/stop")

    def files(self) -> Json:
        """Return the files of the home from which versions are built."""
        return self.client.get(f"{_ROOT}/files")

    def upload(self, to: str, file: Path) -> Json:
        """Upload a file into the home."""
        return self.client.send_file(f"{_ROOT}/files", file.read_bytes(), to=to, name=file.name)

    def delete_file(self, path: str) -> Json:
        """Delete a file of the home."""
        return self.client.post(f"{_ROOT}/files/remove", path=path)
