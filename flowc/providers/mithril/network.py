"""What both transports share: the address of the server, a proxy before it, whose certificates are believed, the bounds
within which a reply is read, and the words for what goes wrong on the way."""

from __future__ import annotations

import os

from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Mapping

# The largest reply that is read: a page of a hundred bids with their startup scripts has some 1.5 MB.
MOST_BYTES = 64_000_000
_PROXY_PORT = 80


class NotSentError(Exception):
    """The request has not reached the server: no name, no connection, no TLS."""


class NoReplyError(Exception):
    """The request was sent, at least in part, and no whole reply came: it may have acted."""


class AddressError(Exception):
    """An address, of the server or of a proxy, that cannot be used: the user's mistake. `help` is one line."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.message = message
        self.help = help


class Proxy(Record):
    """`host` and `port` of what speaks HTTP before the server; `login` is `name:password`, None without one."""

    UNSHOWN = ("login",)

    host: str
    port: int
    login: str | None

    @property
    def address(self) -> str:
        """For people, and for a library: no login in it."""
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def headers(self) -> dict[str, str]:
        """What it is to hear, beside the request."""
        if self.login is None:
            return {}
        from base64 import b64encode

        return {"Proxy-Authorization": f"Basic {b64encode(self.login.encode()).decode()}"}


def base_of(address: str) -> str:
    """The server's address without what each path begins with anyway. Raises AddressError for one that is none."""
    base = address.rstrip("/").removesuffix("/v2").rstrip("/")
    if _parts(base)[0] not in ("http", "https"):
        raise AddressError(f"`{address}` is no address of a server", "such as https://api.mithril.ai")
    return base


def proxy_of(base: str, environ: Mapping[str, str]) -> Proxy | None:
    """The proxy that the environment names for a server, as other tools read it: `https_proxy` or `http_proxy`, then
    `all_proxy`, in small letters first; `no_proxy` names servers that are reached without one. Raises AddressError for
    one that is not spoken to."""
    scheme, host, port, _ = _parts(base)
    # What a server is told of the request of somebody else is no proxy of ours: HTTP_PROXY of a CGI program.
    cgi = "REQUEST_METHOD" in environ
    names = [f"{scheme}_proxy", f"{scheme}_proxy".upper(), "all_proxy", "ALL_PROXY"]
    name = next((each for each in names if environ.get(each) and not (cgi and each == "HTTP_PROXY")), None)
    if name is None or _needs_none(host, port, environ.get("no_proxy") or environ.get("NO_PROXY") or ""):
        return None
    text = environ[name].strip()
    kind, its, at, login = _parts(text if "://" in text else f"http://{text}")
    if kind != "http" or not its:
        before, found, after = text.rpartition("@")
        shown = f"{before.partition('://')[0]}://{after}" if found and "://" in before else after
        raise AddressError(
            f"the proxy of the environment variable {name} is not spoken to: `{shown}`",
            f"such as http://proxy:3128; NO_PROXY={host} goes without it",
        )
    return Proxy(host=its, port=at or _PROXY_PORT, login=login)


def _parts(address: str) -> tuple[str, str, int | None, str | None]:
    """Scheme, host, port, and who logs in, of an address; an empty scheme for what is none."""
    from urllib.parse import unquote, urlsplit

    nothing = ("", "", None, None)
    if not address.isascii() or any(character <= " " or character == "\x7f" for character in address):
        return nothing
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return nothing
    if not host or parts.query or parts.fragment:
        return nothing
    login = None if parts.username is None else f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return parts.scheme.lower(), host, port, login


def _needs_none(host: str, port: int | None, exceptions: str) -> bool:
    for each in exceptions.lower().replace(",", " ").split():
        name, _, at = each.partition(":") if each.count(":") == 1 else (each, "", "")
        name = name.removeprefix("*").removeprefix(".")
        near = each == "*" or (name and (host == name or host.endswith(f".{name}")))
        if near and at in ("", str(port)):
            return True
    return False


def check_certificates(environ: Mapping[str, str]) -> None:
    """Raises AddressError where the environment names certificates that are not there: no server would be believed."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        path = environ.get(name)
        if path and not os.access(path, os.R_OK):
            raise AddressError(f"{name} names {path}, which cannot be read", f"unset {name}, or correct it")


def tls_context() -> ssl.SSLContext:
    """Certificates are always looked at: by those that the system, or SSL_CERT_FILE, believes."""
    import ssl

    return ssl.create_default_context()


def whole(parts: Iterable[bytes], deadline: float, now: Callable[[], float]) -> bytes:
    """A body that comes in parts. Raises NoReplyError beyond the bound or the deadline."""
    found, size = [], 0
    for part in parts:
        found.append(part)
        size += len(part)
        if size > MOST_BYTES:
            raise NoReplyError(f"the reply has more than {MOST_BYTES:,} bytes")
        if now() > deadline:
            raise NoReplyError("the reply takes too long")
    return b"".join(found)


def words(error: BaseException) -> str:
    """What went wrong, for people, without what a server could put into it."""
    import socket
    import ssl

    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not good: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return "it does not speak TLS as it should"
    if isinstance(error, socket.gaierror):
        return "its name is not known here"
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[:1].lower() + error.strerror[1:]
    if isinstance(error, OSError) and str(error).startswith("Tunnel connection failed: "):
        status = str(error).split()[3]
        return f"the proxy refuses with status {status}" if status.isdigit() else "the proxy refuses"
    return "the connection was closed before the whole reply came"


def root_of(error: BaseException) -> BaseException:
    """The mistake of the system or of TLS behind one of a library; itself where there is none."""
    found, each, seen = error, error.__cause__ or error.__context__, 0
    while each is not None and seen < 20:
        if isinstance(each, OSError):
            found = each
        each, seen = each.__cause__ or each.__context__, seen + 1
    return found
