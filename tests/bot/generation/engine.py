"""An engine of another make: a real HTTP server that answers as it is told to."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

END = "data: [DONE]\n\n"


def event(text: str, **more: Any) -> str:
    choices = [{"index": 0, "delta": {"content": text}, "finish_reason": None}]
    return f"data: {json.dumps({'choices': choices, **more}, ensure_ascii=False)}\n\n"


def usage(prompt: int, completion: int) -> str:
    counted = {"prompt_tokens": prompt, "completion_tokens": completion}
    return f"data: {json.dumps({'choices': [], 'usage': counted})}\n\n"


class Engine:
    """Answers requests by its plan, one entry each, the last one for all further ones.

    An entry is a status with headers, or the parts of a stream; a number among the parts is a
    pause in seconds, None breaks the connection.
    """

    def __init__(self, *plan: list[str | float | None] | tuple[int, dict[str, str]]) -> None:
        self.plan = list(plan)
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.url = ""

    @contextmanager
    def running(self) -> Iterator["Engine"]:
        engine = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                engine.answer(self)

            def log_message(self, *_: Any) -> None:
                return

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}/v1"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        size = int(handler.headers.get("content-length", 0))
        self.requests.append(json.loads(handler.rfile.read(size)))
        self.keys.append(handler.headers.get("authorization"))
        planned = self.plan.pop(0) if len(self.plan) > 1 else self.plan[0]
        if isinstance(planned, tuple):
            status, headers = planned
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name, value)
            handler.send_header("content-length", "0")
            handler.end_headers()
            return
        handler.send_response(200)
        handler.send_header("content-type", "text/event-stream")
        handler.end_headers()
        for part in planned:
            if part is None:
                return
            if isinstance(part, float):
                time.sleep(part)
                continue
            try:
                handler.wfile.write(part.encode())
                handler.wfile.flush()
            except OSError:  # the other side hung up
                return
