"""The chat widget and the pages that show it: static files, made small once and served with care.

The widget is written as ES modules, one for each meaning. They are put together when the server
starts, so that a page asks for one file; only its words, by language, and the forms that few open
are asked for apart.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from html import escape
from importlib.resources import files
from string import Template
from typing import Final

import minify
import zopfli.gzip
from fastapi import FastAPI, Request, Response

from ui.screens.protocol import ScreenContext

DEMO_SHOP: Final = "Fernway 蕨途"
# In the order of their imports: each needs only those before it.
MODULES: Final = (
    "wire",
    "memory",
    "session",
    "live",
    "options",
    "dom",
    "style",
    "conversation",
    "rows",
    "lines",
    "panel",
    "widget",
)
APART: Final = ("words-en", "words-zh", "forms")
_IMPORT: Final = re.compile(r"^import [^;]*;\n", re.MULTILINE)
_EXPORT: Final = re.compile(r"^export (?=async |class |const |function )", re.MULTILINE)
_SPACE: Final = re.compile(r"(?<=[,:;]) |\s*\n\s*")  # which the minifier leaves in colours
_STYLE: Final = re.compile(r"(?<=const CSS = `).*?(?=`)", re.DOTALL)
_SCRIPT: Final = "text/javascript; charset=utf-8"
_TYPES: Final = {
    "js": _SCRIPT,
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
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
_LANGUAGES: Final = {"zh": "zh-CN"}


@dataclass(frozen=True)
class StaticAsset:
    """A file in both forms it is sent in."""

    plain: bytes
    media_type: str

    @classmethod
    def of(cls, text: str, media_type: str) -> "StaticAsset":
        """Take a text."""
        return cls(text.encode(), media_type)

    @cached_property
    def packed(self) -> bytes:
        """The file as gzip, packed as tightly as that goes: once, when it is first asked for."""
        found: bytes = zopfli.gzip.compress(self.plain)
        return found

    @cached_property
    def tag(self) -> str:
        """What changes with the content."""
        return f'"{hashlib.sha256(self.plain).hexdigest()[:32]}"'


def scripts() -> dict[str, StaticAsset]:
    """Return the widget's scripts as they are served, by their paths."""
    found = {"/widget.js": StaticAsset.of(joined(), _SCRIPT)}
    for name in APART:
        found[f"/widget/{name}.js"] = StaticAsset.of(_small(_source(name)), _SCRIPT)
    return found


def joined() -> str:
    """Return all modules as one: names at the top of a module are its own in the whole."""
    parts = [_EXPORT.sub("", _IMPORT.sub("", _source(name))) for name in MODULES]
    text = _STYLE.sub(lambda css: _SPACE.sub("", _small(css[0], "text/css")), "".join(parts))
    return _small(f"(() => {{{text}}})();")


def _source(name: str) -> str:
    return (files("ui") / "widget" / f"{name}.js").read_text("utf-8")


def _small(text: str, media_type: str = "text/javascript") -> str:
    """Return a script without comments and spaces, its own names short, or a style sheet."""
    return str(minify.string(media_type, text))


def mount(app: FastAPI, screen: ScreenContext) -> None:
    """Serve the widget's script at /widget.js and the demo shop at /."""
    business = screen.business or DEMO_SHOP
    for path, asset in scripts().items():
        _serve(app, path, asset, _EMBEDDABLE)
    for name in ("shop.css", "shop.js", "setup.js", "gear.svg", "leaf.svg"):
        _serve(app, f"/shop/{name}", _file(name), {})
    _serve(app, "/favicon.ico", _file("leaf.svg"), {})  # for pages that name none
    _page(app, "/", "index.html", business)
    _page(app, "/widget", "setup.html", business)


def _file(name: str) -> StaticAsset:
    text = (files("ui") / "shop" / name).read_text("utf-8")
    return StaticAsset.of(text, _TYPES[name.rpartition(".")[2]])


def _page(app: FastAPI, path: str, name: str, business: str) -> None:
    text = Template((files("ui") / "shop" / name).read_text("utf-8"))
    media_type = "text/html; charset=utf-8"
    pages = {
        language: StaticAsset.of(
            text.substitute(language=language, business=escape(business)), media_type
        )
        for language in ("en", "zh-CN")
    }

    def page(request: Request, lang: str = "en") -> Response:
        """Return a page in the language asked for."""
        language = _LANGUAGES.get(lang.lower()[:2], "en")
        return _answer(request, pages[language], {"Content-Security-Policy": _POLICY})

    app.add_api_route(path, page, include_in_schema=False)


def _serve(app: FastAPI, path: str, asset: StaticAsset, headers: dict[str, str]) -> None:
    def file(request: Request) -> Response:
        """Return a file of the screen."""
        return _answer(request, asset, headers)

    app.add_api_route(path, file, include_in_schema=False)


def _answer(request: Request, asset: StaticAsset, headers: dict[str, str]) -> Response:
    """Return content that browsers keep but ask about each time, so that updates arrive."""
    headers = {
        **headers,
        **_SAFE,
        "Cache-Control": "no-cache",
        "ETag": asset.tag,
        "Vary": "Accept-Encoding",
    }
    if asset.tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(asset.packed, media_type=asset.media_type, headers=headers)
    return Response(asset.plain, media_type=asset.media_type, headers=headers)
