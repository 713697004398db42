"""The encoder of an index: which it is, and where it lies."""

import typing

from hashnet_tf.index.item_file import ItemFile

if typing.TYPE_CHECKING:
    from hashnet_tf.runs import Encoder


def identity(encoder: "Encoder") -> dict[str, typing.Any]:
    """Returns by what an index knows its encoder."""
    return {
        "model_digest": encoder.model_digest,
        "framing": encoder.framing,
        # None of vectors.
        "image_size": encoder.image_size and list(encoder.image_size),
    }


def check_fit(fit: bool, encoder: typing.Any) -> None:
    """Refuses to fit what cannot be fitted.

    Raises:
        ValueError: If `fit` and the encoder gives no features or is quantised.
    """
    if fit and (
        not getattr(encoder, "features", None)
        or getattr(encoder, "quantize", None) is not None
    ):
        raise ValueError(
            "`fit` needs an encoder that gives features and is not quantised:"
            " a file of `to_litert` with features=True."
            f" Received: encoder={encoder!r}"
        )


def settle_encoder(
    file: ItemFile, encoder: "Encoder", fit: bool, keep_features: bool
) -> None:
    """Notes the encoder of an index that is empty, and refuses another.

    Raises:
        ValueError: If the codes are of another, or it is not known of which.
    """
    told = identity(encoder)
    if file.encoder is None:
        with file.changing():
            if len(file):
                raise ValueError(
                    "An encoder can be given to an index of its own codes,"
                    f" or to an empty one. Received: {file.path}, whose"
                    " codes were given without an encoder"
                )
            if file.encoder is None:
                file.encoder = told
                file.note("fit", int(fit))
                file.note("keep_features", int(keep_features))
                if content := getattr(encoder, "content", None):
                    file.note("content", content)
    if file.encoder != told:
        raise ValueError(
            "An index must be asked and added to by its own encoder."
            f" Received: encoder={told}, {file.path} of {file.encoder}"
        )


def current_encoder(
    file: ItemFile, encoder: "Encoder | None", what: str
) -> "Encoder":
    """Returns the encoder as it is now in the file.

    Args:
        file: `ItemFile`.
        encoder: The one that was used last, or None.
        what: Str, what it is needed for.

    Raises:
        ValueError: If there is none.
    """
    if encoder is not None and identity(encoder) == file.encoder:
        return encoder
    content = file.noted("content")
    if content is None:
        raise ValueError(
            f"To {what} an index needs its encoder: Index.open(path,"
            " encoder=...). Received: an index opened without one"
        )
    # Where used, for most need no runtime.
    from hashnet_tf.export.litert_encoder import LiteRTEncoder

    return LiteRTEncoder(content)


def own_content(file: ItemFile) -> bytes:
    """Returns the LiteRT file that lies in an index.

    Args:
        file: `ItemFile`.

    Raises:
        ValueError: If there is none.
    """
    content = file.noted("content")
    if content is None:
        raise ValueError(
            "The encoder of a LiteRT file lies in an index."
            f" Received: {file.path} without one"
        )
    return content
