"""A proxy for the widget benchmark, with pages of its own and connections that can be cut."""

import http.client
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlsplit

_STREAM: Final = "text/event-stream"
_FORWARDED: Final = frozenset(
    {"accept", "authorization", "content-type", "last-event-id", "accept-encoding", "origin"}
)
_DROPPED: Final = frozenset({"transfer-encoding", "connection", "date", "server", "keep-alive"})
_PIECE: Final = 4096
_PATIENCE: Final = 120.0  # seconds

Script = Callable[[bytes, str | None], Iterator[bytes]]  # body, Last-Event-ID → the stream


@dataclass
class StagePage:
    """A page of the stage."""

    html: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class WidgetStage:
    """Serves its own pages and forwards everything else to a server.

    `script` answers messages instead of the server. Each number in `cuts` ends one stream of a
    reply after that many bytes.
    """

    upstream: str
    pages: dict[str, StagePage] = field(default_factory=dict)
    script: Script | None = None
    cuts: list[int] = field(default_factory=list)
    broken: int = 0  # replies that were interrupted: cut here, or by the server or the browser
    requests: list[str] = field(default_factory=list)
    url: str = ""

    @contextmanager
    def running(self) -> Iterator["WidgetStage"]:
        """Serve on a free port of this machine."""

        class Handler(_Handler):
            stage = self

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            server.daemon_threads = True
            self.url = f"http://127.0.0.1:{server.server_address[1]}"
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    stage: WidgetStage

    def log_message(self, *_: Any) -> None:
        """Do not log requests."""

    def do_GET(self) -> None:
        """Serve a page, or forward the request."""
        page = self.stage.pages.get(self.path.partition("?")[0])
        if page is None:
            self._forward()
            return
        body = page.html.encode()
        self._begin(200, {"Content-Type": "text/html; charset=utf-8", **page.headers}, len(body))
        self.wfile.write(body)

    def do_POST(self) -> None:
        """Answer with the script, or forward the request."""
        if self.stage.script and self.path == "/api/messages":
            self._begin(200, {"Content-Type": _STREAM}, None)
            self._stream(self.stage.script(self._body(), self.headers.get("Last-Event-ID")))
            return
        self._forward()

    def do_DELETE(self) -> None:
        """Forward the request."""
        self._forward()

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _begin(self, status: int, headers: Mapping[str, str], length: int | None) -> None:
        self.close_connection = True
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.send_header("Connection", "close")
        self.end_headers()

    def _forward(self) -> None:
        self.stage.requests.append(f"{self.command} {self.path}")
        place = urlsplit(self.stage.upstream)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=_PATIENCE)
        request_headers = {k: v for k, v in self.headers.items() if k.lower() in _FORWARDED}
        try:
            connection.request(self.command, self.path, self._body(), request_headers)
            answer = connection.getresponse()
            headers = {k: v for k, v in answer.getheaders() if k.lower() not in _DROPPED}
            self._begin(answer.status, headers, None)
            pieces = iter(lambda: answer.read1(_PIECE), b"")
            if self.command == "POST" and _STREAM in answer.headers.get("Content-Type", ""):
                self._stream(pieces)
            else:
                for piece in pieces:
                    self._send(piece)
        except (OSError, http.client.HTTPException):
            return  # the server is down, or the browser left: the connection ends
        finally:
            connection.close()

    def _stream(self, pieces: Iterator[bytes]) -> None:
        """Send a reply, or the beginning of it if it is to be cut."""
        remaining = self.stage.cuts.pop(0) if self.stage.cuts else None
        self.stage.broken += 1
        for piece in pieces:
            if remaining is not None and len(piece) >= remaining:
                self._send(piece[:remaining])
                return
            self._send(piece)
            remaining = remaining and remaining - len(piece)
        self.stage.broken -= 1  # it was complete

    def _send(self, piece: bytes) -> None:
        self.wfile.write(piece)
        self.wfile.flush()
