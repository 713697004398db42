import numpy as np
import pytest
import tensorflow as tf

from hashnet_tf.datasets.pixels.framing import AUGMENTATIONS, augment_image

HEIGHT, WIDTH = 16, 24
# Each pixel tells its row and its column.
PLACES = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
PLACES[..., 0] = np.arange(HEIGHT)[:, None]
PLACES[..., 1] = np.arange(WIDTH)
PLACES[..., 2] = 7
SEEDS = 400


def seed_of(i):
    return tf.constant([i, 11], tf.int64)


def windows(length, shift):
    """The rows that a shift may show, as tuples, by their offset."""
    padded = np.pad(np.arange(length), shift, mode="reflect")
    return {
        tuple(padded[start : start + length].tolist()): start
        for start in range(2 * shift + 1)
    }


@pytest.fixture(scope="module")
def changed():
    """What 400 seeds make of `PLACES`, by the name of the augmentation."""

    @tf.function
    def many(augmentation):
        # As a graph: eagerly 400 seeds take a hundred times as long.
        images = tf.map_fn(
            lambda i: augment_image(
                tf.constant(PLACES), tf.stack([i, 11]), augmentation
            ),
            tf.range(SEEDS, dtype=tf.int64),
            fn_output_signature=tf.uint8,
        )
        return images

    return {name: many(name).numpy() for name in AUGMENTATIONS}


def offsets_of(image):
    """`(row offset, column offset, whether mirrored)`, or fails."""
    rows, columns = image[:, 0, 0], image[0, :, 1]
    np.testing.assert_array_equal(image[..., 0], rows[:, None].repeat(WIDTH, 1))
    np.testing.assert_array_equal(image[..., 1], [columns] * HEIGHT)
    assert (image[..., 2] == 7).all()
    row = windows(HEIGHT, 2)[tuple(rows.tolist())]
    across = windows(WIDTH, 3)
    if tuple(columns.tolist()) in across:
        return row, across[tuple(columns.tolist())], False
    return row, across[tuple(columns[::-1].tolist())], True


def test_none_changes_nothing(changed):
    assert (changed["none"] == PLACES).all()


def test_shift_is_a_reflected_window_of_up_to_an_eighth(changed):
    found = [offsets_of(image) for image in changed["shift"]]
    assert not any(mirrored for *_, mirrored in found)
    assert {row for row, *_ in found} == set(range(5))
    assert {column for _, column, _ in found} == set(range(7))
    assert len({(row, column) for row, column, _ in found}) == 35


def test_flip_comes_half_of_the_time_whatever_the_shift(changed):
    found = [offsets_of(image) for image in changed["shift_flip"]]
    mirrored = np.array([flip for *_, flip in found])
    # Four standard deviations of a fair coin.
    assert abs(mirrored.mean() - 0.5) < 2 / np.sqrt(SEEDS)
    for axis, shifts in ((0, 5), (1, 7)):
        offset = np.array([places[axis] for places in found])
        for shift in range(shifts):
            there = mirrored[offset == shift]
            assert abs(there.mean() - 0.5) < 2 / np.sqrt(len(there))


def test_the_flip_comes_after_the_same_shift(changed):
    for shifted, flipped in zip(
        changed["shift"], changed["shift_flip"], strict=True
    ):
        if offsets_of(flipped)[2]:
            flipped = flipped[:, ::-1]
        np.testing.assert_array_equal(flipped, shifted)


@pytest.mark.parametrize("augmentation", AUGMENTATIONS)
def test_a_seed_gives_one_change(augmentation, changed):
    for i in (0, 3, 399):
        again = augment_image(tf.constant(PLACES), seed_of(i), augmentation)
        assert again.dtype == tf.uint8
        np.testing.assert_array_equal(again, changed[augmentation][i])


def test_less_than_eight_pixels_are_not_shifted():
    small = tf.constant(PLACES[:7, :7])
    for i in range(20):
        image = augment_image(small, seed_of(i), "shift")
        np.testing.assert_array_equal(image, small)


@pytest.mark.parametrize("augmentation", ["flip", "", None])
def test_refuses(augmentation):
    with pytest.raises(ValueError, match="Received: augmentation="):
        augment_image(tf.constant(PLACES), seed_of(0), augmentation)
