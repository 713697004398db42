"""Photographs are turned as PIL turns them, and damaged EXIF does nothing."""

import io
import itertools
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageOps

from hashnet_tf.datasets.pixels.decoding import decode_image
from hashnet_tf.datasets.pixels.orientation import exif_orientation, turn_image

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (21, 34, 3), dtype=np.uint8)
TAG = 0x0112
KINDS = {
    "JPEG": {"format": "JPEG", "quality": 90},
    "PNG": {"format": "PNG"},
    "WebP": {"format": "WEBP"},
    "lossless WebP": {"format": "WEBP", "lossless": True},
}
DECODE = tf.function(
    decode_image, input_signature=[tf.TensorSpec([], tf.string)]
)


def tiff(entries, order="<", start=8, filling=b""):
    """Returns EXIF; an entry is a tag, a type, a count and four bytes."""
    head = (b"II" if order == "<" else b"MM") + struct.pack(
        order + "HI", 42, start
    )
    rows = b"".join(
        struct.pack(order + "HHI", *entry[:3]) + entry[3] for entry in entries
    )
    count = struct.pack(order + "H", len(entries))
    return head.ljust(start, b"\0") + count + rows + bytes(4) + filling


def short(value, order="<", tag=TAG):
    return tag, 3, 1, struct.pack(order + "HH", value, 0)


def written(exif, kind="JPEG", pixels=NOISE):
    file = io.BytesIO()
    options = KINDS[kind] | ({"exif": exif} if exif is not None else {})
    Image.fromarray(pixels).save(file, **options)
    return file.getvalue()


def turned_by_pil(encoded):
    with Image.open(io.BytesIO(encoded)) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


def stored(encoded):
    with Image.open(io.BytesIO(encoded)) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", range(1, 9))
def test_each_orientation_is_pils(kind, value, order):
    others = [
        (0x010F, 2, 20, struct.pack(order + "I", 100)),
        short(value, order),
        (0x8769, 4, 1, struct.pack(order + "I", 60)),
    ]
    exif = tiff(others, order, start=14, filling=bytes(90))
    encoded = written(b"Exif\0\0" + exif, kind)
    expected = turned_by_pil(encoded)
    assert expected.shape == ((34, 21, 3) if value > 4 else (21, 34, 3))
    assert exif_orientation(encoded) == value
    np.testing.assert_array_equal(DECODE(encoded), expected)
    np.testing.assert_array_equal(decode_image(encoded), expected)


@pytest.mark.parametrize("value", range(1, 9))
def test_a_png_stored_turned_is_the_upright_one(value):
    upright = written(None, "PNG")
    # What was done to the stored rows is done away with by the tag.
    back = {6: 8, 8: 6}.get(value, value)
    lying = turn_image(tf.constant(NOISE), back).numpy()
    exif = Image.Exif()
    exif[TAG] = value
    np.testing.assert_array_equal(
        DECODE(written(exif, "PNG", lying)), DECODE(upright)
    )


def after_first(part):
    """Puts a part before all others of a JPEG."""

    def put(encoded):
        return encoded[:2] + part + encoded[2:]

    return put


SIX = tiff([short(6)])
APP1 = b"\xff\xe1" + struct.pack(">H", 8 + len(SIX)) + b"Exif\0\0" + SIX


def embedded(marker):
    """A segment that holds a whole JPEG with EXIF."""
    inner = written(b"Exif\0\0" + SIX)[:500]
    return bytes([255, marker]) + struct.pack(">H", 2 + len(inner)) + inner


PLAIN = written(None)
PLACES = {
    "first": (after_first(APP1), 6),
    "behind APP0": (lambda e: e[:20] + APP1 + e[20:], 6),
    "behind padding": (after_first(b"\xff\xff\xff" + APP1[1:]), 6),
    "behind XMP": (after_first(b"\xff\xe1\0\x0chttp://ns\0" + APP1), 6),
    "behind many": (after_first(b"\xff\xe2\0\x04ab" * 300 + APP1), 6),
    "the first of two": (
        after_first(APP1 + APP1.replace(SIX, tiff([short(3)]))),
        6,
    ),
    "within another": (after_first(embedded(0xED)), 1),
    "within a comment": (after_first(b"\xff\xfe\0\x08Exif\0\0"), 1),
    "behind the image": (lambda e: e + APP1, 1),
    "none": (lambda e: e, 1),
}


@pytest.mark.parametrize("place", PLACES)
def test_only_a_segment_of_its_own_counts(place):
    put, expected = PLACES[place]
    encoded = put(PLAIN)
    assert exif_orientation(encoded) == expected
    pixels = turn_image(tf.constant(stored(PLAIN)), expected)
    np.testing.assert_array_equal(DECODE(encoded), pixels)


def chunk(kind, data):
    crc = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + crc


def test_of_a_png_it_may_stand_behind_the_pixels():
    plain = written(None, "PNG")
    assert plain[-8:-4] == b"IEND"
    late = plain[:-12] + chunk(b"eXIf", SIX) + plain[-12:]
    assert exif_orientation(late) == 6
    np.testing.assert_array_equal(DECODE(late), turned_by_pil(late))
    assert exif_orientation(plain + chunk(b"eXIf", SIX)) == 1
    text = plain[:-12] + chunk(b"tEXt", b"a\0eXIf" + SIX) + plain[-12:]
    np.testing.assert_array_equal(DECODE(text), NOISE)


def test_a_webp_counts_with_its_flag_and_with_the_word_of_a_jpeg():
    encoded = written(b"Exif\0\0" + SIX, "WebP")
    assert b"Exif\0\0" not in encoded
    at = encoded.index(b"EXIF")
    long = struct.pack("<I", 6 + len(SIX)) + b"Exif\0\0" + SIX
    worded = encoded[: at + 4] + long
    worded = worded[:4] + struct.pack("<I", len(worded) - 8) + worded[8:]
    for file in (encoded, worded):
        assert exif_orientation(file) == 6
        np.testing.assert_array_equal(DECODE(file), turned_by_pil(file))
    without = encoded[:20] + bytes([encoded[20] & ~8]) + encoded[21:]
    np.testing.assert_array_equal(DECODE(without), stored(encoded))


LITTLE = struct.pack("<I", 6)
TAGS = {
    "a long number": ([(TAG, 4, 1, LITTLE)], 6),
    "the last of two": ([short(3), short(8)], 8),
    "0": ([short(0)], 1),
    "9": ([short(9)], 1),
    "of 16 bits": ([short(6 + 256)], 1),
    "two numbers": ([(TAG, 3, 2, struct.pack("<HH", 6, 6))], 1),
    "none of them": ([(TAG, 3, 0, LITTLE)], 1),
    "text": ([(TAG, 2, 1, LITTLE)], 1),
    "a fraction": ([(TAG, 5, 1, LITTLE)], 1),
    "another tag": ([short(6, tag=0x1201)], 1),
    "no entry": ([], 1),
    "65,535 entries": ([short(1, tag=7)] * 65535, 1),
}


@pytest.mark.parametrize("name", TAGS)
def test_only_one_whole_number_from_1_to_8_counts(name):
    entries, expected = TAGS[name]
    exif = tiff(entries)
    if len(exif) < 2**16 - 8:
        assert exif_orientation(written(b"Exif\0\0" + exif)) == expected
    assert exif_orientation(written(b"Exif\0\0" + exif, "PNG")) == expected


def by_hand(exif):
    """The orientation in EXIF, by a loop over its entries."""
    try:
        order = {b"II*\0": "<", b"MM\0*": ">"}[exif[:4]]
        (start,) = struct.unpack_from(order + "I", exif, 4)
        (count,) = struct.unpack_from(order + "H", exif, start)
    except (KeyError, struct.error):
        return 1
    value = 1
    for k in range(count):
        at = start + 2 + 12 * k
        if at + 12 > len(exif):
            break
        tag, kind, n = struct.unpack_from(order + "HHI", exif, at)
        if tag == TAG and kind in (3, 4) and n == 1:
            letter = "H" if kind == 3 else "I"
            (value,) = struct.unpack_from(order + letter, exif, at + 8)
    return value if 1 <= value <= 8 else 1


def mutated(exif, rng):
    exif = bytearray(exif)
    for _ in range(rng.integers(1, 4)):
        kind, at = rng.integers(4), rng.integers(len(exif))
        if kind == 0:
            exif[at] = rng.integers(256)
        elif kind == 1:
            exif[at] ^= 1 << rng.integers(8)
        elif kind == 2:
            exif[at : at + 4] = [b"\xff" * 4, bytes(4)][rng.integers(2)]
        else:
            del exif[at:]
        if not exif:
            break
    return bytes(exif)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WebP"])
def test_damaged_exif_turns_by_what_is_left_of_it(kind):
    rng, small = np.random.default_rng(1), NOISE[:3, :5]
    pixels = stored(written(None, kind, small))
    found = []
    for order, value in itertools.product("<>", range(1, 9)):
        whole = tiff([short(7, order, tag=5), short(value, order)], order)
        for _ in range(8):
            exif = mutated(whole, rng)
            # PIL leaves out what it takes for none.
            file = written(b"Exif\0\0" + (exif or b"\0"), kind, small)
            found.append(by_hand(exif))
            expected = turn_image(tf.constant(pixels), found[-1])
            np.testing.assert_array_equal(DECODE(file), expected)
    assert set(found) == set(range(1, 9))
    assert 64 < found.count(1) < 112


def test_lengths_that_lie_do_no_harm():
    rng = np.random.default_rng(2)
    words = {"JPEG": b"Exif", "PNG": b"eXIf", "WebP": b"EXIF"}
    for kind, its_word in words.items():
        encoded = written(b"Exif\0\0" + SIX, kind, NOISE[:3, :5])
        word = encoded.index(its_word)
        for _ in range(60):
            at = word + rng.integers(-12, 20)
            changed = bytearray(encoded)
            changed[at] = rng.integers(256)
            assert 1 <= exif_orientation(bytes(changed)) <= 8
            cut = bytes(changed[: rng.integers(word + 9)])
            assert 1 <= exif_orientation(cut) <= 8


@pytest.mark.parametrize(
    "file", [b"", b"\xff", b"\xff\xd8\xff", b"\xff\xd8\xff\xe1", b"RIFF", b"BM"]
)
def test_of_no_image_it_is_1(file):
    assert exif_orientation(file) == 1
