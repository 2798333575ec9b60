"""Another company's system: a real HTTP server that keeps what it is sent."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Sent:
    """A request it got, refused ones included."""

    path: str
    headers: dict[str, str]
    raw: bytes
    status: int

    @property
    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.raw)
        return body


@dataclass
class Neighbour:
    """Answers 200, or the statuses of `plan` first where the path holds its key."""

    url: str = ""
    got: list[Sent] = field(default_factory=list)
    plan: dict[str, list[int]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def running(self) -> Iterator["Neighbour"]:
        neighbour = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers.get("content-length", 0)))
                status = neighbour.take(self.path, dict(self.headers.items()), raw)
                self.send_response(status)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: Any) -> None:
                return

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()

    def take(self, path: str, headers: dict[str, str], raw: bytes) -> int:
        with self.lock:
            planned = next((left for key, left in self.plan.items() if key in path and left), None)
            status = planned.pop(0) if planned else 200
            named = {name.lower(): value for name, value in headers.items()}
            self.got.append(Sent(path, named, raw, status))
        return status

    def accepted(self, part: str) -> list[Sent]:
        """Return the requests it took whose path holds a part, in order."""
        with self.lock:
            return [sent for sent in self.got if part in sent.path and sent.status == 200]

    def wait_for(self, part: str, count: int = 1, seconds: float = 300.0) -> list[Sent]:
        """Return what it took, at least `count` requests, waiting for them."""
        patience = time.monotonic() + seconds
        while len(self.accepted(part)) < count:
            assert time.monotonic() < patience, [(sent.path, sent.status) for sent in self.got]
            time.sleep(0.05)
        return self.accepted(part)
