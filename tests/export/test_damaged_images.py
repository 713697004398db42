"""Hundreds of files, most of them damaged, through `encode_bytes`."""

import gzip
import io
import resource
import struct
import sys
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageOps

import hashnet_tf as hn
from hashnet_tf.datasets.pixels.decoding import decode_image, resize_image

SIZE = (16, 20)
N, A_REQUEST = 600, 100
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def written(image, format, **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def with_alpha(image):
    image = image.copy()
    image.putalpha(image.getchannel(0))
    return image


def turn(value):
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


def frames(image):
    more = [image.rotate(degrees) for degrees in (90, 180)]
    return {"save_all": True, "append_images": more, "duration": 40}


def chunk(kind, data):
    """Returns a chunk of a PNG."""
    crc = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


def png(width, height, depth, colour, data, interlaced=0):
    header = struct.pack(
        ">IIBBBBB", width, height, depth, colour, 0, 0, interlaced
    )
    pixels = chunk(b"IDAT", zlib.compress(data))
    return PNG_MAGIC + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


def interlaced_png(image):
    """Writes the seven passes of Adam7, each row with filter 0."""
    pixels = np.asarray(image)
    passes = [
        pixels[top::down, left::right]
        for left, top, right, down in [
            (0, 0, 8, 8),
            (4, 0, 8, 8),
            (0, 4, 4, 8),
            (2, 0, 4, 4),
            (0, 2, 2, 4),
            (1, 0, 2, 2),
            (0, 1, 1, 2),
        ]
    ]
    rows = [
        b"\0" + row.tobytes() for part in passes for row in part if row.size
    ]
    return png(*image.size, 8, 2, b"".join(rows), interlaced=1)


def deep_png(image):
    deep = np.asarray(image.convert("L")).astype(np.uint16) * 251
    return written(Image.fromarray(deep), "PNG")


GOOD = {
    "JPEG": lambda i: written(i, "JPEG"),
    "fine JPEG": lambda i: written(i, "JPEG", quality=98, subsampling=0),
    "progressive JPEG": lambda i: written(i, "JPEG", progressive=True),
    "grey JPEG": lambda i: written(i.convert("L"), "JPEG"),
    "CMYK JPEG": lambda i: written(i.convert("CMYK"), "JPEG"),
    "turned JPEG": lambda i: written(i, "JPEG", exif=turn(6)),
    "turned PNG": lambda i: written(i, "PNG", exif=turn(3)),
    "turned WebP": lambda i: written(i, "WEBP", exif=turn(8)),
    "PNG": lambda i: written(i, "PNG"),
    "RGBA PNG": lambda i: written(with_alpha(i), "PNG"),
    "grey PNG": lambda i: written(i.convert("L"), "PNG"),
    "black and white PNG": lambda i: written(i.convert("1"), "PNG"),
    "palette PNG": lambda i: written(i.quantize(40), "PNG"),
    "PNG of 16 bits": deep_png,
    "interlaced PNG": interlaced_png,
    "animated PNG": lambda i: written(i, "PNG", **frames(i)),
    "WebP": lambda i: written(i, "WEBP"),
    "lossless WebP": lambda i: written(i, "WEBP", lossless=True),
    "WebP with alpha": lambda i: written(with_alpha(i), "WEBP"),
    "lossless WebP with alpha": lambda i: written(
        with_alpha(i), "WEBP", lossless=True
    ),
    "BMP": lambda i: written(i, "BMP"),
    "palette BMP": lambda i: written(i.quantize(40), "BMP"),
    "BMP of 32 bits": lambda i: written(with_alpha(i), "BMP"),
}
OTHER_TYPES = {
    "TIFF": lambda i: written(i, "TIFF"),
    "GIF": lambda i: written(i.quantize(40), "GIF"),
    "animated GIF": lambda i: written(i, "GIF", **frames(i)),
    "animated WebP": lambda i: written(i, "WEBP", **frames(i)),
    "ICO": lambda i: written(i, "ICO"),
    "gzip": lambda i: gzip.compress(written(i, "JPEG"), mtime=0),
    "PDF": lambda i: b"%PDF-1.7\n" + written(i, "JPEG"),
    "text": lambda i: f"an image of {i.size}".encode(),
    "empty": lambda i: b"",
}


def picture(rng):
    """Returns a smooth RGB image with edges and noise, of a random size."""
    height, width = rng.integers(8, 120, 2)
    coarse = rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)
    smooth = Image.fromarray(coarse).resize((width, height), Image.BICUBIC)
    pixels = np.asarray(smooth).astype(np.int64)
    pixels = pixels + rng.integers(-9, 10, pixels.shape)
    pixels[: height // 3, : width // 3] = rng.integers(0, 256, 3)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def by_pil(file):
    with Image.open(io.BytesIO(file)) as image:
        if image.mode == "CMYK":
            # PIL rounds the products of inks, TensorFlow cuts them off.
            return decode_image(file).numpy()
        if image.mode.startswith("I;16"):
            upper = np.asarray(image) >> 8
            return np.stack([upper] * 3, axis=-1).astype(np.uint8)
        image = ImageOps.exif_transpose(image)
        return np.asarray(image.convert("RGB"))


def refused_by_pil(file):
    try:
        with Image.open(io.BytesIO(file)) as image:
            image.load()
    except (OSError, SyntaxError, ValueError, IndexError, struct.error):
        return True
    return False


def truncated(file, kind, rng):
    """Cuts `file` until a decoder that is strict must refuse it."""
    while True:
        cut = file[: rng.integers(len(file))]
        # Of an animated PNG the still image may yet be whole.
        missing = len(cut) < 0.9 * len(file) and kind != "animated PNG"
        if missing or refused_by_pil(cut):
            return cut


def flipped(file, rng):
    """Flips a bit of the pixels of a PNG, so that the checksum is wrong."""
    start = file.index(b"IDAT") + 4
    (length,) = struct.unpack(">I", file[start - 8 : start - 4])
    place = start + rng.integers(length)
    bit = 1 << rng.integers(8)
    return file[:place] + bytes([file[place] ^ bit]) + file[place + 1 :]


def noise(rng):
    magic = [
        b"",
        b"\xff\xd8\xff\xe0",
        PNG_MAGIC,
        b"BM",
        b"RIFF\0\2\0\0WEBPVP8 ",
    ]
    return magic[rng.integers(len(magic))] + rng.bytes(rng.integers(1, 500))


def of_size(kind, width, height):
    """Returns a small image whose header tells another size."""
    image = Image.new("RGB", (16, 16), (250, 130, 10))
    if kind == "JPEG":
        file = written(image, "JPEG")
        at = file.index(b"\xff\xc0") + 5
        return file[:at] + struct.pack(">HH", height, width) + file[at + 4 :]
    if kind == "PNG":
        return png(width, height, 8, 2, np.asarray(image).tobytes())
    if kind == "BMP":
        size = struct.pack("<ii", width, height)
        file = written(image, "BMP")
        return file[:18] + size + file[26:]
    file = written(image, "WEBP", lossless=kind == "VP8L")
    assert file[12:16] in (b"VP8 ", b"VP8L")
    if kind == "VP8L":
        packed = (width - 1) | (height - 1) << 14 | int(file[24] & 0xF0) << 24
        return file[:21] + struct.pack("<I", packed) + file[25:]
    return file[:26] + struct.pack("<HH", width, height) + file[30:]


# More than 2^26 pixels each (a JPEG 2^28), or than 2^16 a side, and none.
HUGE = [
    ("JPEG", 65500, 65500),
    ("JPEG", 2**14 + 1, 2**14),
    ("PNG", 2**31 - 1, 2**31 - 1),
    ("PNG", 65536, 65536),
    ("PNG", 2**26, 1),
    ("PNG", 1, 2**16 + 1),
    ("WebP", 16383, 16383),
    ("VP8L", 16384, 16384),
    ("BMP", 32768, 32768),
    ("BMP", 32768, -32768),
    ("BMP", 2**31 - 1, 2**31 - 1),
]
EMPTY = [
    (kind, width, height)
    for kind in ("JPEG", "PNG", "WebP", "BMP")
    for width, height in [(0, 16), (16, 0), (0, 0)]
]


def a_bomb():
    """Returns a whole PNG that decodes to 768 MiB."""
    side = 2**14
    return png(side, side, 1, 0, bytes(side * (side // 8 + 1)))


def good_files(rng, n):
    kinds = list(GOOD)
    for i in range(n):
        kind = kinds[i % len(kinds)]
        yield kind, GOOD[kind](picture(rng))


def bad_files(rng, n):
    kinds, others = list(GOOD), list(OTHER_TYPES)
    bomb = a_bomb()
    for i in range(n):
        round, place = divmod(i, 10)
        if place < 4:
            kind = kinds[rng.integers(len(kinds))]
            whole = GOOD[kind](picture(rng))
            yield f"cut {kind}", truncated(whole, kind, rng)
        elif place < 6:
            yield "flipped bit", flipped(written(picture(rng), "PNG"), rng)
        elif place < 7:
            kind = others[round % len(others)]
            yield kind, OTHER_TYPES[kind](picture(rng))
        elif place < 8:
            yield "noise", noise(rng)
        elif round % 3 == 0:
            size = EMPTY[round // 3 % len(EMPTY)]
            yield f"no pixels {size}", of_size(*size)
        elif round % 3 == 1:
            size = HUGE[round // 3 % len(HUGE)]
            yield f"huge {size}", of_size(*size)
        else:
            yield "bomb", bomb


@pytest.fixture(scope="module")
def files():
    """In a random order, `(kind, bytes, whether good)` of each."""
    rng = np.random.default_rng(0)
    of_good = N // 3
    found = [(*file, True) for file in good_files(rng, of_good)]
    found += [(*file, False) for file in bad_files(rng, N - of_good)]
    return [found[i] for i in rng.permutation(N)]


@pytest.fixture(scope="module")
def answers(files, saved_models):
    """Outputs by name, and by how many bytes memory grew at its peak."""
    encoder = hn.export.SavedModelEncoder(saved_models["48"])
    before = peak_memory()
    requests = [
        encoder.run("encode_bytes", [file for _, file, _ in request])
        for request in (
            files[start : start + A_REQUEST] for start in range(0, N, A_REQUEST)
        )
    ]
    grown = peak_memory() - before
    outputs = {
        name: np.concatenate([request[name] for request in requests])
        for name in requests[0]
    }
    return outputs, grown


def peak_memory():
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes * (1 if sys.platform == "darwin" else 1024)


def test_exactly_the_good_ones_are_ok(files, answers):
    outputs, _ = answers
    wrong = [
        (place, kind, "refused" if good else "taken")
        for place, (kind, _, good) in enumerate(files)
        if outputs["ok"][place] != good
    ]
    assert wrong == []


def test_good_ones_have_the_models_codes(files, answers, models):
    outputs, _ = answers
    good = np.array([good for _, _, good in files])
    images = [
        resize_image(tf.constant(by_pil(file)), SIZE)
        for _, file, good in files
        if good
    ]
    expected = models["48"].encode(np.stack(images))
    assert len(np.unique(expected, axis=0)) > 0.9 * len(expected)
    codes, signs = outputs["codes"][good], outputs["signs"][good]
    np.testing.assert_array_equal(codes, expected)
    np.testing.assert_array_equal(np.packbits(signs > 0, axis=1), expected)
    as_bytes = [code.tobytes() for code in expected]
    assert outputs["code_bytes"][good].tolist() == as_bytes
    assert (np.abs(signs) == 1).all()


def test_bad_ones_are_all_zero(files, answers):
    outputs, _ = answers
    bad = np.array([not good for _, _, good in files])
    assert (outputs["codes"][bad] == 0).all()
    assert (outputs["signs"][bad] == 0).all()
    assert set(outputs["code_bytes"][bad].tolist()) == {bytes(6)}


def test_bombs_take_no_memory(answers):
    _, grown = answers
    # Two of the whole bombs would take more, and a request holds several.
    assert grown < 1.5 * 2**30
