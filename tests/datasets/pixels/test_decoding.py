"""One decoder against PIL, one resizing against the triangle filter."""

import io
import struct

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from hashnet_tf.datasets.pixels.decoding import decode_image, resize_image

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (21, 34, 3), dtype=np.uint8)
GRADIENT = np.clip(
    np.add.outer(np.arange(21) * 7, np.arange(34) * 4)[..., None] + [0, 30, 60],
    0,
    255,
).astype(np.uint8)


def written(image, format, **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def by_pil(encoded):
    with Image.open(io.BytesIO(encoded)) as image:
        return np.asarray(image.convert("RGB"))


# Traced once for all files.
decode_in_graph = tf.function(
    decode_image, input_signature=[tf.TensorSpec([], tf.string)]
)


def assert_decoded(encoded, expected):
    image = decode_image(tf.constant(encoded))
    assert image.dtype == tf.uint8
    np.testing.assert_array_equal(image, expected)


@pytest.mark.parametrize("pixels", [NOISE, GRADIENT])
@pytest.mark.parametrize("quality", [30, 75, 95, 100])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_is_pils(pixels, quality, subsampling, progressive):
    encoded = written(
        Image.fromarray(pixels),
        "JPEG",
        quality=quality,
        subsampling=subsampling,
        progressive=progressive,
    )
    assert_decoded(encoded, by_pil(encoded))


def test_the_default_transform_would_not_be_pils():
    encoded = written(Image.fromarray(NOISE), "JPEG", quality=75)
    usual = tf.io.decode_jpeg(encoded, channels=3)
    assert (usual.numpy() != by_pil(encoded)).any()


def test_grey_jpeg():
    encoded = written(Image.fromarray(GRADIENT).convert("L"), "JPEG")
    assert_decoded(encoded, by_pil(encoded))


def test_cmyk_jpeg_is_multiplied_out():
    inks = np.dstack([GRADIENT, np.roll(GRADIENT[..., 0], 9, axis=1)])
    image = Image.frombytes("CMYK", (34, 21), inks.tobytes())
    encoded = written(image, "JPEG", quality=95)
    with Image.open(io.BytesIO(encoded)) as image:
        assert image.mode == "CMYK"
        light = 255 - np.asarray(image).astype(np.int64)
    # Light that ink lets through, times what black lets through, cut to bytes.
    assert_decoded(encoded, light[..., :3] * light[..., 3:] // 255)
    pil = by_pil(encoded).astype(np.int64)
    assert np.abs(decode_image(encoded).numpy() - pil).max() <= 1


def test_cmyk_without_adobes_marker_is_ink():
    inks = np.dstack([GRADIENT, np.roll(GRADIENT[..., 0], 9, axis=1)])
    image = Image.frombytes("CMYK", (34, 21), inks.tobytes())
    marked = written(image, "JPEG", quality=95)
    # Its 16 bytes; with it the numbers are light.
    at = marked.index(b"\xff\xee\0\x0eAdobe")
    encoded = marked[:at] + marked[at + 16 :]
    with Image.open(io.BytesIO(marked)) as image:
        ink = 255 - np.asarray(image).astype(np.int64)
    light = 255 - ink
    assert_decoded(encoded, light[..., :3] * light[..., 3:] // 255)
    # PIL takes the ink for light.
    assert np.abs(by_pil(encoded).astype(int) - light[..., :3]).max() > 60


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1", "RGBA", "LA"])
def test_png(mode):
    image = Image.fromarray(NOISE)
    if mode.endswith("A"):
        image.putalpha(Image.fromarray(NOISE[..., 0]))
    encoded = written(image.convert(mode), "PNG")
    assert_decoded(encoded, by_pil(encoded))
    if mode == "RGBA":
        assert_decoded(encoded, NOISE)


def test_png_of_a_palette_with_transparency():
    image = Image.fromarray(NOISE).quantize(16)
    encoded = written(image, "PNG", transparency=3)
    assert_decoded(encoded, np.asarray(image.convert("RGB")))


def test_png_of_16_bits_keeps_the_upper_8():
    deep = RNG.integers(0, 2**16, (21, 34), dtype=np.uint16)
    encoded = written(Image.fromarray(deep), "PNG")
    expected = np.stack([deep >> 8] * 3, axis=-1)
    assert_decoded(encoded, expected)
    colour = RNG.integers(0, 2**16, (21, 34, 3), dtype=np.uint16)
    assert_decoded(tf.io.encode_png(colour).numpy(), colour >> 8)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_bmp(mode):
    image = Image.fromarray(NOISE)
    if mode == "RGBA":
        image.putalpha(Image.fromarray(NOISE[..., 0]))
    assert_decoded(written(image, "BMP"), NOISE)


@pytest.mark.parametrize("mode", ["P", "L"])
def test_bmp_of_a_palette_is_its_colours(mode):
    image = Image.fromarray(NOISE)
    image = image.quantize(200) if mode == "P" else image.convert("L")
    encoded = written(image, "BMP")
    assert encoded[28] == 8
    assert_decoded(encoded, np.asarray(image.convert("RGB")))


def test_bmp_of_black_and_white():
    encoded = written(Image.fromarray(NOISE).convert("1"), "BMP")
    assert encoded[28] == 1
    assert_decoded(encoded, by_pil(encoded))


def bmp_of_few_bits(bits, width, upwards=True):
    """A BMP of a palette of random colours, 5 rows high."""
    rng = np.random.default_rng(bits)
    palette = rng.integers(0, 256, (2**bits, 4), dtype=np.uint8)
    row = -(-width * bits // 32) * 4
    pixels = rng.bytes(5 * row)
    start = 54 + palette.size
    header = struct.pack(
        "<2sIIIIiiHHIIiiII", b"BM", start + len(pixels), 0, start, 40, width,
        5 if upwards else -5, 1, bits, 0, len(pixels), 0, 0, 2**bits, 0,
    )  # fmt: skip
    return header + palette.tobytes() + pixels


@pytest.mark.parametrize("upwards", [True, False])
@pytest.mark.parametrize("width", [1, 8, 9, 33])
@pytest.mark.parametrize("bits", [1, 4, 8])
def test_bmp_of_few_bits(bits, width, upwards):
    encoded = bmp_of_few_bits(bits, width, upwards)
    assert_decoded(encoded, by_pil(encoded))


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("extra", [{}, {"icc_profile": b"x" * 200}])
def test_webp(mode, lossless, extra):
    image = Image.fromarray(NOISE)
    if mode == "RGBA":
        image.putalpha(Image.fromarray(NOISE[..., 0]))
    encoded = written(image, "WEBP", lossless=lossless, **extra)
    assert_decoded(encoded, by_pil(encoded))


def animation(format):
    frames = [
        Image.fromarray(np.roll(GRADIENT, 5 * i, axis=0)) for i in range(3)
    ]
    encoded = written(
        frames[0], format, save_all=True, append_images=frames[1:]
    )
    with Image.open(io.BytesIO(encoded)) as image:
        assert image.n_frames == 3
    return encoded


def test_an_animated_png_is_its_still_image():
    assert_decoded(animation("PNG"), GRADIENT)


def top_row_first(bmp):
    """Turns a BMP upside down by the sign of its height."""
    height = int.from_bytes(bmp[22:26], "little")
    return bmp[:22] + (-height).to_bytes(4, "little", signed=True) + bmp[26:]


def test_bmp_that_names_the_usual_order():
    image = Image.fromarray(NOISE).convert("RGBA")
    plain = written(image, "BMP")
    masks = bytes.fromhex("0000ff00 00ff0000 ff000000 00000000")
    start = (54 + len(masks)).to_bytes(4, "little")
    encoded = plain[:10] + start + plain[14:30] + b"\3" + plain[31:54]
    encoded = encoded + masks + plain[54:]
    size = len(encoded).to_bytes(4, "little")
    assert_decoded(encoded[:2] + size + encoded[6:], NOISE)


def test_bmp_whose_top_row_comes_first():
    encoded = top_row_first(written(Image.fromarray(NOISE), "BMP"))
    assert_decoded(encoded, NOISE[::-1])
    assert_decoded(encoded, by_pil(encoded))


JPEG = written(Image.fromarray(NOISE), "JPEG")
PNG = written(Image.fromarray(NOISE), "PNG")
BMP = written(Image.fromarray(NOISE), "BMP")
ORDERED = written(Image.fromarray(NOISE).convert("RGBA"), "BMP")
WEBP = written(Image.fromarray(NOISE), "WEBP")
NO_IMAGES = {
    "empty": b"",
    "text": b"no image at all",
    "JPEG marker alone": JPEG[:3],
    "truncated JPEG": JPEG[: len(JPEG) // 2],
    "JPEG less its last bytes": JPEG[:-20],
    "truncated PNG": PNG[: len(PNG) // 2],
    "broken PNG": PNG[:60] + b"\0\1" + PNG[62:],
    "TIFF": written(Image.fromarray(NOISE), "TIFF"),
    "BMP of 16 bits": BMP[:28] + b"\x10" + BMP[29:],
    "truncated BMP of 4 bits": bmp_of_few_bits(4, 9)[:-3],
    "BMP of 4 bits with a short palette": (
        bmp_of_few_bits(4, 9)[:10] + b"\x3a" + bmp_of_few_bits(4, 9)[11:]
    ),
    "compressed BMP": BMP[:30] + b"\1" + BMP[31:],
    "BMP of another order": ORDERED[:30] + b"\3" + ORDERED[31:],
    "BMP with OS/2's header": BMP[:14] + b"\x0c" + BMP[15:],
    "truncated BMP": BMP[: len(BMP) // 2],
    "truncated WebP": WEBP[: len(WEBP) // 2],
    "WebP marker alone": WEBP[:16],
    "WebP of an unknown kind": WEBP[:12] + b"VP9 " + WEBP[16:],
    "animated WebP": animation("WEBP"),
    "GIF": written(Image.fromarray(NOISE).quantize(9), "GIF"),
    "animated GIF": animation("GIF"),
    "BMP marker alone": b"BM",
}


@pytest.mark.parametrize("name", NO_IMAGES)
@pytest.mark.parametrize("decode", [decode_image, decode_in_graph])
def test_no_image_is_an_error(name, decode):
    with pytest.raises(tf.errors.InvalidArgumentError):
        decode(tf.constant(NO_IMAGES[name]))


@pytest.mark.parametrize("encoded", [JPEG, PNG, BMP, ORDERED, WEBP])
def test_in_a_graph_the_same(encoded):
    in_graph = decode_in_graph(tf.constant(encoded))
    np.testing.assert_array_equal(in_graph, by_pil(encoded))


def triangle(n_in, n_out):
    """Weights `[n_out, n_in]` of linear resizing that averages as it shrinks.

    Output pixel i lies at (i + 1/2) n_in / n_out; an input pixel weighs what
    a triangle about that place, as wide as the shrinking, leaves at its own.
    """
    weights = np.zeros((n_out, n_in))
    scale = n_in / n_out
    for i in range(n_out):
        for j in range(n_in):
            distance = abs((j + 0.5) - (i + 0.5) * scale)
            weights[i, j] = max(0.0, 1.0 - distance / max(scale, 1.0))
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("pixels", [NOISE, GRADIENT])
@pytest.mark.parametrize(
    "size", [(7, 7), (1, 1), (5, 50), (21, 12), (40, 60), (64, 3), (2, 34)]
)
def test_resize_is_the_triangle_filter(pixels, size):
    rows, columns = triangle(21, size[0]), triangle(34, size[1])
    exact = np.einsum("ih,hwc,jw->ijc", rows, pixels, columns)
    found = resize_image(tf.constant(pixels), size)
    assert found.dtype == tf.uint8
    assert found.shape == (*size, 3)
    # Just between two bytes float32 may round the other way.
    clear = np.abs(exact - np.floor(exact) - 0.5) > 1e-3
    assert clear.mean() > 0.95
    found = found.numpy()
    np.testing.assert_array_equal(found[clear], np.round(exact)[clear])
    assert np.abs(found - exact).max() < 0.502


def test_shrinking_without_antialiasing_would_differ():
    size = (3, 4)
    plain = tf.image.resize(NOISE, size, antialias=False)
    found = resize_image(tf.constant(NOISE), size).numpy().astype(np.float32)
    assert np.abs(found - plain).max() > 20


def test_rounds_to_the_nearest_and_halves_to_even():
    # Two pixels to one: their mean.
    pairs = [(1, 2), (2, 3), (0, 1), (254, 255), (7, 7), (0, 255)]
    image = np.array(pairs, np.uint8)[..., None].repeat(3, axis=-1)
    found = resize_image(tf.constant(image), (len(pairs), 1))
    assert found.numpy()[:, 0, 0].tolist() == [2, 2, 0, 254, 7, 128]


@pytest.mark.parametrize("size", [(21, 34), [21, 34]])
def test_its_own_size_changes_nothing(size):
    np.testing.assert_array_equal(resize_image(tf.constant(NOISE), size), NOISE)


def test_black_and_white_stay_in_bounds():
    stripes = np.zeros((16, 16, 3), np.uint8)
    stripes[:, ::2] = 255
    for size in [(5, 5), (16, 48), (33, 33)]:
        rows, columns = triangle(16, size[0]), triangle(16, size[1])
        exact = np.einsum("ih,hwc,jw->ijc", rows, stripes, columns)
        found = resize_image(tf.constant(stripes), size).numpy()
        assert np.abs(found - exact).max() < 0.502


def test_a_batch_is_its_images():
    batch = np.stack([NOISE, GRADIENT])
    together = resize_image(tf.constant(batch), (9, 11))
    apart = [resize_image(tf.constant(image), (9, 11)) for image in batch]
    np.testing.assert_array_equal(together, np.stack(apart))


def test_of_a_size_not_known_before():
    signature = [tf.TensorSpec([None, None, 3], tf.uint8)]
    in_graph = tf.function(
        lambda image: resize_image(image, (9, 11)), input_signature=signature
    )
    np.testing.assert_array_equal(
        in_graph(NOISE), resize_image(tf.constant(NOISE), (9, 11))
    )
    whole = tf.function(
        lambda image: resize_image(image, (21, 34)), input_signature=signature
    )
    np.testing.assert_array_equal(whole(NOISE), NOISE)
