"""The service as an ASGI application."""

import collections.abc
import contextlib
import os
import pathlib
import typing

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

import hashnet_tf as hn
from hashnet_tf.serving.guard import Guard
from hashnet_tf.serving.metrics import Counted
from hashnet_tf.serving.refusal import Refusal
from hashnet_tf.serving.routes import router
from hashnet_tf.serving.service import Service

PAGE = pathlib.Path(__file__).parent / "page"
# All that is read of the disk by a path, beside what the index names.
FILES = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/drop.js": ("drop.js", "text/javascript"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}


def make_app(
    path: str | os.PathLike[str],
    host: str = "127.0.0.1",
    names: tuple[str, ...] = (),
) -> ASGIApp:
    """Opens an index and returns what serves it.

    Args:
        path: Str or path of the index.
        host: Str, the name or the address that it is bound to: requests to
            another name are refused.
        names: Tuple of str, other names by which it is reached.

    Returns:
        ASGI application, which closes the index at the end of its lifespan.

    Raises:
        FileNotFoundError: If there is no index.
        ValueError: If the file is none, or damaged.
    """
    service = Service(path)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> collections.abc.AsyncIterator[None]:
        yield
        service.close()

    app = FastAPI(
        title="hashnet serve",
        description="Searches an index of pictures by their binary codes.",
        version=hn.__version__,
        # These pages would load scripts of another site.
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        exception_handlers={
            Refusal: _refused,
            HTTPException: _failed,
            RequestValidationError: _malformed,
            Exception: _broken,
        },
    )
    app.state.service = service
    app.include_router(router)
    for place, (name, kind) in FILES.items():
        content = (PAGE / name).read_bytes()
        app.get(place, include_in_schema=False)(_giving(content, kind))
    return Counted(Guard(app, host, names), service.metrics)


def _giving(
    content: bytes, kind: str
) -> collections.abc.Callable[[], collections.abc.Awaitable[Response]]:
    async def give() -> Response:
        headers = {"Cache-Control": "no-cache"}
        return Response(content, media_type=kind, headers=headers)

    return give


def _error(status: int, sentence: str) -> JSONResponse:
    return JSONResponse({"error": sentence}, status)


async def _refused(_: Request, error: typing.Any) -> Response:
    return _error(error.status, error.sentence)


async def _failed(request: Request, error: typing.Any) -> Response:
    told = f"{request.method} {request.url.path[:100]}"
    return _error(error.status_code, f"{error.detail}. Received: {told}")


async def _malformed(_: Request, error: typing.Any) -> Response:
    first = error.errors()[0]
    place, received = first["loc"][-1], repr(first.get("input"))
    return _error(422, f"`{place}`: {first['msg']}. Received: {received[:100]}")


async def _broken(_: Request, error: Exception) -> Response:
    return _error(
        500, f"This should not happen. Received: {type(error).__name__}"
    )
