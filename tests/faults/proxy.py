"""A way to PostgreSQL on which the answer to a COMMIT gets lost: it is done, and who asked for it cannot know."""

import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import BinaryIO, Self

import sqlalchemy as sa

COMMIT = b"Q" + struct.pack("!I", 4 + len(b"COMMIT\0")) + b"COMMIT\0"
COMMITTED = b"C" + struct.pack("!I", 4 + len(b"COMMIT\0")) + b"COMMIT\0"


class Proxy:
    """Passes everything on, both ways, until the server has answered the COMMIT of that number (0 for none).

    Then it cuts that connection instead; later ones are let through. It speaks plain text: `sslmode=disable`.
    """

    def __init__(self, server: sa.URL, fatal: int = 0) -> None:
        self.server, self.fatal = server, fatal
        self.commits = 0
        self.lost = Event()
        self.lock = Lock()

    @property
    def url(self) -> str:
        """The way to the database through here."""
        here = self.server.set(host="127.0.0.1", port=self.listener.getsockname()[1])
        query = {"sslmode": "disable", "gssencmode": "disable"}
        return here.update_query_dict(query).render_as_string(hide_password=False)

    def __enter__(self) -> Self:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.thread = Thread(target=self.accept, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # `close` alone would leave `accept` waiting.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()

    def accept(self) -> None:
        with suppress(OSError):
            while True:
                client = self.listener.accept()[0]
                server = socket.create_connection((self.server.host, self.server.port))
                for end in (client, server):
                    # Else each small message would wait for the last one's receipt.
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                doomed = Event()
                Thread(target=self.ask, args=(client, server, doomed), daemon=True).start()
                Thread(target=self.answer, args=(client, server, doomed), daemon=True).start()

    def ask(self, client: socket.socket, server: socket.socket, doomed: Event) -> None:
        """Pass on what a client says, counting its commits."""
        with suppress(OSError), client.makefile("rb") as stream:
            for message in messages(stream, greeting=True):
                if message == COMMIT:
                    with self.lock:
                        self.commits += 1
                        if self.commits == self.fatal:
                            doomed.set()
                server.sendall(message)
        cut(client, server)

    def answer(self, client: socket.socket, server: socket.socket, doomed: Event) -> None:
        """Pass on what the server answers, up to what must not arrive."""
        with suppress(OSError), server.makefile("rb") as stream:
            for message in messages(stream):
                if doomed.is_set() and message == COMMITTED:
                    self.lost.set()
                    break
                client.sendall(message)
        cut(client, server)


def messages(stream: BinaryIO, *, greeting: bool = False) -> Iterator[bytes]:
    """Split a stream of the protocol: a letter and a length before each message; a client's first one has no letter."""
    letters = 0 if greeting else 1
    while len(head := stream.read(letters + 4)) == letters + 4:
        (length,) = struct.unpack("!I", head[letters:])
        yield head + stream.read(length - 4)
        letters = 1


def cut(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
