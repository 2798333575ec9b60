"""The routes of the workshop, what is sent to them, and the least role they let in."""

from typing import Any

from bot.store.accounts import AccessLevel

SUPERVISOR, ADMIN = AccessLevel.SUPERVISOR, AccessLevel.ADMIN
HERE = "/api/workshop"
CHANGE = {"path": "kb/no.pdf"}
# Method, path, body, and the least role; what is let in may be refused for another reason.
ROUTES: tuple[tuple[str, str, dict[str, Any] | None, AccessLevel], ...] = (
    ("GET", f"{HERE}/texts", None, SUPERVISOR),
    ("GET", f"{HERE}/text?path=kb/no.md", None, SUPERVISOR),
    ("POST", f"{HERE}/check", {"path": "kb/no.md", "text": "x"}, SUPERVISOR),
    ("POST", f"{HERE}/publish", {**CHANGE, "text": "x"}, SUPERVISOR),
    ("POST", f"{HERE}/publish", {"path": "policy.yml", "text": "x"}, ADMIN),
    ("POST", f"{HERE}/remove", CHANGE, SUPERVISOR),
    ("GET", f"{HERE}/publications", None, SUPERVISOR),
    ("GET", f"{HERE}/publications/nowhere", None, SUPERVISOR),
    ("POST", f"{HERE}/publications/nowhere/rollback", {"base": ""}, SUPERVISOR),
    ("GET", f"{HERE}/status", None, SUPERVISOR),
    ("GET", f"{HERE}/versions", None, SUPERVISOR),
    ("GET", f"{HERE}/versions/nowhere", None, SUPERVISOR),
    ("POST", f"{HERE}/versions/nowhere/activate", None, ADMIN),
    ("POST", f"{HERE}/versions/nowhere/rollback", None, ADMIN),
    ("GET", f"{HERE}/jobs", None, SUPERVISOR),
    ("POST", f"{HERE}/jobs", {"task": "dance"}, ADMIN),
    ("GET", f"{HERE}/jobs/nowhere", None, SUPERVISOR),
    ("POST", f"{HERE}/jobs/nowhere/stop", None, ADMIN),
    ("GET", f"{HERE}/files", None, SUPERVISOR),
    ("POST", f"{HERE}/files?to=dialogs&name=a.txt", {}, ADMIN),
    ("POST", f"{HERE}/files/remove", {"path": "nothing"}, ADMIN),
)
