"""Codes of images some of which may be damaged."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class Encoded:
    """What an encoder made of n files.

    Attributes:
        codes: uint8 array `[n, ceil(K / 8)]`; rows that are not ok are zero.
        ok: Bool array `[n]`, whether the file is an image that decodes.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.export.serving.encoded import Encoded
    >>> encoded = Encoded(np.uint8([[160], [0]]), np.array([True, False]))
    >>> encoded.codes[encoded.ok].tolist()
    [[160]]
    """

    codes: np.ndarray
    ok: np.ndarray
