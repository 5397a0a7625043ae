"""`ssl` in a workflow: the host makes the connections, and sees to the certificates. What is said of them says nothing."""

from __future__ import annotations

import enum
from typing import Any


class SSLError(OSError): ...


class SSLZeroReturnError(SSLError): ...


class SSLWantReadError(SSLError): ...


class SSLWantWriteError(SSLError): ...


class SSLSyscallError(SSLError): ...


class SSLEOFError(SSLError): ...


class SSLCertVerificationError(SSLError, ValueError): ...


CertificateError = SSLCertVerificationError


class VerifyMode(enum.IntEnum):
    CERT_NONE = 0
    CERT_OPTIONAL = 1
    CERT_REQUIRED = 2


class TLSVersion(enum.IntEnum):
    MINIMUM_SUPPORTED = -2
    MAXIMUM_SUPPORTED = -1
    TLSv1_2 = 771
    TLSv1_3 = 772


class Purpose(enum.Enum):
    SERVER_AUTH = 1
    CLIENT_AUTH = 2


CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED = VerifyMode
PROTOCOL_TLS, PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER = 2, 16, 17
OP_ALL = OP_NO_COMPRESSION = OP_NO_TICKET = OP_IGNORE_UNEXPECTED_EOF = 0
HAS_SNI = HAS_ALPN = HAS_TLSv1_3 = True
OPENSSL_VERSION, OPENSSL_VERSION_INFO, OPENSSL_VERSION_NUMBER = "none", (3, 0, 0, 0, 0), 0x30000000


class SSLContext:
    """Takes what is said of certificates."""

    def __init__(self, protocol: Any = PROTOCOL_TLS) -> None:
        self.protocol, self.options = protocol, 0
        self.check_hostname, self.verify_mode = True, CERT_REQUIRED

    def load_cert_chain(self, *_: Any, **__: Any) -> None: ...

    def load_verify_locations(self, *_: Any, **__: Any) -> None: ...

    def load_default_certs(self, *_: Any, **__: Any) -> None: ...

    def set_default_verify_paths(self) -> None: ...

    def set_ciphers(self, *_: Any) -> None: ...

    def set_alpn_protocols(self, *_: Any) -> None: ...

    def wrap_socket(self, *_: Any, **__: Any) -> Any:
        raise SSLError("there are no sockets in a workflow: the host makes the connection")

    wrap_bio = wrap_socket


def create_default_context(*_: Any, **__: Any) -> SSLContext:
    return SSLContext()


_create_unverified_context = _create_default_https_context = create_default_context
