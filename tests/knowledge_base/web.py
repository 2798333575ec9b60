"""A real web server in a thread, whose pages a test writes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answer:
    """What the server says to a path."""

    body: bytes | str = b""
    kind: str = "text/html; charset=utf-8"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Site:
    """The pages of a server, and what was asked of it."""

    url: str
    pages: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    received: list[dict[str, str]] = field(default_factory=list)

    @property
    def host(self) -> str:
        return self.url.split("://")[1]

    def page(self, path: str, body: str, head: str = "", **headers: str) -> None:
        """Write an HTML page."""
        html = f"<html lang=en><head>{head}</head><body><main>{body}</main></body></html>"
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        self.pages[path] = Answer(html, headers=named)


@contextmanager
def serve() -> Iterator[Site]:
    """Serve an empty site on 127.0.0.1 until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            site.asked.append(self.path)
            site.received.append({k.lower(): v for k, v in self.headers.items()})
            missing = Answer("not here", status=404)
            answer = site.pages.get(self.path) or site.pages.get(self.path.split("?")[0], missing)
            etag = answer.headers.get("ETag")
            modified = answer.headers.get("Last-Modified")
            fresh = (etag and self.headers.get("If-None-Match") == etag) or (
                modified and self.headers.get("If-Modified-Since") == modified
            )
            body = answer.body.encode() if isinstance(answer.body, str) else answer.body
            self.send_response(304 if fresh else answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if not fresh:
                self.send_header("Content-Type", answer.kind)
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if not fresh:
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """Crawlers hang up in the middle of what they do not want."""

    server = Quiet(("127.0.0.1", 0), Handler)
    site = Site(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
