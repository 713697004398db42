import io
import os

import pytest
from PIL import Image

from hashnet_tf.index import Entry
from hashnet_tf.serving import thumbnails


def entry_of(path, digest=None):
    return Entry(1, str(path), b"", None, digest)


def opened(content):
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize(
    "kind, mode",
    [
        *(("JPEG", "RGB"), ("JPEG", "L"), ("JPEG", "CMYK"), ("PNG", "RGBA")),
        *(("PNG", "P"), ("PNG", "I;16"), ("WEBP", "RGB"), ("BMP", "RGB")),
    ],
)
def test_each_format_becomes_a_small_jpeg(tmp_path, kind, mode):
    path = tmp_path / "a"
    image = Image.new("L" if mode == "I;16" else "RGB", (900, 600), 90)
    image.convert(mode).save(path, kind)
    with opened(thumbnails.Thumbnails().of(entry_of(path))) as made:
        assert (made.format, made.mode) == ("JPEG", "RGB")
        assert abs(made.size[1] - 213) <= 1 and made.size[0] == 320


def test_it_is_upright_and_tells_nothing_of_the_camera(tmp_path):
    path = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "A camera"
    Image.new("RGB", (800, 400), "red").save(path, exif=exif, comment=b"Mine")
    made = thumbnails.Thumbnails().of(entry_of(path))
    with opened(made) as image:
        assert image.size == (160, 320)
        assert not image.getexif()
    assert b"camera" not in made and b"Mine" not in made


def test_a_small_one_is_not_made_larger(tmp_path):
    Image.new("RGB", (9, 7)).save(tmp_path / "a.png")
    with opened(thumbnails.Thumbnails().of(entry_of(tmp_path / "a.png"))) as x:
        assert x.size == (9, 7)


def test_what_is_not_shown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (9, 7)).save("there.png")
    (tmp_path / "text.jpg").write_text("no image")
    os.mkfifo(tmp_path / "pipe.jpg")
    made = thumbnails.Thumbnails()
    for path in (
        *("there.png", "./there.png", "", "\0"),
        *(tmp_path, tmp_path / "text.jpg", tmp_path / "pipe.jpg"),
        *(tmp_path / "gone.jpg", "/dev/zero", "/etc/passwd", "/\0"),
    ):
        assert made.of(entry_of(path)) is None
    assert made.of(entry_of(tmp_path / "there.png")) is not None


def test_some_are_kept_until_the_file_changes(tmp_path, monkeypatch):
    read = []
    small_jpeg = thumbnails.small_jpeg
    monkeypatch.setattr(
        thumbnails,
        "small_jpeg",
        lambda path, *options: (
            read.append(os.path.basename(path)) or small_jpeg(path, *options)
        ),
    )
    made = thumbnails.Thumbnails(kept=2)
    for name in "abc":
        Image.new("RGB", (9, 7)).save(tmp_path / name, "PNG")
    for name in "abacab":
        made.of(entry_of(tmp_path / name))
    os.utime(tmp_path / "b", ns=(1, 1))
    made.of(entry_of(tmp_path / "b"))
    # "b" was asked for longest ago, and then changed.
    assert read == ["a", "b", "c", "b", "b"]


def test_a_twin_of_a_file_that_changed_is_shown_as_it_is(tmp_path):
    made = thumbnails.Thumbnails()
    names = ("changed.png", "twin.png")
    changed, twin = (entry_of(tmp_path / name, "same") for name in names)
    for name in names:
        Image.new("RGB", (9, 7), "red").save(tmp_path / name)
    before = made.of(changed)
    Image.new("RGB", (9, 7), "blue").save(tmp_path / "changed.png")
    after = made.of(changed)
    assert after != before and made.of(twin) == before
    # And where the twin was never asked for before.
    fresh = thumbnails.Thumbnails()
    assert fresh.of(changed) == after and fresh.of(twin) == before


def test_what_does_not_fit_into_memory_is_not_shown(tmp_path, monkeypatch):
    def too_large(*_, **__):
        raise MemoryError

    Image.new("RGB", (9, 7)).save(tmp_path / "a.png")
    monkeypatch.setattr(thumbnails, "small_jpeg", too_large)
    assert thumbnails.Thumbnails().of(entry_of(tmp_path / "a.png")) is None
