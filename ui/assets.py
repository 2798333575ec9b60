"""Static files: compressed once, cached by browsers, revalidated each time."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import zopfli.gzip
from fastapi import FastAPI, Request, Response

HTML: Final = "text/html; charset=utf-8"
SCRIPT: Final = "text/javascript; charset=utf-8"
TYPES: Final = {
    "js": SCRIPT,
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "ico": "image/x-icon",
    "woff2": "font/woff2",
    "txt": "text/plain; charset=utf-8",
}
# No inline script or style, nothing from other hosts: text in a reply can never run.
POLICY: Final = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'self'"
}
_SAFE: Final = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}


@dataclass(frozen=True)
class StaticAsset:
    """A file, plain and compressed."""

    plain: bytes
    media_type: str

    @classmethod
    def of(cls, text: str, media_type: str) -> "StaticAsset":
        """Return the asset of a text."""
        return cls(text.encode(), media_type)

    @cached_property
    def packed(self) -> bytes:
        """The file as gzip, compressed when it is first requested."""
        packed: bytes = zopfli.gzip.compress(self.plain)
        return packed

    @cached_property
    def tag(self) -> str:
        """The entity tag, a hash of the content."""
        return f'"{hashlib.sha256(self.plain).hexdigest()[:32]}"'


def serve(app: FastAPI, path: str, asset: StaticAsset, headers: dict[str, str]) -> None:
    """Serve a file at a path."""

    def file(request: Request) -> Response:
        """Return the file."""
        return respond(request, asset, headers)

    app.add_api_route(path, file, include_in_schema=False)


def respond(request: Request, asset: StaticAsset, headers: dict[str, str]) -> Response:
    """Return a response that browsers cache and revalidate each time, so that updates arrive."""
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
