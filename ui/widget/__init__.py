"""The chat widget: static files, made small once and served with care.

The widget is written as ES modules, one for each meaning. They are put together when the server
starts, so that a page asks for one file; only its words, by language, and the forms that few open
are asked for apart.
"""

import re
from importlib.resources import files
from typing import Final

import minify
from fastapi import FastAPI

from ui import pages
from ui.assets import SCRIPT, StaticAsset, serve
from ui.screens.protocol import ScreenContext

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
# A module script on another site is fetched with CORS; these files are public anyway.
_EMBEDDABLE: Final = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


def scripts() -> dict[str, StaticAsset]:
    """Return the widget's scripts as they are served, by their paths."""
    found = {"/widget.js": StaticAsset.of(joined(), SCRIPT)}
    for name in APART:
        found[f"/widget/{name}.js"] = StaticAsset.of(_small(_source(name)), SCRIPT)
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
    """Serve the widget's script at /widget.js and the pages for visitors that show it."""
    for path, asset in scripts().items():
        serve(app, path, asset, _EMBEDDABLE)
    pages.mount(app, screen)
