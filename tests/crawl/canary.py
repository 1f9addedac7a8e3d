"""Listeners that nobody may ever connect to."""

import socket
import threading
from contextlib import suppress
from typing import Self

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"


class Canary:
    """Listens at an address of this machine, and keeps the first line of whatever comes."""

    def __init__(self, host: str) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.create_server((host, 0), family=family)
        self.host, self.port = host, self.socket.getsockname()[1]
        self.heard: list[bytes] = []

    @property
    def place(self) -> str:
        """Where it is, as it stands in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __enter__(self) -> Self:
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()

    def listen(self) -> None:
        """Answer all who come, one after another."""
        with suppress(OSError):
            while True:
                visitor, _ = self.socket.accept()
                with visitor, suppress(OSError):
                    visitor.settimeout(5)
                    self.heard.append(b"")
                    self.heard[-1] = visitor.recv(4096).partition(b"\r\n")[0]
                    visitor.sendall(ANSWER)


def forms(site: str, address: Canary, port: Canary, ipv6: Canary | None = None) -> dict[str, str]:
    """Give URLs that lead to a canary at another address (127.0.0.2) or port, or to no server at all, by name."""
    there = address.port
    found = {
        "another address": f"http://{address.place}/",
        "another port": f"http://{port.place}/",
        "another port with https": f"https://{port.place}/",
        "the site's port with https": site.replace("http:", "https:") + "/",
        "the site by another name": site.replace("127.0.0.1", "localhost") + "/canary",
        "localhost": f"http://localhost:{port.port}/",
        "localhost with a dot": f"http://localhost.:{port.port}/",
        "an address with a dot": f"http://127.0.0.2.:{there}/",
        "decimal": f"http://2130706434:{there}/",
        "hexadecimal": f"http://0x7f000002:{there}/",
        "hexadecimal parts": f"http://0x7f.0.0.0x2:{there}/",
        "octal": f"http://0177.0.0.02:{there}/",
        "short": f"http://127.2:{there}/",
        "mapped": f"http://[::ffff:127.0.0.2]:{there}/",
        "mapped in hexadecimal": f"http://[::ffff:7f00:2]:{there}/",
        "any address": f"http://0.0.0.0:{port.port}/",
        "a user who is the site": f"{site}@{address.place}/",
        "a user with a slash": f"{site}%2f@{address.place}/",
        "the site's address as part of a name": f"http://127.0.0.1.127.0.0.2:{there}/",
        "a user at another port": f"http://user:pw@{port.place}/",
        "a user at the site": site.replace("//", "//user:pw@") + "/canary",
        "a backslash before the site": f"http://{address.place}\\@{site.removeprefix('http://')}/",
        "a backslash behind the site": f"{site}\\@{address.place}/",
        "backslashes for slashes": f"http:\\\\{address.place}\\",
        "a number sign": f"http://{address.place}#@{site.removeprefix('http://')}/",
        "a question mark": f"http://{address.place}?@{site.removeprefix('http://')}/",
        "one slash": f"http:/{address.place}/",
        "three slashes": f"http:///{address.place}/",
        "no slash": f"http:{address.place}/",
        "capitals": f"HTTP://{address.place}/",
        "wide digits": f"http://%EF%BC%91%EF%BC%92%EF%BC%97.0.0.2:{there}/",
        "wide dots": f"http://127%E3%80%820%E3%80%820%E3%80%822:{there}/",
        "punycode": f"http://xn--canary-9za.invalid:{there}/",
        "a tab in the address": f"http://127.0.\t0.2:{there}/",
        "a tab in the scheme": f"ht\ttp://{address.place}/",
        "a blank before": f" http://{address.place}/",
        "a line break": f"http://127.0.0.2\r\n :{there}/",
        "a NUL": f"http://127.0.0.2\x00:{there}/",
        "file": "file:///etc/passwd",
        "file at a host": f"file://{address.place}/etc/passwd",
        "data": "data:text/html,<title>canary</title>",
        "ftp": f"ftp://{address.place}/",
        "s3": "s3://canary/key",
        "gopher": f"gopher://{address.place}/_GET%20/",
        "javascript": f"javascript:location='http://{address.place}/'",
        "jar": f"jar:http://{address.place}/!/",
        "view-source": f"view-source:http://{address.place}/",
    }
    if ipv6:
        found["IPv6"] = f"http://{ipv6.place}/"
    return found


# What leads elsewhere only when it is taken for part of a page.
RELATIVE = {
    "no scheme": "//{place}/",
    "no scheme and three slashes": "///{place}/",
    "backslashes alone": "\\\\{place}/",
    "a slash and a backslash": "/\\{place}/",
    "a tab between slashes": "/\t/{place}/",
}
