"""What stands before the service: who may ask it, and what a browser may do.

Browsers let a page of any site ask a service of this machine, and a name that
such a site owns may be turned to this machine's address (DNS rebinding).
"""

import ipaddress
import json
import socket
import typing
import urllib.parse

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hashnet_tf.serving.server import LOCAL

# Scripts, styles and pictures come from here alone, and none stands in a page.
POLICY = (
    "default-src 'self'; img-src 'self' blob:; object-src 'none';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Guard:
    """An ASGI application that asks another, if the one who asks may.

    Args:
        app: ASGI application.
        host: Str, the name or the address that the service is bound to.
        names: Tuple of str, other names by which it is reached, as behind a
            proxy.
    """

    def __init__(
        self, app: ASGIApp, host: str, names: tuple[str, ...] = ()
    ) -> None:
        self._app, self._host = app, host
        self._names = tuple(name.lower() for name in names)

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answers a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        wrong = _wrong_asker(
            headers.getlist("host"),
            headers.get("origin"),
            self._host,
            self._names,
        ) or _wrong_site(headers, scope["path"])

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        if wrong is None:
            await self._app(scope, receive, sending)
        else:
            await _refuse(sending, wrong)


def _wrong_asker(
    given: list[str], origin: str | None, bound: str, names: tuple[str, ...]
) -> str | None:
    """Returns a sentence of who may not ask, or None."""
    host = given[0] if len(given) == 1 else ""
    name = host_name(host)
    if name is None or not (name in names or is_own(name, bound)):
        return (
            "The header Host must name this machine; another name by which it"
            " is reached is told with --name=NAME."
            f" Received: {', '.join(given)[:100] or 'none'}"
        )
    if origin is not None and origin.lower() not in (
        f"http://{host.lower()}",
        f"https://{host.lower()}",
    ):
        return (
            "A page may ask only the service that it is of."
            f" Received: Origin {origin[:100]}"
        )
    return None


def _wrong_site(headers: Headers, path: str) -> str | None:
    """Returns a sentence of a page that may not ask, or None.

    What a page fetches without reading it, as a picture, has no Origin.
    """
    site = headers.get("sec-fetch-site", "none")
    if site in ("same-origin", "none"):
        return None
    # A link elsewhere may lead to the page itself.
    if path == "/" and headers.get("sec-fetch-mode") == "navigate":
        return None
    return (
        "A page may ask only the service that it is of."
        f" Received: Sec-Fetch-Site {site[:100]}"
    )


def host_name(host: str) -> str | None:
    """Returns the name or the address in a Host header, without its port.

    Args:
        host: Str.

    Returns:
        Str in lower case, or None of what is none.

    Example:

    >>> from hashnet_tf.serving.guard import host_name
    >>> host_name("[::1]:8000"), host_name("localhost"), host_name("a/b")
    ('::1', 'localhost', None)
    """
    try:
        parts = urllib.parse.urlsplit(f"//{host}")
        # Reading it raises of one that is no number.
        _ = parts.port
    except ValueError:
        return None
    if parts.netloc != host or "@" in host:
        return None
    return parts.hostname


def is_own(name: str, bound: str) -> bool:
    """Tells whether a name is one of a service that is bound to a host.

    Of one that is bound to all addresses those are the name of this machine and
    any address, as no address can be turned to another machine.

    Args:
        name: Str, as `host_name` gives it.
        bound: Str, as the service was told.

    Example:

    >>> from hashnet_tf.serving.guard import is_own
    >>> is_own("localhost", "127.0.0.1"), is_own("evil.example", "127.0.0.1")
    (True, False)
    """
    if name in (*LOCAL, bound.lower()):
        return True
    try:
        everywhere = ipaddress.ip_address(bound).is_unspecified
    except ValueError:
        return False
    return everywhere and (_is_address(name) or name in _machine())


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _machine() -> tuple[str, ...]:
    name = socket.gethostname().lower()
    return name, f"{name}.local"


async def _refuse(send: Send, sentence: str) -> None:
    body = json.dumps({"error": sentence}).encode()
    headers: list[typing.Any] = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send(
        {"type": "http.response.start", "status": 403, "headers": headers}
    )
    await send({"type": "http.response.body", "body": body})
