"""Each framing against PIL-like numpy: resize, then cut by hand."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from hashnet_tf.datasets.pixels.framing import (
    frame_image,
    keep_image,
    uncropped_size,
    vary_image,
)

RNG = np.random.default_rng(0)


def photo(height, width):
    return RNG.integers(0, 256, (height, width, 3), np.uint8)


def resized(image, size):
    """The whole image at a size, not rounded, by what only resizes."""
    return tf.image.resize(image, size, antialias=True).numpy()


def centre(image, size):
    top, left = ((i - s) // 2 for i, s in zip(image.shape, size, strict=False))
    return image[top : top + size[0], left : left + size[1]]


def assert_rounded(found, expected):
    """A half, or what is computed as nearly one, goes to either side."""
    assert found.dtype == tf.uint8
    assert found.shape == expected.shape
    assert np.abs(found.numpy() - expected).max() <= 0.5 + 1e-3


@pytest.mark.parametrize(
    "side, uncropped", [(224, 256), (227, 256), (32, 37), (14, 16), (299, 342)]
)
def test_the_crop_is_of_eight_sevenths(side, uncropped):
    assert uncropped_size((side, 14)) == (uncropped, 16)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 60),
    st.integers(1, 60),
    st.integers(1, 40),
    st.integers(1, 40),
)
def test_whole_and_paper_warp(height, width, new_height, new_width):
    image, size = photo(height, width), (new_height, new_width)
    whole = np.round(resized(image, size))
    np.testing.assert_array_equal(frame_image(image, size), whole)
    warped = resized(image, uncropped_size(size))
    assert_rounded(frame_image(image, size, "paper"), centre(warped, size))


@pytest.mark.parametrize(
    "shape, between",
    [
        # The short side becomes 32, and the other is rounded down.
        ((48, 64), (32, 42)),
        ((64, 48), (42, 32)),
        ((50, 50), (32, 32)),
        ((20, 61), (32, 97)),
        ((10, 9), (35, 32)),
    ],
)
def test_modern_keeps_the_aspect(shape, between):
    image = photo(*shape)
    expected = centre(resized(image, between), (28, 28))
    assert_rounded(frame_image(image, (28, 28), "modern"), expected)


def test_modern_covers_a_size_that_is_no_square():
    # Of (14, 28) the image must cover (16, 32).
    image = photo(40, 50)
    expected = centre(resized(image, (25, 32)), (14, 28))
    assert_rounded(frame_image(image, (14, 28), "modern"), expected)


@pytest.mark.parametrize("framing", ["whole", "paper", "modern"])
def test_a_batch_is_its_images(framing):
    images = RNG.integers(0, 256, (3, 21, 33, 3), np.uint8)
    batch = frame_image(images, (14, 14), framing)
    assert batch.shape == (3, 14, 14, 3)
    for image, framed in zip(images, batch, strict=True):
        np.testing.assert_array_equal(
            frame_image(image, (14, 14), framing), framed
        )


@pytest.mark.parametrize("framing", ["whole", "paper", "modern"])
def test_in_a_graph_of_any_size_the_same(framing):
    spec = tf.TensorSpec([None, None, 3], tf.uint8)
    graph = tf.function(
        lambda x: frame_image(x, (14, 14), framing), input_signature=[spec]
    )
    for shape in ((1, 1), (1, 3000), (3000, 1), (37, 19)):
        image = photo(*shape)
        np.testing.assert_array_equal(
            graph(image), frame_image(image, (14, 14), framing)
        )


@pytest.mark.parametrize("shape", [(1, 2**20, 3), (2**22, 1, 3)])
def test_one_that_is_long_and_thin_takes_no_memory(shape):
    # Whole they would be of 16 times 2^24 and 2^26 pixels.
    image = np.full(shape, 9, np.uint8)
    framed = frame_image(image, (14, 14), "modern").numpy()
    assert framed.shape == (14, 14, 3)
    assert (framed == 9).all()


@pytest.mark.parametrize("framing", ["whole", "paper", "modern"])
def test_what_is_kept_is_kept(framing):
    kept = keep_image(photo(30, 41), (14, 14), framing)
    np.testing.assert_array_equal(keep_image(kept, (14, 14), framing), kept)
    sides = {"whole": (14, 14), "paper": (16, 16), "modern": (30, 41)}
    assert kept.shape == (*sides[framing], 3)


def varied(image, size, framing, count):
    make = tf.function(
        lambda i: vary_image(image, size, tf.stack([i, i + 7]), framing)
    )
    return [make(tf.constant(i)).numpy() for i in range(count)]


def test_paper_cuts_every_window_and_mirrors_half():
    kept = photo(16, 16)
    windows = {}
    for top in range(3):
        for left in range(3):
            window = kept[top : top + 14, left : left + 14]
            windows[window.tobytes()] = (top, left, False)
            windows[window[:, ::-1].tobytes()] = (top, left, True)
    found = [
        windows[image.tobytes()]
        for image in varied(kept, (14, 14), "paper", 300)
    ]
    assert len(set(found)) == 18
    # Four standard deviations of a fair coin.
    assert abs(np.mean([flip for *_, flip in found]) - 0.5) < 2 / 300**0.5


def test_modern_shows_parts_of_the_wanted_area_and_aspect():
    # Each pixel tells its place; a resized part tells where it begins and ends.
    height, width, side = 200, 240, 20
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = np.arange(height)[:, None]
    image[..., 1] = np.arange(width)
    areas, flips = [], []
    for found in varied(image, (side, side), "modern", 200):
        rows = found[:, side // 2, 0].astype(float)
        columns = found[side // 2, :, 1].astype(float)
        flips.append(columns[0] > columns[-1])
        # The steps inside, where no edge is averaged.
        high = (rows[-2] - rows[1]) / (side - 3) * side
        wide = abs(columns[-2] - columns[1]) / (side - 3) * side
        assert 0.7 < wide / high < 1.42
        areas.append(high * wide / (height * width))
    assert 0.07 < min(areas) < 0.2 and 0.7 < max(areas) < 1.05
    assert abs(np.mean(flips) - 0.5) < 2 / 200**0.5


@pytest.mark.parametrize("framing", ["paper", "modern"])
def test_a_seed_gives_one_change(framing):
    kept = keep_image(photo(30, 41), (14, 14), framing)
    one, other = (varied(kept, (14, 14), framing, 8) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    assert len({image.tobytes() for image in one}) > 4


def test_refuses():
    image = photo(16, 16)
    for function in (frame_image, keep_image):
        with pytest.raises(ValueError, match="Received: framing='crop'"):
            function(image, (14, 14), "crop")
    with pytest.raises(ValueError, match="augmentation='shift'$"):
        vary_image(image, (14, 14), [0, 1], "paper", "shift")


@pytest.mark.parametrize("framing", ["whole", "paper", "modern"])
def test_each_channel_is_framed_for_itself(framing):
    image, size = RNG.integers(0, 256, (40, 50, 13), np.uint8), (14, 21)
    seed = tf.constant([3, 5], tf.int64)
    augmentation = "shift_flip" if framing == "whole" else "none"

    @tf.function
    def framed(image):
        kept = keep_image(image, size, framing)
        varied = vary_image(kept, size, seed, framing, augmentation)
        return frame_image(image, size, framing), varied

    found = framed(image)
    for channel in range(13):
        one = framed(image[..., channel : channel + 1])
        for whole, alone in zip(found, one, strict=True):
            assert whole.shape == (*size, 13) and alone.shape == (*size, 1)
            np.testing.assert_array_equal(whole[..., channel], alone[..., 0])
