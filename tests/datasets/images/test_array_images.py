import numpy as np
import pytest
import tensorflow as tf

from hashnet_tf.datasets import ArrayImages

RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (5, 4, 6, 3), dtype=np.uint8)
LABELS = [0, 1, 0, 2, 1]


def streamed(images, order=None):
    return [
        (int(position), image)
        for position, image in images.encoded(order).as_numpy_iterator()
    ]


def test_streams_in_order():
    for position, image in streamed(ArrayImages(COLOUR, LABELS)):
        assert image.dtype == np.uint8
        np.testing.assert_array_equal(image, COLOUR[position])
    assert [i for i, _ in streamed(ArrayImages(COLOUR, LABELS))] == [*range(5)]


@pytest.mark.parametrize("grey", [COLOUR[..., 0], COLOUR[..., :1]])
def test_grey_becomes_rgb(grey):
    expected = np.stack([COLOUR[..., 0]] * 3, axis=-1)
    images = ArrayImages(grey, LABELS)
    for position, image in streamed(images):
        np.testing.assert_array_equal(image, expected[position])
    spec = images.encoded().element_spec[1]
    assert spec.shape == (4, 6, images.channels) == (4, 6, 3)


@pytest.mark.parametrize("channels", [2, 4, 13])
def test_other_channels_stay_what_they_are(channels):
    bands = RNG.integers(0, 256, (5, 6, 4, channels), dtype=np.uint8)
    images = ArrayImages(bands, LABELS).subset([4, 0])
    assert images.channels == channels
    for (_, image), source in zip(streamed(images), [4, 0], strict=True):
        np.testing.assert_array_equal(image, bands[source])
    assert images.encoded().element_spec[1].shape == (6, 4, channels)


def test_a_pixel_may_have_more_channels_than_there_are_pixels():
    spectra = RNG.integers(0, 256, (5, 4, 4, 200), dtype=np.uint8)
    assert ArrayImages(spectra, LABELS).channels == 200


def test_subset_keeps_its_order_and_its_names():
    images = ArrayImages(COLOUR, LABELS).subset([3, 0, 4])
    assert images.names == ["3", "0", "4"]
    assert images.labels.tolist() == [2, 0, 1]
    assert [i for i, _ in streamed(images)] == [0, 1, 2]
    for (_, image), source in zip(streamed(images), [3, 0, 4], strict=True):
        np.testing.assert_array_equal(image, COLOUR[source])
    assert ArrayImages(COLOUR, LABELS, list("abcde")).subset([1]).names == ["b"]


def test_reads_in_a_given_order():
    images = ArrayImages(COLOUR, LABELS)
    order = tf.data.Dataset.from_tensor_slices(np.array([4, 1, 4]))
    found = streamed(images, order)
    assert [i for i, _ in found] == [4, 1, 4]
    for position, image in found:
        np.testing.assert_array_equal(image, COLOUR[position])


def test_shuffles_by_the_seed_and_anew_each_time():
    images = ArrayImages(COLOUR, LABELS)
    stream, again = images.shuffled(3), images.shuffled(3)
    epochs = [[int(i) for i, _ in stream] for _ in range(3)]
    assert [[int(i) for i, _ in again] for _ in range(3)] == epochs
    assert all(sorted(epoch) == [*range(5)] for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3
    for position, image in images.shuffled(3).as_numpy_iterator():
        np.testing.assert_array_equal(image, COLOUR[position])


def test_fingerprint_is_that_of_the_pixels_and_their_order():
    digest = ArrayImages(COLOUR, LABELS).fingerprint()
    assert ArrayImages(COLOUR.copy(), LABELS).fingerprint() == digest
    turned = np.asfortranarray(COLOUR)
    assert ArrayImages(turned, LABELS).fingerprint() == digest
    assert ArrayImages(COLOUR, LABELS, list("abcde")).fingerprint() == digest
    changed = COLOUR.copy()
    changed[4, 3, 5, 2] ^= 1
    others = [
        changed,
        COLOUR[::-1],
        COLOUR[:4],
        COLOUR.reshape(5, 6, 4, 3),
        COLOUR[..., :1],
    ]
    digests = {ArrayImages(x, LABELS[: len(x)]).fingerprint() for x in others}
    assert len(digests | {digest}) == 6


def test_fingerprints_are_those_of_each_images_pixels():
    images = ArrayImages(COLOUR, LABELS)
    before = images.fingerprints()
    assert len(set(before)) == 5
    some = ArrayImages(np.asfortranarray(COLOUR), LABELS, list("abcde"))
    assert some.subset([3, 0]).fingerprints() == [before[3], before[0]]
    changed = COLOUR.copy()
    changed[4, 3, 5, 2] ^= 1
    after = ArrayImages(changed, LABELS).fingerprints()
    assert [i for i in range(5) if after[i] != before[i]] == [4]
    turned = ArrayImages(COLOUR.reshape(5, 6, 4, 3), LABELS)
    assert not set(turned.fingerprints()) & set(before)


@pytest.mark.parametrize(
    "images, message",
    [
        (COLOUR / 255, "images.dtype=float64"),
        (COLOUR.astype(np.int64), "images.dtype=int64"),
        (COLOUR[0, 0], r"Received: images.shape=\(6, 3\)"),
        (COLOUR[None], r"Received: images.shape=\(1, 5, 4, 6, 3\)"),
        (COLOUR.astype(np.uint16), "images.dtype=uint16"),
        (COLOUR[..., :0], r"Received: images.shape=\(5, 4, 6, 0\)"),
        (COLOUR.transpose(0, 3, 1, 2), r"Received: images.shape=\(5, 3, 4, 6"),
        (COLOUR[:4], "Received: 4 images and 5 labels"),
    ],
)
def test_refuses(images, message):
    with pytest.raises(ValueError, match=message):
        ArrayImages(images, LABELS)
