"""A proxy before a PostgreSQL server that counts how often a client waits for it.

It reads the protocol: each Query, Sync, Flush and end of a COPY asks for an answer, and what is sent together before one of
them is one round trip. So the count does not depend on how fast anybody is. TLS is refused, as the client is told.
"""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress

ASKING = (b"Q", b"S", b"H", b"c", b"f")  # Query, Sync, Flush, CopyDone, CopyFail
REQUESTS = (80877103, 80877104)  # for TLS and for GSS


class Proxy:
    def __init__(self, host: str, port: int) -> None:
        self.round_trips = 0
        self._target = (host, port)
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _connect(self) -> socket.socket:
        host, port = self._target
        if host.startswith("/"):
            server = socket.socket(socket.AF_UNIX)
            server.connect(f"{host}/.s.PGSQL.{port}")
        else:
            server = socket.create_connection((host, port))
        return server

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            server = self._connect()
            self._open += [client, server]
            threading.Thread(target=self._client_to_server, args=(client, server), daemon=True).start()
            threading.Thread(target=self._copy, args=(server, client), daemon=True).start()

    def _client_to_server(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):  # either end may be gone at any time
            self._forward(client, server)
        with suppress(OSError):
            server.shutdown(socket.SHUT_WR)

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        started, kept, last = False, b"", b""
        while got := client.recv(65536):
            kept += got
            while not started and len(kept) >= 8:
                length, code = struct.unpack("!II", kept[:8])
                if len(kept) < length:
                    break
                if code in REQUESTS:
                    client.sendall(b"N")
                else:
                    started = True
                    server.sendall(kept[:length])
                kept = kept[length:]
            while started and len(kept) >= 5:
                length = 1 + struct.unpack("!I", kept[1:5])[0]
                if len(kept) < length:
                    break
                # A Flush right behind a Sync asks for what is on its way.
                if kept[:1] in ASKING and (last, kept[:1]) != (b"S", b"H"):
                    with self._lock:
                        self.round_trips += 1
                server.sendall(kept[:length])
                kept, last = kept[length:], kept[:1]

    @staticmethod
    def _copy(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while got := source.recv(65536):
                target.sendall(got)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)
