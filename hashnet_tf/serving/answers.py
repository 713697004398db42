"""What the service takes and answers, as its OpenAPI description tells it."""

import pydantic


class Found(pydantic.BaseModel):
    """An item of the index, and how near it is to what was asked with."""

    id: int = pydantic.Field(description="number of the item, for paths")
    name: str = pydantic.Field(description="by which it was added")
    label: str | None = pydantic.Field(description="its class, if known")
    code: str = pydantic.Field(description="the packed code, hexadecimal")
    distance: int | None = pydantic.Field(
        default=None, description="bits in which the codes differ"
    )
    similarity: float | None = pydantic.Field(
        default=None, description="cosine of the features, if ranked by it"
    )
    asymmetric: float | None = pydantic.Field(
        default=None, description="distance from the query's z, if ranked by it"
    )


class Vector(pydantic.BaseModel):
    """What an index of vectors is asked with."""

    vector: list[float]


class Hits(pydantic.BaseModel):
    """The nearest items, the nearest first."""

    hits: list[Found]


class Page(pydantic.BaseModel):
    """Some of the items that were asked for."""

    total: int = pydantic.Field(description="how many there are in all")
    items: list[Found]


class Groups(pydantic.BaseModel):
    """Some of the groups of items that show the same picture."""

    total: int = pydantic.Field(description="how many groups there are in all")
    groups: list[list[Found]] = pydantic.Field(
        description="of each the first 200 items"
    )
    sizes: list[int] = pydantic.Field(
        description="how many items each group has in all"
    )


class Label(pydantic.BaseModel):
    """A class and how many items are of it."""

    label: str
    items: int


class Labels(pydantic.BaseModel):
    """All classes, by name."""

    labels: list[Label]


class Code(pydantic.BaseModel):
    """The code of an image, or of a vector."""

    code: str = pydantic.Field(description="packed, hexadecimal")
    bits: int = pydantic.Field(description="length of the code")
    encoder: str = pydantic.Field(description="digest of the encoder")


class Health(pydantic.BaseModel):
    """What is served."""

    items: int
    bits: int
    encoder: str | None = pydantic.Field(
        description="digest of the encoder, if the codes are of one"
    )
    images: bool = pydantic.Field(
        description="whether an image can be searched with"
    )
    vectors: bool = pydantic.Field(
        description="whether a vector can be searched with"
    )


class Error(pydantic.BaseModel):
    """Why a request was refused."""

    error: str = pydantic.Field(
        description="what was wanted, and what was received"
    )
