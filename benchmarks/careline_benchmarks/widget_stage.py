"""A stage for the widget: pages around it, and a way to the server that can be cut at will."""

import http.client
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlsplit

_STREAM: Final = "text/event-stream"
_PASSED_ON: Final = frozenset(
    {"accept", "authorization", "content-type", "last-event-id", "accept-encoding", "origin"}
)
_KEPT_BACK: Final = frozenset({"transfer-encoding", "connection", "date", "server", "keep-alive"})
_PIECE: Final = 4096
_PATIENCE: Final = 120.0  # seconds

Script = Callable[[bytes, str | None], Iterator[bytes]]  # body, Last-Event-ID → what is streamed


@dataclass
class StagePage:
    """A page of the stage."""

    html: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class WidgetStage:
    """Serves pages of its own and passes everything else on to a server.

    `script` answers messages in the server's place. `cut` streams of replies are broken off after
    some bytes, one stream for each number in it.
    """

    upstream: str
    pages: dict[str, StagePage] = field(default_factory=dict)
    script: Script | None = None
    cuts: list[int] = field(default_factory=list)
    broken: int = 0  # replies that broke off so far: cut here, or the server or the browser left
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
        """Keep quiet."""

    def do_GET(self) -> None:
        """Serve a page, or pass the request on."""
        page = self.stage.pages.get(self.path.partition("?")[0])
        if page is None:
            self._pass_on()
            return
        body = page.html.encode()
        self._begin(200, {"Content-Type": "text/html; charset=utf-8", **page.headers}, len(body))
        self.wfile.write(body)

    def do_POST(self) -> None:
        """Answer by the script, or pass the request on."""
        if self.stage.script and self.path == "/api/messages":
            self._begin(200, {"Content-Type": _STREAM}, None)
            self._stream(self.stage.script(self._body(), self.headers.get("Last-Event-ID")))
            return
        self._pass_on()

    def do_DELETE(self) -> None:
        """Pass the request on."""
        self._pass_on()

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

    def _pass_on(self) -> None:
        self.stage.requests.append(f"{self.command} {self.path}")
        place = urlsplit(self.stage.upstream)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=_PATIENCE)
        wanted = {k: v for k, v in self.headers.items() if k.lower() in _PASSED_ON}
        try:
            connection.request(self.command, self.path, self._body(), wanted)
            answer = connection.getresponse()
            kept = {k: v for k, v in answer.getheaders() if k.lower() not in _KEPT_BACK}
            self._begin(answer.status, kept, None)
            pieces = iter(lambda: answer.read1(_PIECE), b"")
            if self.command == "POST" and _STREAM in answer.headers.get("Content-Type", ""):
                self._stream(pieces)
            else:
                for piece in pieces:
                    self._send(piece)
        except (OSError, http.client.HTTPException):
            return  # the server is away, or the browser left: the connection ends
        finally:
            connection.close()

    def _stream(self, pieces: Iterator[bytes]) -> None:
        """Send a reply, or the beginning of it where this one is to be cut."""
        left = self.stage.cuts.pop(0) if self.stage.cuts else None
        self.stage.broken += 1
        for piece in pieces:
            if left is not None and len(piece) >= left:
                self._send(piece[:left])
                return
            self._send(piece)
            left = left and left - len(piece)
        self.stage.broken -= 1  # it came to its end

    def _send(self, piece: bytes) -> None:
        self.wfile.write(piece)
        self.wfile.flush()
