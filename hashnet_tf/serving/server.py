"""Serves an index over HTTP until it is told to end."""

import collections.abc
import contextlib
import os
import socket

# By these names a machine calls itself.
LOCAL = ("localhost", "127.0.0.1", "::1")
EXTRA = "pip install 'hashnet_tf[serve]'"
# Connections at once; more are answered 503. A browser has six.
CONNECTIONS = 500
# Seconds that answers may take after Ctrl-C. To compare a hundred thousand
# pictures takes minutes.
LAST = 3


def serve(
    path: str | os.PathLike[str],
    host: str = "127.0.0.1",
    port: int = 8000,
    ready: collections.abc.Callable[[str], None] = print,
    names: tuple[str, ...] = (),
) -> None:
    """Serves a page and a JSON API over an index, until Ctrl-C.

    Args:
        path: Str or path of the index.
        host: Str, the name or the address of this machine to be bound to.
            Whoever reaches it may search, and see the pictures.
        port: Int; 0 for any that is free.
        ready: Function that is told the address once it is served.
        names: Tuple of str, other names by which it is reached, as behind a
            proxy: requests to a name that is not told are refused.

    Raises:
        FileNotFoundError: If there is no index.
        ValueError: If the file is none, or damaged, or there is no such port.
        OSError: If it cannot be bound to this host and port.
        ImportError: If the extra `[serve]` is not installed.

    Example:

    ```python
    hn.serving.serve("photos.index", port=0)
    ```
    """
    try:
        import uvicorn

        from hashnet_tf.serving.app import make_app
    except ImportError as error:
        raise ImportError(f"To serve an index needs: {EXTRA}") from error

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None):
            await super().startup(sockets)
            ready(address)

    with bound(host, port) as listening:
        address = address_of(host, listening.getsockname()[1])
        settings = uvicorn.Config(
            make_app(path, host, names),
            log_level="warning",
            access_log=False,
            server_header=False,
            ws="none",
            limit_concurrency=CONNECTIONS,
            timeout_graceful_shutdown=LAST,
        )
        # It answers what it was asked, and then tells of Ctrl-C.
        with contextlib.suppress(KeyboardInterrupt):
            Server(settings).run(sockets=[listening])


def bound(host: str, port: int) -> socket.socket:
    """Returns a socket that is bound to a host and a port.

    Args:
        host: Str.
        port: Int.

    Raises:
        ValueError: If there is no such port.
        OSError: If it is another's, or the host is not this machine.

    Example:

    >>> from hashnet_tf.serving.server import bound
    >>> with bound("127.0.0.1", 0) as listening:
    ...     print(listening.getsockname()[1] > 0)
    True
    """
    if type(port) is not int or not 0 <= port < 2**16:
        raise ValueError(
            f"`port` must be from 0 to 65,535. Received: port={port!r}"
        )
    try:
        ((family, kind, protocol, _, address), *_) = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        listening = socket.socket(family, kind, protocol)
        try:
            if os.name == "posix":
                # So that a service can be started again at once.
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
        except BaseException:
            listening.close()
            raise
    except OSError as error:
        raise OSError(
            "`host` must be of this machine, and `port` one that nobody else"
            f" has. Received: host={host!r}, port={port} ({error})"
        ) from error
    return listening


def address_of(host: str, port: int) -> str:
    """Returns the address for a browser.

    Args:
        host: Str.
        port: Int.

    Example:

    >>> from hashnet_tf.serving.server import address_of
    >>> address_of("::1", 8000)
    'http://[::1]:8000'
    """
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
