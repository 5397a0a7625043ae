"""The client of that name, as far as workflows use it, over what the workflow is granted.

Requests and the parts of their answers are recorded: a step that is entered again gets them again, and
nothing is sent twice. What the host does by itself (connections, certificates, redirects) is the host's.
"""

from ._auth import Auth, BasicAuth
from ._client import AsyncClient, Client, delete, get, head, options, patch, post, put, request, stream
from ._config import USE_CLIENT_DEFAULT, Limits, Proxy, Timeout
from ._cookies import Cookies
from ._errors import (
    CloseError,
    ConnectError,
    ConnectTimeout,
    DecodingError,
    HTTPError,
    HTTPStatusError,
    InvalidURL,
    LocalProtocolError,
    NetworkError,
    NotGranted,
    PoolTimeout,
    ProtocolError,
    ProxyError,
    ReadError,
    ReadTimeout,
    RemoteProtocolError,
    RequestError,
    RequestNotRead,
    ResponseNotRead,
    StreamClosed,
    StreamConsumed,
    StreamError,
    TimeoutException,
    TooManyRedirects,
    TransportError,
    UnsupportedProtocol,
    WriteError,
    WriteTimeout,
)
from ._headers import Headers
from ._request import Request
from ._response import Response, codes
from ._transport import AsyncBaseTransport, AsyncHTTPTransport, BaseTransport, HTTPTransport, MockTransport
from ._url import URL, QueryParams

__version__ = "0.28.1"
