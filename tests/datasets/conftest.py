import importlib.util
import os
import pathlib

import numpy as np
import pytest
from PIL import Image

REPOSITORY = pathlib.Path(__file__).parents[2]
CLASSES = 3
PER_CLASS = 12


@pytest.fixture(scope="session")
def write_image():
    """Function that writes an image of one colour as its ending says."""

    def write(path, value, size=(6, 5)):
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.full((*size, 3), value, dtype=np.uint8)
        Image.fromarray(pixels).save(path)
        return path

    return write


@pytest.fixture(scope="session")
def values_of():
    """Function from a set of images to the first value of each, in order.

    It decodes them one by one: a stream of batches is traced for a second.
    """
    from hashnet_tf.datasets.pixels.decoding import decode_image

    def values_of(images):
        found = []
        for position, image in images.encoded():
            assert int(position) == len(found)
            image = decode_image(image) if image.dtype == "string" else image
            assert (image == image[:1, :1, :1]).numpy().all()
            found.append(int(image[0, 0, 0]))
        assert len(found) == len(images)
        return found

    return values_of


@pytest.fixture(scope="session")
def stand_ins():
    """Module that writes small data sets in the formats of the real ones."""
    path = pathlib.Path(__file__).with_name("stand_ins.py")
    spec = importlib.util.spec_from_file_location("stand_ins", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def folder_folder(sources):
    """Folder of 24 training and 12 test images of 3 classes."""
    return sources["folder of parts"][0].removeprefix("folder:")


@pytest.fixture(scope="session")
def ilsvrc_folder(stand_ins, tmp_path_factory):
    """Folder of 40 training and 15 validation images of 5 classes."""
    return stand_ins.write_ilsvrc(tmp_path_factory.mktemp("ilsvrc"), ".")


@pytest.fixture(scope="session")
def coco_folder(stand_ins, tmp_path_factory):
    """Folder of 20 training and 10 validation images, 6 without an object."""
    return stand_ins.write_coco(tmp_path_factory.mktemp("coco"))


@pytest.fixture(scope="session")
def nus_wide_folder(stand_ins, tmp_path_factory):
    """Folder of 37 of 40 listed images, some without a concept."""
    return stand_ins.write_nus_wide(tmp_path_factory.mktemp("nus_wide"))


@pytest.fixture(scope="session")
def mirflickr_folder(stand_ins, tmp_path_factory):
    """Folder of 40 images, 4 of them without a concept."""
    return stand_ins.write_mirflickr(tmp_path_factory.mktemp("mirflickr"))


@pytest.fixture(scope="session")
def idx_folder(stand_ins, tmp_path_factory):
    """Folder of 30 training and 12 test images of 3 classes."""
    return stand_ins.write_idx(tmp_path_factory.mktemp("idx"))


@pytest.fixture
def no_network(monkeypatch):
    """Makes every way of TFDS to the network fail the test."""
    import socket

    from tensorflow_datasets.core.utils import gcs_utils

    def fail(*arguments, **_):
        pytest.fail(f"the network was asked for: {arguments}")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    monkeypatch.setattr(socket.socket, "connect", fail)
    monkeypatch.setattr(gcs_utils, "_is_gcs_disabled", False)
    monkeypatch.setattr(gcs_utils, "exists", fail)


@pytest.fixture(scope="session")
def prepare_tfds(tmp_path_factory):
    """Function that defines a builder, prepares it and returns its name.

    It takes the name, the splits as a dict from their names to lists of
    `(value, label)`, and what else there is to a set. An image is 4 by 4
    pixels of one value; `label_name` is what the feature of the labels is
    called.
    """
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core import constants
    from tensorflow_datasets.core.registered import skip_registration

    folder = tmp_path_factory.mktemp("tensorflow_datasets")

    def prepare(
        name,
        splits,
        disable_shuffling=False,
        num_shards=None,
        image=None,
        label=None,
        label_name="label",
    ):
        features = {
            "image": image or tfds.features.Image(shape=(None, None, 3)),
            label_name: label
            or tfds.features.ClassLabel(names=["a", "b", "c"]),
        }

        def info(self):
            return tfds.core.DatasetInfo(
                builder=self,
                features=tfds.features.FeaturesDict(features),
                disable_shuffling=disable_shuffling,
            )

        def generate(self, rows):
            for i, (value, of_image) in enumerate(rows):
                if image is None:
                    value = np.full((4, 4, 3), value, dtype=np.uint8)
                yield i, {"image": value, label_name: of_image}

        body = {
            "VERSION": tfds.core.Version("1.0.0"),
            "_info": info,
            "_split_generators": lambda self, _: {
                split: self._generate_examples(rows)
                for split, rows in splits.items()
            },
            "_generate_examples": generate,
            "__module__": __name__,
        }
        title = name.title().replace("_", "")
        # It may bear the name of a set that TFDS has, for whoever reads it.
        with skip_registration():
            kind = type(title, (tfds.core.GeneratorBasedBuilder,), body)
        kind().download_and_prepare(
            download_config=tfds.download.DownloadConfig(
                try_download_gcs=False, num_shards=num_shards
            )
        )
        return name

    with pytest.MonkeyPatch.context() as patch:
        # What the machine's own folder holds must not count.
        patch.setattr(constants, "DATA_DIR", str(folder))
        yield prepare


@pytest.fixture(scope="session")
def sources(tmp_path_factory, write_image, prepare_tfds):
    """Dict from a source's kind to `(word, value_of)`.

    Each source holds 36 images of 3 classes. An image is of one value, 20
    times its class and something of its own; `value_of` maps its name to it.
    """
    folder = tmp_path_factory.mktemp("sources")
    items = [
        (20 * label + i, label)
        for i in range(PER_CLASS)
        for label in range(CLASSES)
    ]
    names = {}
    for value, label in items:
        names[f"c{label}/{value:02}.png"] = value
        write_image(folder / "classes" / f"c{label}" / f"{value:02}.png", value)
    parts = {}
    for value, label in items:
        part = "test" if value % 20 < 4 else "train"
        name = f"{part}/c{label}/{value:02}.jpg"
        parts[name] = value
        write_image(folder / "parts" / name, value)
    listed = {"train": items[15:33], "query": items[:9], "database": items[9:]}
    for part, rows in listed.items():
        lines = [
            f"c{label}/{value:02}.png "
            + " ".join(str(int(label == k)) for k in range(CLASSES))
            for value, label in rows
        ]
        text = "\n".join(lines)
        (folder / "classes" / f"{part}.txt").write_text(text, encoding="utf-8")
    values, labels = np.array(items).T
    images = values.astype(np.uint8)[:, None, None].repeat(4, 1).repeat(4, 2)
    np.savez(folder / "whole.npz", images=images, labels=labels)
    np.savez(
        folder / "parted.npz",
        x_train=images[:24, ..., None].repeat(3, axis=-1),
        y_train=labels[:24, None],
        x_test=images[24:, ..., None].repeat(3, axis=-1),
        y_test=labels[24:, None],
    )
    by_number = {str(i): value for i, (value, _) in enumerate(items)}
    prepare_tfds(
        "in_order",
        {"train": items[:24], "test": items[24:]},
        disable_shuffling=True,
        num_shards=3,
    )
    streamed = {f"train+test#{i}": value for i, (value, _) in enumerate(items)}
    return {
        "folder": (f"folder:{folder / 'classes'}", names),
        "folder of parts": (f"folder:{folder / 'parts'}", parts),
        "lists": (f"lists:{folder / 'classes'}", names),
        "npz": (f"npz:{folder / 'whole.npz'}", by_number),
        "npz of parts": (f"npz:{folder / 'parted.npz'}", by_number),
        "tfds": ("tfds:in_order", streamed),
    }


@pytest.fixture(scope="session")
def real_data():
    """Folder of the real data sets; skips where there is none."""
    default = REPOSITORY.parent / "shared" / "data"
    folder = pathlib.Path(os.environ.get("HASHNET_TF_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no real data: {folder} (HASHNET_TF_DATA) is not there")
    return folder
