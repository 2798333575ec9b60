"""The login: the page at /login, the user of a request, the session of the screens."""

from html import escape
from http.cookies import CookieError, SimpleCookie
from importlib.resources import files
from string import Template
from typing import Final

import httpx
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

COOKIE: Final = "careline_session"
PATH: Final = "/login"
_SAFE: Final = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_TYPES: Final = {
    "login.js": "text/javascript",
    "guard.js": "text/javascript",
    "login.css": "text/css",
}
GUARD: Final = f'<script src="{PATH}/guard.js"></script>'  # for the head of a page behind the gate
CSS: Final = """
#signed-out { margin: auto; padding: 1.5rem 2rem; border: 1px solid var(--border-color-primary);
  border-radius: 8px; text-align: center; color: var(--body-text-color);
  background: var(--body-background-fill); }
#signed-out::backdrop { background: rgb(0 0 0 / .5); }
#signed-out p { margin: 0 0 1rem; font-size: 1.1rem; }
#signed-out a { display: inline-block; padding: .5rem 1.25rem; border-radius: 6px;
  color: #fff; background: #047857; }
"""


def mount(app: FastAPI, business: str) -> None:
    """Serve the page and its files, and /logout."""
    folder = files("ui") / "login"
    page = Template((folder / "page.html").read_text("utf-8")).substitute(
        business=escape(business or "Careline")
    )

    def login() -> Response:
        """Return the page where staff sign in."""
        return Response(page, media_type="text/html", headers=_SAFE)

    def logout() -> Response:
        """End the session in this browser."""
        response = RedirectResponse(PATH, 303)
        response.delete_cookie(COOKIE, httponly=True, samesite="lax")
        return response

    app.add_api_route(PATH, login, include_in_schema=False)
    app.add_api_route("/logout", logout, include_in_schema=False)
    for name, media_type in _TYPES.items():
        _serve(app, f"{PATH}/{name}", (folder / name).read_text("utf-8"), media_type)


def _serve(app: FastAPI, path: str, content: str, media_type: str) -> None:
    def asset() -> Response:
        """Return a file of the page."""
        return Response(content, media_type=media_type, headers=_SAFE)

    app.add_api_route(path, asset, include_in_schema=False)


class LoginGate:
    """Lets signed-in users pass and redirects others to the login."""

    def __init__(self, base_url: str, path: str) -> None:
        """Check sessions with the server at `base_url`; `path` is that of the app."""
        self._base_url = base_url
        self._path = path
        self._http: httpx.AsyncClient | None = None

    async def __call__(self, request: Request) -> str | None:
        """Return the user of a request, None without one; redirect a page to the login."""
        session = request.cookies.get(COOKIE)
        if session:
            if self._http is None:  # in the event loop that it belongs to
                self._http = httpx.AsyncClient(base_url=self._base_url, trust_env=False)
            headers = {"Authorization": f"Bearer {session}"}
            response = await self._http.get("/api/session", headers=headers)
            if response.status_code == httpx.codes.OK:
                return str(response.json()["user"])
        if request.method == "GET" and request.url.path.rstrip("/") == self._path:
            raise HTTPException(303, headers={"Location": PATH})
        return None


def session() -> str | None:
    """Return the session of the user whose event is handled now; None outside of events."""
    from gradio.context import LocalContext

    request = LocalContext.request.get(None)
    if request is None:
        return None
    cookies: SimpleCookie = SimpleCookie()
    try:
        cookies.load(dict(request.headers).get("cookie", ""))
    except CookieError:
        return None
    return cookies[COOKIE].value if COOKIE in cookies else None
