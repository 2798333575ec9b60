"""The pages for visitors: the home's own `site/`, or a neutral page with the widget.

All files are read when the server starts; a request can name one of them and nothing else.
"""

import logging
from collections.abc import Iterator
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Final

from fastapi import FastAPI, HTTPException, Request, Response

from ui.assets import HTML, POLICY, TYPES, StaticAsset, respond, serve
from ui.screens.protocol import ScreenContext

_logger = logging.getLogger(__name__)

SITE: Final = "site"
_NAMELESS: Final = "Careline"
_LANGUAGES: Final = {"en": "en", "zh": "zh-CN"}
_OWN: Final = ("pages.css", "setup.js", "icon.svg")
_LARGEST: Final = 10 * 2**20  # bytes of a file that is served
_NOT_FOUND: Final = 404

Page = dict[str, StaticAsset]  # by language


def mount(app: FastAPI, screen: ScreenContext) -> None:
    """Serve the home's site at `/` and below `/site/`, and the widget's setup page."""
    business = screen.business or _NAMELESS
    for name in _OWN:
        serve(app, f"/pages/{name}", StaticAsset.of(_source(name), _type(name)), {})
    serve(app, "/favicon.ico", StaticAsset.of(_source("icon.svg"), _type("icon.svg")), {})
    _serve_page(app, "/widget", _page(_source("setup.html"), business))
    pages, assets = read_site(screen.home / SITE, business) if screen.home else ({}, {})
    _serve_page(app, "/", pages.get("index.html") or _page(_source("index.html"), business))

    def file(request: Request, path: str, lang: str = "en") -> Response:
        """Return a file of the home's site."""
        if path in pages:
            return respond(request, _in_language(pages[path], lang), POLICY)
        if path not in assets:
            raise HTTPException(_NOT_FOUND, "there is no such page")
        return respond(request, assets[path], POLICY)

    app.add_api_route(f"/{SITE}/{{path:path}}", file, include_in_schema=False)


def read_site(folder: Path, business: str) -> tuple[dict[str, Page], dict[str, StaticAsset]]:
    """Return the pages and the other files of a site, by their paths in the folder.

    Hidden files, links and files that no web page needs are left out. In pages, `$business` is
    replaced by the name of the business and `$language` by the language of the visitor.
    """
    pages: dict[str, Page] = {}
    assets: dict[str, StaticAsset] = {}
    for name, file in _files(folder):
        if name.endswith(".html"):
            pages[name] = _page(file.read_text(encoding="utf-8"), business)
        else:
            assets[name] = StaticAsset(file.read_bytes(), _type(name))
    return pages, assets


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    root = folder.resolve()
    for file in sorted(root.rglob("*")):
        name = file.relative_to(root).as_posix()
        if not file.is_file() or any(part.startswith(".") for part in name.split("/")):
            continue
        suffix = name.rpartition(".")[2]
        if file.resolve() != file or file.stat().st_size > _LARGEST:
            _logger.warning("%s is not served: it is a link, or larger than 10 MB", file)
        elif suffix not in {*TYPES, "html"}:
            _logger.warning("%s is not served: its type is not one of web pages", file)
        else:
            yield name, file


def _source(name: str) -> str:
    return (files("ui.pages") / name).read_text("utf-8")


def _type(name: str) -> str:
    return TYPES[name.rpartition(".")[2]]


def _page(text: str, business: str) -> Page:
    template = Template(text)
    return {
        language: StaticAsset.of(
            template.safe_substitute(language=code, business=escape(business)), HTML
        )
        for language, code in _LANGUAGES.items()
    }


def _in_language(page: Page, language: str) -> StaticAsset:
    return page.get(language.lower()[:2], page["en"])


def _serve_page(app: FastAPI, path: str, page: Page) -> None:
    def show(request: Request, lang: str = "en") -> Response:
        """Return a page in the requested language."""
        return respond(request, _in_language(page, lang), POLICY)

    app.add_api_route(path, show, include_in_schema=False)
