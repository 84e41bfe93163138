"""A real HTTP server on this machine, which answers as a test tells it to and remembers what it was asked."""

from __future__ import annotations

import base64
import io
import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
from PIL import Image

SIDE = 8


@dataclass(frozen=True)
class Asked:
    """A request: the how manyth it was, counted from 0, when it came, and all that it said."""

    number: int
    at_s: float
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """What is sent back: after ``delay_s``; only its first ``cut`` bytes, or a byte each ``drip_s``, if these are set.

    A reply that is ``lost`` is none: the connection is closed.
    """

    body: bytes = b""
    content_type: str = "image/png"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    drip_s: float = 0.0
    cut: int | None = None
    lost: bool = False


class LocalService:
    """The server, its address, and what it was asked so far; a context manager that ends it."""

    def __init__(self, answer: Callable[[Asked], Reply], port: int = 0) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        self.most_at_once = 0
        self._under_way = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", port), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def take(self, path: str, headers: dict[str, str], body: bytes) -> Reply:
        """Note a request and decide on the reply, which has waited for as long as it should."""
        with self._lock:
            asked = Asked(len(self.asked), time.monotonic(), path, headers, body)
            self.asked.append(asked)
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            reply = self.answer(asked)
            self.wait(reply.delay_s)
            return reply
        finally:
            with self._lock:
                self._under_way -= 1

    def wait(self, seconds: float) -> None:
        """Sleep, but not longer than the service lives."""
        if seconds:
            self._closing.wait(seconds)

    def __enter__(self) -> LocalService:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening and hang up, as a service that has crashed; may be called again."""
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server.hang_up()


def picture(seed: int = 0, label: int = 0, side: int = SIDE, channels: int = 1) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Noise with a bar that says the label, uint8 ``[C, side, side]``."""
    image = np.random.default_rng(seed).integers(0, 100, (channels, side, side), dtype=np.uint8)
    image[:, :, 2 * label : 2 * label + 8] += 150
    return image


def png(image: np.ndarray[Any, np.dtype[np.uint8]], kind: str = "PNG") -> bytes:
    pixels = image[0] if len(image) == 1 else np.ascontiguousarray(image.transpose(1, 2, 0))
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def base64_of(file: bytes) -> str:
    return base64.b64encode(file).decode()


def json_reply(content: Any, status: int = 200, **more: Any) -> Reply:
    return Reply(json.dumps(content).encode(), "application/json", status, **more)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._connections: list[socket.socket] = []

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._connections.append(connection)
        return connection, address

    def hang_up(self) -> None:
        """Break off every connection, those that are kept for a next request too."""
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the tests."""


def _handler(service: LocalService) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body leave together, else each answer waits for the acknowledgement of its head

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            reply = service.take(self.path, {name.lower(): text for name, text in self.headers.items()}, body)
            self.close_connection = reply.lost or reply.cut is not None
            if reply.lost:
                return
            self.send_response(reply.status)
            for name, text in {"Content-Type": reply.content_type, **reply.headers}.items():
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self._send(reply)

        def _send(self, reply: Reply) -> None:
            if not reply.drip_s:
                self.wfile.write(reply.body[: reply.cut])
                return
            for byte in reply.body:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                service.wait(reply.drip_s)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing."""

    return Handler
