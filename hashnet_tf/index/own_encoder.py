"""The encoder of an index: which it is, and where it lies."""

import typing

from hashnet_tf.index.store import Store

if typing.TYPE_CHECKING:
    from hashnet_tf.runs import Encoder


def identity(encoder: "Encoder") -> dict[str, typing.Any]:
    """Returns by what an index knows its encoder."""
    return {
        "model_digest": encoder.model_digest,
        "framing": encoder.framing,
        "image_size": list(encoder.image_size),
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
    store: Store, encoder: "Encoder", fit: bool, keep_features: bool
) -> None:
    """Notes the encoder of a store that is empty, and refuses another.

    Raises:
        ValueError: If the codes are of another, or it is not known of which.
    """
    told = identity(encoder)
    if store.encoder is None:
        with store.changing():
            if len(store):
                raise ValueError(
                    "An encoder can be given to an index of its own codes,"
                    f" or to an empty one. Received: {store.path}, whose"
                    " codes were given without an encoder"
                )
            if store.encoder is None:
                store.encoder = told
                store.note("fit", int(fit))
                store.note("keep_features", int(keep_features))
                if content := getattr(encoder, "content", None):
                    store.note("content", content)
    if store.encoder != told:
        raise ValueError(
            "An index must be asked and added to by its own encoder."
            f" Received: encoder={told}, {store.path} of {store.encoder}"
        )


def current_encoder(
    store: Store, encoder: "Encoder | None", what: str
) -> "Encoder":
    """Returns the encoder as it is now in the file.

    Args:
        store: `Store`.
        encoder: The one that was used last, or None.
        what: Str, what it is needed for.

    Raises:
        ValueError: If there is none.
    """
    if encoder is not None and identity(encoder) == store.encoder:
        return encoder
    content = store.noted("content")
    if content is None:
        raise ValueError(
            f"To {what} an index needs its encoder: Index.open(path,"
            " encoder=...). Received: an index opened without one"
        )
    # Where used, for most need no runtime.
    from hashnet_tf.export.litert_encoder import LiteRTEncoder

    return LiteRTEncoder(content)


def own_content(store: Store) -> bytes:
    """Returns the LiteRT file that lies in a store.

    Args:
        store: `Store`.

    Raises:
        ValueError: If there is none.
    """
    content = store.noted("content")
    if content is None:
        raise ValueError(
            "The encoder of a LiteRT file lies in an index."
            f" Received: {store.path} without one"
        )
    return content
