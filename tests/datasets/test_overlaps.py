from hypothesis import given
from hypothesis import strategies as st

from hashnet_tf.datasets import FileImages, RetrievalDataset
from hashnet_tf.datasets.check import shared_counts, shared_images

NAMES = st.lists(st.sampled_from("abcdefgh"), max_size=12)


@given(NAMES, NAMES)
def test_finds_each_image_of_the_other_part(one, other):
    images = [
        FileImages("root", names, [0] * len(names)) for names in (one, other)
    ]
    expected = [
        i for i, name in enumerate(one) if any(name == there for there in other)
    ]
    assert shared_images(*images) == expected


def test_two_names_of_one_file_are_one_image(tmp_path, write_image):
    write_image(tmp_path / "a.png", 3)
    (tmp_path / "b.png").symlink_to("a.png")
    one = FileImages(tmp_path, ["b.png", "c.png"], [0, 1])
    other = FileImages(tmp_path, ["d.png", "a.png"], [0, 1])
    assert shared_images(one, other) == [0]


def test_counts_what_each_pair_of_parts_shares():
    parts = {"train": "aab", "query": "acd", "database": "dcx"}
    parts = {
        part: FileImages("root", list(names), range(3))
        for part, names in parts.items()
    }
    dataset = RetrievalDataset("mine", "", **parts)
    assert shared_counts(dataset) == {"train-query": 2, "query-database": 2}
