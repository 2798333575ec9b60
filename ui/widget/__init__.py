"""The chat widget: static files, bundled and minified when the server starts.

A page loads one file with all modules; the words of a language, and the forms that few visitors
open, are loaded separately.
"""

import re
from importlib.resources import files
from typing import Final

import minify
from fastapi import FastAPI

from ui import pages
from ui.assets import SCRIPT, StaticAsset, serve
from ui.screens.protocol import ScreenContext

# Each imports only modules before it.
MODULES: Final = (
    "wire",
    "memory",
    "session",
    "live",
    "options",
    "dom",
    "style",
    "log",
    "conversation",
    "rows",
    "lines",
    "panel",
    "widget",
)
SEPARATE: Final = ("words-en", "words-zh", "forms")
_IMPORT: Final = re.compile(r"^import [^;]*;\n", re.MULTILINE)
_EXPORT: Final = re.compile(r"^export (?=async |class |const |function )", re.MULTILINE)
_SPACE: Final = re.compile(r"(?<=[,:;]) |\s*\n\s*")  # the minifier leaves it in colours
_STYLE: Final = re.compile(r"(?<=const CSS = `).*?(?=`)", re.DOTALL)
# A module script on another site is fetched with CORS; these files are public anyway.
_EMBEDDABLE: Final = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


def scripts() -> dict[str, StaticAsset]:
    """Return the widget's scripts as they are served, by their paths."""
    assets = {"/widget.js": StaticAsset.of(bundle(), SCRIPT)}
    for name in SEPARATE:
        assets[f"/widget/{name}.js"] = StaticAsset.of(_minify(_source(name)), SCRIPT)
    return assets


def bundle() -> str:
    """Return all modules as one script; their top-level names must differ."""
    parts = [_EXPORT.sub("", _IMPORT.sub("", _source(name))) for name in MODULES]
    text = _STYLE.sub(lambda css: _SPACE.sub("", _minify(css[0], "text/css")), "".join(parts))
    return _minify(f"(() => {{{text}}})();")


def _source(name: str) -> str:
    return (files("ui") / "widget" / f"{name}.js").read_text("utf-8")


def _minify(text: str, media_type: str = "text/javascript") -> str:
    """Return a script or a style sheet without comments and spaces, with short local names."""
    return str(minify.string(media_type, text))


def mount(app: FastAPI, screen: ScreenContext) -> None:
    """Serve the widget at /widget.js, and the pages for visitors."""
    for path, asset in scripts().items():
        serve(app, path, asset, _EMBEDDABLE)
    pages.mount(app, screen)
