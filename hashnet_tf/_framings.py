"""How images are framed, changed and kept, by name, with a sentence a name.

Here and not beside what does it, so that a model can tell its framing, and a
command its help, where TensorFlow is not loaded.
"""

FRAMINGS = {
    "whole": "all of the image, warped to the size",
    "paper": "warped to 8/7 of the size and cropped, as the paper's code does",
    "modern": "the short side at 8/7 of the size and cropped; in training"
    " random parts",
}

AUGMENTATIONS = {
    "none": "no change",
    "shift": "moved by up to an eighth of the size",
    "shift_flip": "moved so, and half of the images mirrored",
}

CACHES = {
    "auto": "if they fit into half of the memory that is available",
    "always": "whatever they take",
    "never": "decoded anew each time",
}


# Of the pixels that a file gives; one of another number gives other codes. 2
# turns photographs by EXIF, which version 0.1, of no number, did not.
DECODER = 2

# As many as 8,192 x 8,192; decoded they fill 192 MiB. Cameras of 108 and 200
# megapixels give more, whose JPEGs are decoded at half their height and width.
MAX_PIXELS = 2**26
JPEG_RATIO = 2
# Resizing goes over the height first: of one row of 2^26 pixels it would make
# as many columns of the height of the network.
MAX_SIDE = 2**16

# The paper's network takes 227 of 256 pixels.
_PAPERS = {227: 256}


def check_framing(framing: str) -> str:
    """Returns a framing's name if it is one.

    Args:
        framing: "whole", "paper" or "modern", as
            `hashnet_tf.datasets.pixels.framing.frame_image` tells them.

    Raises:
        ValueError: If it is none of these.

    Example:

    >>> from hashnet_tf._framings import check_framing
    >>> check_framing("paper")
    'paper'
    """
    if framing not in FRAMINGS:
        raise ValueError(
            f"`framing` must be one of {tuple(FRAMINGS)}."
            f" Received: framing={framing!r}"
        )
    return framing


def uncropped_size(size: tuple[int, int]) -> tuple[int, int]:
    """Returns the size from which a crop of `size` is taken.

    Args:
        size: `(height, width)`.

    Example:

    >>> from hashnet_tf._framings import uncropped_size
    >>> uncropped_size((224, 227))
    (256, 256)
    """
    height, width = (_PAPERS.get(side, round(side * 8 / 7)) for side in size)
    return height, width
