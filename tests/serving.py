"""A server of the tests, which answers from a thread of its own while the `with` block runs."""

import threading
from http.server import ThreadingHTTPServer
from typing import Self


class Serving:
    """To be given a `server`."""

    server: ThreadingHTTPServer

    def __enter__(self) -> Self:
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
