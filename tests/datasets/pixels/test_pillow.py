"""Pillow and NumPy give the pixels that TensorFlow gives."""

import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from hashnet_tf.datasets import file_batches
from hashnet_tf.datasets.pixels import pillow
from hashnet_tf.datasets.pixels.decoding import decode_image
from hashnet_tf.datasets.pixels.framing import frame_image
from hashnet_tf.datasets.pixels.pillow import (
    image_pixels,
    open_image,
    pixel_batches,
)

FRAMINGS = ("whole", "paper", "modern")


def noise(height, width, seed=0):
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), "uint8"))


def smooth(height, width):
    return noise(8, 9).resize((width, height), Image.Resampling.BICUBIC)


def written(image, format, **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def assert_same(content, size, framing):
    wanted = frame_image(decode_image(content), size, framing).numpy()
    np.testing.assert_array_equal(image_pixels(content, size, framing), wanted)


@pytest.mark.parametrize("framing", FRAMINGS)
def test_resizes_as_tensorflow(framing):
    rng = np.random.default_rng(1)
    for seed in range(25):
        height, width, *size = map(int, rng.integers(1, 300, 4))
        size = tuple(max(8, side) for side in size)
        assert_same(written(noise(height, width, seed), "PNG"), size, framing)


def test_sums_are_those_of_all_pixels_in_single_precision():
    rng = np.random.default_rng(2)
    for there, wanted, other in rng.integers(1, 400, (40, 3)).tolist():
        pixels = rng.integers(0, 256, (there, other, 3), "uint8")
        spans = first, weights = pillow._spans(there, wanted, 0, wanted)
        # The whole of it, which a large image has no memory for.
        floats = pixels.astype(np.float32)
        total = np.zeros((wanted, other, 3), np.float32)
        for tap in range(weights.shape[1]):
            rows = floats[np.minimum(first + tap, there - 1)]
            total += rows * weights[:, tap, None, None]
        np.testing.assert_array_equal(pillow._gathered(pixels, spans), total)


MODES = {
    "JPEG": ["L", "1", "CMYK"],
    "PNG": ["L", "LA", "P", "RGBA", "1", "I;16"],
    "WEBP": ["L", "LA", "P", "RGBA", "1"],
    "BMP": ["L", "P", "RGBA", "1"],
}


@pytest.mark.parametrize(
    "format, mode", [(f, mode) for f, modes in MODES.items() for mode in modes]
)
def test_decodes_as_tensorflow(format, mode):
    image = smooth(40, 50)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L"), "uint16") * 257)
    else:
        image = image.convert(mode)
    assert_same(written(image, format), (24, 24), "whole")


def chunk(name, content):
    check = zlib.crc32(name + content)
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", check)
    )


def png(kind, depth, values, palette=b"", transparent=b""):
    """A PNG of a colour type and of as many bits a value."""
    height, width, _ = values.shape
    bits = np.unpackbits(values.astype(">u2")[..., None].view("u1"), axis=-1)
    rows = np.packbits(bits[..., -depth:].reshape(height, -1), axis=1)
    told = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    content = b"".join(b"\0" + row.tobytes() for row in rows)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(name, part)
        for name, part in [
            (b"IHDR", told),
            (b"PLTE", palette),
            (b"tRNS", transparent),
            (b"IDAT", zlib.compress(content)),
            (b"IEND", b""),
        ]
        if part or name == b"IEND"
    )


# By colour type: how many values a pixel has, and of how many bits.
PNGS = {
    0: (1, (1, 2, 4, 8, 16)),
    2: (3, (8, 16)),
    3: (1, (1, 2, 4, 8)),
    4: (2, (8, 16)),
    6: (4, (8, 16)),
}


@pytest.mark.parametrize("is_transparent", [False, True])
@pytest.mark.parametrize(
    "kind, depth", [(kind, d) for kind, (_, all_) in PNGS.items() for d in all_]
)
def test_every_kind_of_png_has_the_values_of_its_file(
    kind, depth, is_transparent
):
    rng = np.random.default_rng(depth)
    values = rng.integers(0, 2**depth, (7, 9, PNGS[kind][0]))
    palette, transparent = b"", b""
    if kind == 3:
        colours = rng.integers(0, 256, (2**depth, 3), dtype="u1")
        palette = colours.tobytes()
        expected = colours[values[..., 0]]
    else:
        shown = values[..., : 1 if kind in (0, 4) else 3]
        # Of fewer bits the largest is white; of 16 the upper 8 count.
        shown = shown >> 8 if depth == 16 else shown * 255 // (2**depth - 1)
        expected = np.broadcast_to(shown, (7, 9, 3))
    if is_transparent and kind in (0, 2):
        transparent = values[0, 0].astype(">u2").tobytes()
    elif is_transparent and kind == 3:
        transparent = bytes([0, 128])
    content = png(kind, depth, values, palette, transparent)
    np.testing.assert_array_equal(open_image(content), expected)
    np.testing.assert_array_equal(decode_image(content), expected)


@pytest.mark.parametrize(
    "options", [{"quality": 20}, {"progressive": True}, {"subsampling": 0}]
)
def test_jpegs_of_all_kinds(options):
    assert_same(written(smooth(61, 83), "JPEG", **options), (32, 20), "modern")


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_turns_upright(format, turn):
    exif = Image.Exif()
    exif[0x0112] = turn
    assert_same(written(smooth(40, 60), format, exif=exif), (24, 24), "modern")


def test_ink_without_adobes_marker():
    content = written(smooth(40, 50).convert("CMYK"), "JPEG")
    start = content.find(b"\xff\xee")
    length = int.from_bytes(content[start + 2 : start + 4], "big")
    assert_same(
        content[:start] + content[start + 2 + length :], (8, 8), "whole"
    )


def test_a_jpeg_too_large_is_decoded_at_half_its_size():
    content = written(Image.new("RGB", (9000, 8000), (9, 90, 200)), "JPEG")
    assert open_image(content).size == (4500, 4000)
    assert_same(content, (8, 8), "whole")


JPEG = written(smooth(40, 50), "JPEG")
PNG = written(smooth(40, 50), "PNG")
BAD = {
    "empty": (b"", "JPEG, PNG, WebP or BMP"),
    "text": (b"no image", "JPEG, PNG, WebP or BMP"),
    "GIF": (written(smooth(9, 9), "GIF"), "JPEG, PNG, WebP or BMP"),
    "TIFF": (written(smooth(9, 9), "TIFF"), "JPEG, PNG, WebP or BMP"),
    "half a JPEG": (JPEG[: len(JPEG) // 2], "whole"),
    "a JPEG's head": (JPEG[:20], "whole"),
    "half a PNG": (PNG[: len(PNG) // 2], "whole"),
    "long": (written(Image.new("L", (70_000, 1)), "PNG"), "65,536 a side"),
    "large": (written(Image.new("1", (9000, 9000)), "PNG"), "67,108,864"),
    "moving": (
        written(
            smooth(9, 9),
            "WEBP",
            save_all=True,
            append_images=[noise(9, 9)],
        ),
        "no animation",
    ),
}


@pytest.mark.parametrize(
    "least, size",
    [(None, (800, 600)), (301, (800, 600)), (300, (400, 300)), (1, (100, 75))],
)
def test_a_jpeg_is_decoded_at_a_part_of_its_size(least, size):
    image = Image.radial_gradient("L").convert("RGB").resize((800, 600))
    exif = Image.Exif()
    exif[0x0112] = 6
    for options in ({}, {"progressive": True}, {"exif": exif}):
        file = io.BytesIO()
        image.save(file, "JPEG", **options)
        opened = open_image(file.getvalue(), least)
        wanted = size[::-1] if "exif" in options else size
        assert (opened.size, opened.mode) == (wanted, "RGB")
    file = io.BytesIO()
    image.save(file, "PNG")
    assert open_image(file.getvalue(), least).size == (800, 600)


@pytest.mark.parametrize("kind", BAD)
def test_refuses_what_tensorflow_refuses(kind):
    content, why = BAD[kind]
    with pytest.raises(ValueError, match=f"{why}.* Received: "):
        open_image(content)
    with pytest.raises(tf.errors.OpError):
        decode_image(content)


def test_batches_of_files(tmp_path):
    paths = [tmp_path / f"{i}.png" for i in range(5)]
    for i, path in enumerate(paths):
        noise(20, 30, seed=i).save(path)
    found = list(pixel_batches(paths, (16, 12), "paper", 2))
    assert [len(batch) for batch in found] == [2, 2, 1]
    wanted = np.concatenate(list(file_batches(paths, (16, 12), "paper")))
    np.testing.assert_array_equal(np.concatenate(found), wanted)
    paths[3].write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"Received: .*3\.png \(An image"):
        list(pixel_batches(paths, (16, 12)))
