"""What can go wrong, under the names that files catch."""

from __future__ import annotations

import json
from typing import Any


class RequestException(IOError):
    """Anything about a request."""

    def __init__(self, *given: Any, response: Any = None, request: Any = None) -> None:
        super().__init__(*given)
        self.response, self.request = response, request or getattr(response, "request", None)


class HTTPError(RequestException): ...


class ConnectionError(RequestException): ...


class ProxyError(ConnectionError): ...


class SSLError(ConnectionError): ...


class Timeout(RequestException): ...


class ConnectTimeout(ConnectionError, Timeout): ...


class ReadTimeout(Timeout): ...


class TooManyRedirects(RequestException): ...


class URLRequired(RequestException): ...


class MissingSchema(RequestException, ValueError): ...


class InvalidSchema(RequestException, ValueError): ...


class InvalidURL(RequestException, ValueError): ...


class InvalidHeader(RequestException, ValueError): ...


class ChunkedEncodingError(RequestException): ...


class ContentDecodingError(RequestException): ...


class StreamConsumedError(RequestException, TypeError): ...


class RetryError(RequestException): ...


class InvalidJSONError(RequestException): ...


class JSONDecodeError(InvalidJSONError, json.JSONDecodeError):
    """The body is no JSON."""

    def __init__(self, message: str, text: str, at: int) -> None:
        json.JSONDecodeError.__init__(self, message, text, at)
        self.response = self.request = None
