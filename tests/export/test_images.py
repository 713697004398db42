import numpy as np
import pytest
from PIL import Image

import hashnet_tf as hn
from hashnet_tf.datasets.pixels.framing import frame_image
from hashnet_tf.export.images import check_images, image_batches, some_images


@pytest.mark.parametrize(
    "n, expected", [(0, []), (32, [32]), (70, [32, 32, 6])]
)
def test_batches_of_arrays_lose_nothing(n, expected, images):
    batches = list(image_batches(images[:n]))
    assert [len(batch) for batch in batches] == expected
    if batches:
        np.testing.assert_array_equal(np.concatenate(batches), images[:n])


def test_some_images_are_the_first_or_the_same_noise(images):
    np.testing.assert_array_equal(some_images((16, 20), images), images[:8])
    noise = some_images((16, 20))
    assert check_images(noise, (16, 20)) is noise and noise.std() > 50
    np.testing.assert_array_equal(noise, some_images((16, 20)))


@pytest.fixture
def paths(images, tmp_path):
    """40 files, of the trained size and larger, out of their order by name."""
    made = []
    for i, pixels in enumerate(images[:40]):
        image = Image.fromarray(pixels)
        if i % 3 == 0:
            image = image.resize((50, 30))
        # The order of the names is not that of the list.
        made.append(tmp_path / f"{i * 7 % 40}.png")
        image.save(made[-1])
    return made


def as_at_test(paths, size, framing):
    """The pixels of one file after another."""
    return np.stack(
        [
            frame_image(np.asarray(Image.open(path)), size, framing)
            for path in paths
        ]
    )


def test_files_are_framed_as_at_test(paths):
    # What each framing does to a stream is shown in datasets/test_batches.py.
    size, framing = (16, 20), "modern"
    batches = list(hn.datasets.file_batches(map(str, paths), size, framing))
    assert [len(batch) for batch in batches] == [32, 8]
    expected = as_at_test(paths, size, framing)
    np.testing.assert_array_equal(np.concatenate(batches), expected)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["litert", "saved_model", "trained"])
def test_encoders_encode_files(
    kind, paths, models, trained_model, litert_files, saved_models,
    trained_saved_model,
):  # fmt: skip
    path, model = {
        "litert": (litert_files["48"], models["48"]),
        "saved_model": (saved_models["12"], models["12"]),
        # Of framing "modern".
        "trained": (trained_saved_model, trained_model),
    }[kind]
    encoder = hn.export.load_encoder(path)
    codes = encoder.encode_files(paths)
    expected = model.encode(as_at_test(paths, (16, 20), model.framing))
    assert codes.dtype == np.uint8
    np.testing.assert_array_equal(codes, expected)
    assert encoder.encode_files([]).shape == (0, codes.shape[1])


def test_a_file_that_is_no_image_is_named(paths):
    paths[35].write_bytes(b"no image")
    batches = hn.datasets.file_batches(paths, (16, 20), "whole")
    told = rf"Received: {paths[35]} \(not an image\)$"
    with pytest.raises(ValueError, match=told):
        list(batches)


def test_refuses_what_is_no_list_of_files(paths, tmp_path):
    for path in (paths[0], str(paths[0])):
        with pytest.raises(ValueError, match="must be a list of paths"):
            list(hn.datasets.file_batches(path, (16, 20), "whole"))
    missing = [tmp_path / "a.png", tmp_path / "b.png"]
    with pytest.raises(
        FileNotFoundError, match="2 that are not, first .*a.png"
    ):
        list(hn.datasets.file_batches([*paths, *missing], (16, 20), "whole"))
