"""The chat widget and the demo shop it is shown in: static files, served with care."""

import hashlib
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable
from string import Template
from typing import Final

from fastapi import FastAPI, Request, Response

from ui.screen import Screen

DEMO_SHOP: Final = "Fernway 蕨途"
_TYPES: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
# No inline script or style, nothing from elsewhere: what a reply says can never run.
_POLICY: Final = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'self'"
)
_SAFE: Final = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
# A module script on another site is fetched with CORS; these files are public anyway.
_EMBEDDABLE: Final = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


def mount(app: FastAPI, screen: Screen) -> None:
    """Serve the widget's script at /widget.js and the demo shop at /."""
    room = files("ui")
    page = Template(room.joinpath("shop", "index.html").read_text("utf-8"))
    business = escape(screen.business or DEMO_SHOP)
    _serve(app, "/widget.js", room / "widget" / "widget.js", _EMBEDDABLE)
    for name in ("look.js", "memory.js", "wire.js", "words.js"):
        _serve(app, f"/widget/{name}", room / "widget" / name, _EMBEDDABLE)
    for name in ("shop.css", "shop.js", "gear.svg", "leaf.svg"):
        _serve(app, f"/shop/{name}", room / "shop" / name, {})
    _serve(app, "/favicon.ico", room / "shop" / "leaf.svg", {})  # for pages that name none

    def shop(request: Request, lang: str = "en") -> Response:
        """Return the demo shop's page in the language asked for."""
        language = "zh-CN" if lang.lower().startswith("zh") else "en"
        text = page.substitute(language=language, business=business)
        headers = {"Content-Security-Policy": _POLICY}
        return _answer(request, text.encode(), "text/html; charset=utf-8", headers)

    app.add_api_route("/", shop, include_in_schema=False)


def _serve(app: FastAPI, path: str, file: Traversable, headers: dict[str, str]) -> None:
    content = file.read_bytes()
    media_type = _TYPES[f".{file.name.rpartition('.')[2]}"]

    def asset(request: Request) -> Response:
        """Return a file of the screen."""
        return _answer(request, content, media_type, headers)

    app.add_api_route(path, asset, include_in_schema=False)


def _answer(request: Request, content: bytes, media_type: str, headers: dict[str, str]) -> Response:
    """Return content that browsers keep but ask about each time, so that updates arrive."""
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {**headers, **_SAFE, "Cache-Control": "no-cache", "ETag": tag}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)
