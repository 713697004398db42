import pytest
import tensorflow_datasets as tfds

from hashnet_tf.datasets.sources.tfds import how_to_prepare

SHARED = "Copy a prepared one to ~/tensorflow_datasets or where TFDS_DATA_DIR"


@pytest.mark.parametrize(
    "place, what, megabytes",
    [
        ("coco/2014", "It is: COCO is a large-scale object detection, ", None),
        ("mnist", "It is: MNIST. ", 11.594722),
        ("cifar10:3.0.2", "It is: CIFAR-10. ", 170.052171),
        ("imagenet2012", "It is: ILSVRC 2012, commonly known as 'Image", None),
        ("fashion_mnist", "It is: fashion_mnist ", None),
    ],
)
def test_says_what_it_takes(no_network, place, what, megabytes):
    text = how_to_prepare(place)
    assert text.startswith(what)
    name = place.split("/")[0].split(":")[0]
    urls = tfds.builder_cls(name).url_infos
    size = sum(info.size for info in urls.values()) / 1e6
    assert f"To download: {size:,.1f} MB from " in text
    assert megabytes is None or abs(size - megabytes) < 1
    assert all(url.split("/")[2] in text for url in urls)
    assert f"https://www.tensorflow.org/datasets/catalog/{name} names" in text
    assert SHARED in text
    assert f"tfds.builder('{place}').download_and_prepare()\"`, " in text
    assert ("all configs together" in text) == (name == "coco")


def test_says_what_to_place_by_hand(no_network):
    text = how_to_prepare("cityscapes")
    assert "leftImg8bit_trainvaltest.zip" in text
    assert "manual_dir is downloads/manual in the folder of prepared" in text
    # It has no list of checksums, so nothing says how large it is.
    assert "To download" not in text
    assert "manual_dir" not in how_to_prepare("mnist")


@pytest.mark.parametrize("place", ["no_such_set", "", "huggingface:mnist"])
def test_a_name_that_tfds_does_not_know(no_network, place):
    assert how_to_prepare(place).startswith(SHARED)


def test_a_builder_that_cannot_be_imported(no_network, monkeypatch):
    def fail(name):
        raise ImportError(name)

    monkeypatch.setattr(tfds, "builder_cls", fail)
    assert how_to_prepare("mnist").startswith(SHARED)


def test_a_builder_of_ones_own(no_network, monkeypatch):
    class Pets(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        """Cats and dogs. And a parrot."""

        VERSION = tfds.core.Version("1.0.0")
        MANUAL_DOWNLOAD_INSTRUCTIONS = "Place pets.zip there."
        url_infos = {}

        def _info(self):
            raise NotImplementedError

        _split_generators = _generate_examples = _info

    monkeypatch.setattr(tfds, "list_builders", lambda **_: ["pets"])
    monkeypatch.setattr(tfds, "builder_cls", lambda name: Pets)
    text = how_to_prepare("pets")
    assert text.startswith("It is: Cats and dogs. \nPlace pets.zip there.\n")
    # No page of its catalogue is of it.
    assert "tensorflow.org" not in text
    assert SHARED in text
