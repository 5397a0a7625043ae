"""What can go wrong, under the names that files catch."""

from __future__ import annotations

from typing import Any


class HTTPError(Exception):
    """Anything about a request."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self._request: Any = None

    @property
    def request(self) -> Any:
        if self._request is None:
            raise RuntimeError("The .request property has not been set.")
        return self._request

    @request.setter
    def request(self, request: Any) -> None:
        self._request = request


class RequestError(HTTPError):
    """There is no answer, or not all of it."""

    def __init__(self, message: str, *, request: Any = None) -> None:
        super().__init__(message)
        self._request = request


class TransportError(RequestError): ...


class TimeoutException(TransportError): ...


class ConnectTimeout(TimeoutException): ...


class ReadTimeout(TimeoutException): ...


class WriteTimeout(TimeoutException): ...


class PoolTimeout(TimeoutException): ...


class NetworkError(TransportError): ...


class ConnectError(NetworkError): ...


class NotGranted(ConnectError):
    """The workflow is not granted the request. The message names the grant; another attempt is of no use."""


class ReadError(NetworkError): ...


class WriteError(NetworkError): ...


class CloseError(NetworkError): ...


class ProxyError(TransportError): ...


class UnsupportedProtocol(TransportError): ...


class ProtocolError(TransportError): ...


class LocalProtocolError(ProtocolError): ...


class RemoteProtocolError(ProtocolError): ...


class DecodingError(RequestError): ...


class TooManyRedirects(RequestError): ...


class HTTPStatusError(HTTPError):
    """The answer is an error."""

    def __init__(self, message: str, *, request: Any, response: Any) -> None:
        super().__init__(message)
        self.request, self.response = request, response


class InvalidURL(Exception): ...


class StreamError(RuntimeError): ...


class StreamConsumed(StreamError):
    def __init__(self) -> None:
        super().__init__("the body has been read already, as it came: it is not kept")


class StreamClosed(StreamError):
    def __init__(self) -> None:
        super().__init__("the answer has been closed: there is no more of its body")


class ResponseNotRead(StreamError):
    def __init__(self) -> None:
        super().__init__("the body has not been read: call `read()`, or `await aread()`, first")


class RequestNotRead(StreamError):
    def __init__(self) -> None:
        super().__init__("the request's body has not been read: call `read()`, or `await aread()`, first")


for _it in list(globals().values()):
    # Failures are told by these names, and policies may ask for them.
    if isinstance(_it, type) and issubclass(_it, Exception):
        _it.__module__ = "httpx"
