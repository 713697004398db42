"""What can be asked, by path."""

import typing

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from hashnet_tf.index.duplicates import RADIUS
from hashnet_tf.index.ranking import RERANKED, Ranking
from hashnet_tf.serving import questions
from hashnet_tf.serving.answers import (
    Code,
    Error,
    Groups,
    Health,
    Hits,
    Labels,
    Page,
    Vector,
)
from hashnet_tf.serving.metrics import MEDIA_TYPE
from hashnet_tf.serving.refusal import Refusal
from hashnet_tf.serving.service import Service
from hashnet_tf.serving.uploads import TYPES, VECTOR_TYPES

# The longest answers. An id fits into SQLite's integers.
MOST, LARGEST_ID, LARGEST_OFFSET = 1000, 2**63 - 1, 2**53
MOST_RERANKED, LARGEST_RADIUS = 10_000, 2**16
# A perceptual hash has no more bits.
LARGEST_LOOKS = 128

IMAGE: dict[str, typing.Any] = {
    "requestBody": {
        "required": True,
        "description": "a JPEG, PNG, WebP or BMP file, 32 MB at most; of an"
        " index of vectors one of these",
        "content": {
            **{
                kind: {"schema": {"type": "string", "format": "binary"}}
                for kind in TYPES
            },
            **{
                kind: {"schema": Vector.model_json_schema()}
                for kind in VECTOR_TYPES
            },
        },
    }
}


def _errors(*statuses: int) -> dict[int | str, dict[str, typing.Any]]:
    return {status: {"model": Error} for status in statuses}


UPLOAD_ERRORS = _errors(403, 408, 409, 413, 415, 422)


def _service(request: Request) -> Service:
    return request.app.state.service


Served = typing.Annotated[Service, Depends(_service)]
Id = typing.Annotated[
    int, Path(ge=1, le=LARGEST_ID, description="of an item of the index")
]
K = typing.Annotated[
    int, Query(ge=1, le=MOST, description="how many are found at most")
]
Rerank = typing.Annotated[
    int,
    Query(
        ge=0,
        le=MOST_RERANKED,
        description="how many of the nearest by code are ranked anew",
    ),
]
By = typing.Annotated[
    Ranking,
    Query(
        description="by what: features, where they are kept, or z, what the"
        " code of the query was before it was bits"
    ),
]
Offset = typing.Annotated[
    int, Query(ge=0, le=LARGEST_OFFSET, description="how many are passed over")
]
Limit = typing.Annotated[
    int, Query(ge=1, le=MOST, description="how many are told at most")
]

router = APIRouter()


@router.post("/search", openapi_extra=IMAGE, responses=UPLOAD_ERRORS)
async def search(
    request: Request,
    service: Served,
    k: K = 10,
    rerank: Rerank = RERANKED,
    by: By = "features",
) -> Hits:
    """Finds what is nearest to an image, or a vector, which is the body."""
    query = await service.sent_query(request)
    return await service.ask(questions.search, query, k, rerank, by)


@router.post("/codes", openapi_extra=IMAGE, responses=UPLOAD_ERRORS)
async def codes(request: Request, service: Served) -> Code:
    """Encodes an image, or a vector, which is the body."""
    query = await service.sent_query(request)
    return await service.ask(questions.code_of, query)


@router.get("/like/{id}", responses=_errors(404, 409, 422))
async def like(
    id: Id, service: Served, k: K = 10, rerank: Rerank = RERANKED
) -> Hits:
    """Finds what is nearest to an item."""
    return await service.ask(questions.like, id, k, rerank)


@router.get("/items", responses=_errors(422))
async def items(
    service: Served,
    label: typing.Annotated[
        str | None, Query(description="of which class; none: of all")
    ] = None,
    code: typing.Annotated[
        str | None, Query(description="near to which code, hexadecimal")
    ] = None,
    radius: typing.Annotated[
        int,
        Query(
            ge=0,
            le=LARGEST_RADIUS,
            description="bits in which codes may differ from it",
        ),
    ] = 0,
    offset: Offset = 0,
    limit: Limit = 60,
) -> Page:
    """Lists items as they were added, of a class, or near to a code."""
    if code is None:
        return await service.ask(questions.page, offset, limit, label)
    if label is not None:
        raise Refusal(
            422,
            "Either `label` or `code` can be given. Received: both of them",
        )
    return await service.ask(
        questions.page_of_code, code, radius, offset, limit
    )


@router.get("/labels")
async def labels(service: Served) -> Labels:
    """Lists the classes."""
    return await service.ask(questions.labels)


@router.get("/duplicates", responses=_errors(422))
async def duplicates(
    service: Served,
    radius: typing.Annotated[
        int,
        Query(
            ge=0,
            le=LARGEST_LOOKS,
            description="bits in which two perceptual hashes may differ",
        ),
    ] = RADIUS,
    offset: Offset = 0,
    limit: Limit = 30,
) -> Groups:
    """Lists groups of files that show the same picture, the largest first."""
    return await service.duplicates(radius, offset, limit)


@router.get(
    "/thumbnails/{id}",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}, **_errors(404, 422)},
)
async def thumbnail(id: Id, service: Served) -> Response:
    """Gives a small picture of an item."""
    made = await service.thumbnail(id)
    headers = {"Cache-Control": "private, max-age=60"}
    return Response(made, media_type="image/jpeg", headers=headers)


@router.get("/healthz", responses=_errors(503))
async def healthz(service: Served) -> Health:
    """Tells what is served."""
    return await service.ask(questions.health)


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}},
)
async def metrics(service: Served) -> Response:
    """Counts requests, their times and the items, for Prometheus."""
    text = service.metrics.text(await service.ask(len))
    return Response(text, media_type=MEDIA_TYPE)
