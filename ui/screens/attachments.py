"""Files that customers sent, for agents: fetched with the session of the signed-in user."""

from collections.abc import Iterable
from html import escape
from typing import Final
from urllib.parse import quote

from ui.client.http_client import Json

_IMAGES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_SAFE: Final = 'target="_blank" rel="noopener noreferrer"'
CSS: Final = """
.file { display: inline-block; margin: .35rem .35rem 0 0; }
.file img { display: block; max-width: 260px; max-height: 200px; border-radius: 4px;
  border: 1px solid var(--border-color-primary); }
"""


def address(file: Json) -> str:
    """Return the path of a file, which needs a session."""
    return f"/api/desk/attachments/{quote(file['id'], safe='')}"


def html(files: Iterable[Json]) -> str:
    """Return images, and links to other files, which browsers save instead of opening."""
    return "".join(_image(file) if file["media_type"] in _IMAGES else link(file) for file in files)


def _image(file: Json) -> str:
    name = escape(file["name"], quote=True)
    picture = f'<img src="{address(file)}" alt="{name}" title="{name}">'
    return f'<a class="file" href="{address(file)}" {_SAFE}>{picture}</a>'


def link(file: Json) -> str:
    """Return a link with the file's name, kind and size."""
    return (
        f'<a class="file" href="{address(file)}" {_SAFE}>{escape(file["name"])}</a> '
        f"({escape(file['media_type'])}, {file['size']:,} B)"
    )
