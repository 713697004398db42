import builtins
import io
import itertools

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from hashnet_tf.index import DuplicateGroup, duplicate_groups, perceptual_hash
from hashnet_tf.index.duplicates import RADIUS


def bits_between(a, b):
    """Hamming distance, a bit at a time."""
    return sum(bin(x ^ y).count("1") for x, y in zip(a, b, strict=True))


def groups_by_loop(hashes, radius):
    """The most alike takes all in its radius that are free, and so on."""
    n = len(hashes)
    distance = [[bits_between(a, b) for b in hashes] for a in hashes]
    alike = [sum(d <= radius for d in row) for row in distance]
    free = set(range(n))
    groups = []
    for first in sorted(range(n), key=lambda i: (-alike[i], i)):
        if first not in free:
            continue
        taken = sorted(
            (distance[first][i], i)
            for i in free
            if distance[first][i] <= radius
        )
        free -= {i for _, i in taken}
        if len(taken) > 1:
            groups.append(([i for _, i in taken], [d for d, _ in taken]))
    return sorted(groups, key=lambda group: (-len(group[0]), group[0][0]))


def as_lists(groups):
    return [(g.positions.tolist(), g.distances.tolist()) for g in groups]


def photograph(seed, size=(240, 180)):
    """A picture of soft shapes and some grain."""
    rng = np.random.default_rng(seed)
    shapes = Image.fromarray(rng.integers(0, 256, (9, 12, 3), np.uint8))
    shapes = np.asarray(shapes.resize(size, Image.Resampling.BICUBIC), np.int64)
    grain = rng.integers(-8, 9, shapes.shape)
    return Image.fromarray(np.clip(shapes + grain, 0, 255).astype(np.uint8))


def saved(image, format="JPEG", **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return Image.open(file)


def rows_of(images):
    hashes = b"".join(perceptual_hash(image) for image in images)
    return np.frombuffer(hashes, np.uint8).reshape(-1, 16)


def flat(*color, size=(50, 40)):
    return Image.new("RGB", size, color)


@pytest.mark.parametrize("width", [1, 3, 8, 9, 16, 32])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.25, 0.4, 1.0])
def test_equals_a_slow_double_loop(width, share):
    rng = np.random.default_rng(width)
    # Some equal, some near, some neither.
    hashes = rng.integers(0, 256, (12, width), np.uint8)[
        rng.integers(12, size=70)
    ]
    noise = rng.integers(0, 256, (4, *hashes.shape), np.uint8)
    hashes[20:] ^= np.bitwise_and.reduce(noise)[20:]
    radius = int(share * 8 * width)
    groups = duplicate_groups(hashes, radius)
    assert as_lists(groups) == groups_by_loop(hashes.tolist(), radius)
    assert {group.positions.dtype for group in groups} <= {np.dtype("int64")}
    assert {group.distances.dtype for group in groups} <= {np.dtype("uint16")}


def test_what_is_kept_is_near_to_all_and_holds_no_pair():
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 256, (300, 2), np.uint8)
    groups = duplicate_groups(hashes, 3)
    others = np.concatenate([group.positions[1:] for group in groups])
    kept = np.setdiff1d(np.arange(300), others)
    assert len(others) == len(set(others.tolist())) > 50
    distances = np.array([[bits_between(a, b) for b in hashes] for a in hashes])
    assert (distances[:, kept].min(axis=1) <= 3).all()
    assert all(distances[i, j] > 3 for i, j in itertools.combinations(kept, 2))


def test_a_chain():
    links = np.array([[0b0], [0b1], [0b11], [0b111]], np.uint8)
    # The two ends are unlike, and like the one in between.
    assert as_lists(duplicate_groups(links[:3], 1)) == [([1, 0, 2], [0, 1, 1])]
    # The last is like none that begins a group.
    assert as_lists(duplicate_groups(links, 1)) == [([1, 0, 2], [0, 1, 1])]


@pytest.mark.parametrize("n", [0, 1])
def test_none_and_one_make_no_group(n):
    assert duplicate_groups(np.zeros((n, 16), np.uint8)) == []


def test_equal_ones_are_a_group_at_radius_0():
    hashes = np.array([[1], [2], [1], [3], [2], [1]], np.uint8)
    assert as_lists(duplicate_groups(hashes, 0)) == [
        ([0, 2, 5], [0, 0, 0]),
        ([1, 4], [0, 0]),
    ]
    group = duplicate_groups(np.zeros((20_000, 16), np.uint8))[0]
    assert isinstance(group, DuplicateGroup)
    assert group.positions.tolist() == list(range(20_000))


@pytest.mark.parametrize(
    "hashes, radius, message",
    [
        (np.zeros((2, 8)), 1, "Received: .*float64"),
        (np.zeros(8, np.uint8), 1, r"Received: .*\(8,\)"),
        (np.zeros((2, 8), np.uint8), -1, "Received: radius=-1"),
        (np.zeros((2, 8), np.uint8), 1.5, "Received: radius=1.5"),
    ],
)
def test_refuses(hashes, radius, message):
    with pytest.raises(ValueError, match=message):
        duplicate_groups(hashes, radius)


def test_copies_are_found_and_others_are_not():
    images = []
    for seed in range(6):
        image = photograph(seed)
        width, height = image.size
        within = (2, 2, width - 2, height - 2)
        images += [
            image,
            image.resize((width // 2, height // 2)),
            image.resize((width * 2, height * 3)),
            saved(image, quality=30),
            saved(image, "WEBP"),
            saved(image, "PNG"),
            image.crop(within),
            ImageEnhance.Brightness(image).enhance(0.8),
        ]
    groups = duplicate_groups(rows_of(images))
    assert [sorted(g.positions.tolist()) for g in groups] == [
        list(range(8 * i, 8 * i + 8)) for i in range(6)
    ]


def test_a_mirrored_one_is_not_found():
    image = photograph(0)
    mirrored = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    assert duplicate_groups(rows_of([image, mirrored])) == []


def test_flat_pictures_are_alike_by_their_colour():
    images = [
        flat(0, 0, 0),
        flat(255, 255, 255),
        flat(200, 30, 30),
        flat(30, 30, 200),
        flat(0, 0, 0, size=(7, 300)),
        saved(flat(255, 255, 255), quality=30),
        saved(flat(200, 30, 30), quality=60),
        photograph(0),
    ]
    groups = duplicate_groups(rows_of(images))
    assert [found for found, _ in as_lists(groups)] == [[0, 4], [1, 5], [2, 6]]


def test_a_picture_without_content_is_flat_and_a_faint_one_is_not():
    rng = np.random.default_rng(0)
    grey = np.full((60, 60, 3), 128, np.uint8)
    grain = grey + rng.integers(0, 2, grey.shape, np.uint8)
    distance = np.bitwise_count(rows_of([grain])[0] ^ rows_of([grey])[0]).sum()
    assert distance <= 4
    faint = grey.copy()
    faint[20:40, 20:40] += 8
    assert perceptual_hash(faint) != perceptual_hash(grey)


def test_an_array_and_an_image_have_one_hash():
    image = photograph(1)
    assert perceptual_hash(np.asarray(image)) == perceptual_hash(image)
    transposed = np.asarray(image).transpose(1, 0, 2)
    assert perceptual_hash(transposed) == perceptual_hash(transposed.copy())


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_file_has_the_hash_of_the_picture_that_is_encoded(turn):
    from hashnet_tf.datasets.pixels.decoding import decode_image

    exif = Image.Exif()
    exif[0x0112] = turn
    file = io.BytesIO()
    photograph(2).save(file, "JPEG", exif=exif)
    decoded = decode_image(file.getvalue())
    assert perceptual_hash(np.asarray(decoded)) == perceptual_hash(
        Image.open(file)
    )


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1", "CMYK", "LA"])
def test_an_image_of_any_mode(mode):
    image = photograph(3)
    found = perceptual_hash(image.convert(mode))
    assert len(found) == 16
    # But for their colours, which the hash does not see.
    assert bits_between(found, perceptual_hash(image)) <= RADIUS


def test_one_pixel_is_flat():
    assert perceptual_hash(flat(9, 9, 9, size=(1, 1))) == perceptual_hash(
        flat(9, 9, 9)
    )


@pytest.mark.parametrize(
    "image, message",
    [
        (np.zeros((4, 4, 3)), r"Received: .*float64"),
        (np.zeros((4, 4), np.uint8), r"Received: image.shape=\(4, 4\)"),
        (np.zeros((4, 4, 4), np.uint8), r"Received: image.shape=\(4, 4, 4\)"),
        (np.zeros((0, 4, 3), np.uint8), r"Received: image.shape=\(0, 4, 3\)"),
        ("a.jpg", r"Received: image.shape=\(\)"),
    ],
)
def test_refuses_what_is_no_picture(image, message):
    with pytest.raises(ValueError, match=message):
        perceptual_hash(image)


def test_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def missing(name, *arguments, **options):
        if name == "imagehash":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ImportError, match="pip install imagehash"):
        perceptual_hash(flat(0, 0, 0))
