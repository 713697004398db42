"""Counts and times of requests, as Prometheus reads them."""

import time

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEDIA_TYPE = CONTENT_TYPE_LATEST
# Of paths that are none of the service, which anyone may make up.
OTHER = "other"


class Metrics:
    """What is counted of one service."""

    def __init__(self) -> None:
        # Its own, for a process may have several services.
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "hashnet_requests",
            "Requests that were answered.",
            ["path", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "hashnet_request_seconds",
            "Seconds from a request to its answer.",
            ["path"],
            registry=self._registry,
        )
        self._items = Gauge(
            "hashnet_items", "Items in the index.", registry=self._registry
        )

    def count(self, path: str, status: int, seconds: float) -> None:
        """Counts a request.

        Args:
            path: Str, that of the service, such as "/like/{id}".
            status: Int, of HTTP.
            seconds: Float.
        """
        self._requests.labels(path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)

    def text(self, items: int) -> bytes:
        """Returns all of it in the format of Prometheus.

        Args:
            items: Int, how many there are in the index.
        """
        self._items.set(items)
        return generate_latest(self._registry)


class Counted:
    """An ASGI application that counts what another answers.

    Args:
        app: ASGI application, of FastAPI.
        metrics: `Metrics`.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answers a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            # Known once the application has found it.
            path = getattr(scope.get("route"), "path", OTHER)
            self._metrics.count(path, status, time.perf_counter() - begun)
