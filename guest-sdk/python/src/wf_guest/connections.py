"""`http.client`, and with it `urllib.request`, over the host's requests.

A connection takes what is sent on it as a socket does. The request is made of that, and its answer is
given back as a server would have written it: everything else of these modules is as it was.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import io
import sys
from http import HTTPStatus
from types import ModuleType
from typing import Any

from . import border, outside

_MODULE = "http.client"
#: The answer is handed on as it is, and whole.
_LEFT_OUT = ("connection", "transfer-encoding")
_NO_SSL = __file__.replace("connections.py", "no_ssl.py")


class _Body(io.RawIOBase):
    """What a server would have written."""

    def __init__(self, answer: outside.Answer) -> None:
        phrase = next((it.phrase for it in HTTPStatus if it == answer.status), "")
        lines = [f"HTTP/1.1 {answer.status} {phrase}", *(f"{name}: {value}" for name, value in answer.headers if name.lower() not in _LEFT_OUT)]
        self._rest, self._answer = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace"), answer

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = _asked(self._answer.read)
        given = min(len(buffer), len(self._rest))
        buffer[:given], self._rest = self._rest[:given], self._rest[given:]
        return given

    def close(self) -> None:
        self._answer.close()
        super().close()


class _Socket:
    """Stands in the place of a connection's socket."""

    def __init__(self, place: str, timeout: Any) -> None:
        self._place, self._sent, self._answer = place, bytearray(), None
        self._timeout = timeout if isinstance(timeout, (int, float)) else None

    def sendall(self, data: Any) -> None:
        self._sent += data

    def ask(self) -> None:
        """Makes the request that was sent."""
        head, _, body = bytes(self._sent).partition(b"\r\n\r\n")
        self._sent.clear()
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target = first.split(" ")[:2]
        headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        if any(name.lower() == "transfer-encoding" and value.lower() == "chunked" for name, value in headers):
            body = _joined(body)
        url = target if "://" in target else self._place + target
        self._answer = _asked(outside.ask, method, url, headers, body, first_byte_timeout=self._timeout, idle_timeout=self._timeout)

    def makefile(self, mode: str = "rb", *_: Any, **__: Any) -> io.BufferedReader:
        if self._answer is None:
            self.ask()
        answer, self._answer = self._answer, None
        return io.BufferedReader(_Body(answer), 64 << 10)

    def settimeout(self, timeout: float | None) -> None:
        self._timeout = timeout

    def setsockopt(self, *_: Any) -> None: ...

    def shutdown(self, how: int) -> None: ...

    def close(self) -> None: ...


def _joined(chunks: bytes) -> bytes:
    """A body that was sent in chunks."""
    body = bytearray()
    while chunks:
        size, _, rest = chunks.partition(b"\r\n")
        length = int(size.partition(b";")[0], 16)
        body += rest[:length]
        chunks = rest[length + 2 :] if length else b""
    return bytes(body)


def _asked(function: Any, *given: Any, **options: Any) -> Any:
    try:
        return function(*given, **options)
    except border.Refused as refused:
        kinds = {"timeout": TimeoutError, "denied": PermissionError, "secret": PermissionError, "invalid": ValueError}
        raise kinds.get(refused.kind, ConnectionError)(refused.message) from refused


def _changed(module: ModuleType) -> None:
    """Makes the connections of `http.client` such."""
    plain = module.HTTPConnection

    def connect(self: Any) -> None:
        if self._tunnel_host:
            raise OSError("there are no proxies in a workflow: the host makes the connection")
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == self.default_port else f":{self.port}"
        self.sock = _Socket(f"{self._scheme}://{host}{port}", self.timeout)

    send_request = plain._send_request

    def request(self: Any, *given: Any) -> None:
        send_request(self, *given)
        # Here an error is one of the connection to whoever calls.
        self.sock.ask()

    plain._scheme, plain.connect, plain._send_request = "http", connect, request

    class HTTPSConnection(plain):
        """The host sees to the certificates: `context` says nothing."""

        default_port = 443
        _scheme = "https"

        def __init__(self, host: str, port: int | None = None, *, context: Any = None, check_hostname: Any = None, **options: Any) -> None:
            super().__init__(host, port, **options)

    HTTPSConnection.__module__ = _MODULE
    module.HTTPSConnection, module._create_https_context = HTTPSConnection, lambda _version: None


class _Finder:
    """Finds the module where it is, and changes it once it is there; and `ssl`, which this Python does not have."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name == "ssl" and importlib.util.find_spec("_ssl") is None:
            return importlib.util.spec_from_file_location(name, _NO_SSL)
        if name != _MODULE:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        run = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            run(module)
            _changed(module)

        spec.loader.exec_module = exec_module
        return spec


def install() -> None:
    """For whoever imports it, now or later."""
    if _MODULE in sys.modules:
        _changed(sys.modules[_MODULE])
    sys.meta_path.insert(0, _Finder())
