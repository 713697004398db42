"""NUS-WIDE for TensorFlow Datasets: TFDS wants this name of the module."""

import numpy as np
import tensorflow_datasets as tfds
from absl import logging

from hashnet_tf.datasets.layouts.nus_wide import CONCEPTS, read_nus_wide

_DESCRIPTION = """
NUS-WIDE is 269,648 images of Flickr, each with or without every one of 81
concepts. Images that are no longer there are left out.
"""

_CITATION = """
@inproceedings{chua2009nuswide,
  author = {Tat-Seng Chua and Jinhui Tang and Richang Hong and Haojie Li and
            Zhiping Luo and Yan-Tao Zheng},
  title = {{NUS-WIDE}: A Real-World Web Image Database from {National
           University of Singapore}},
  booktitle = {ACM International Conference on Image and Video Retrieval},
  year = {2009},
}
"""

_HOMEPAGE = (
    "https://lms.comp.nus.edu.sg/wp-content/uploads/2019/research/nuswide/"
    "NUS-WIDE.html"
)


class Builder(tfds.core.GeneratorBasedBuilder):
    """NUS-WIDE in one split "train", in the order of its list of images.

    `python -c "import tensorflow_datasets as tfds;
    from hashnet_tf.datasets.nus_wide import Builder;
    Builder().download_and_prepare(
    download_config=tfds.download.DownloadConfig(manual_dir='DIR'))"`
    prepares what `read_nus_wide` reads of DIR; "tfds:nus_wide" is it then.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "The original release."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"""
    Nothing is downloaded. Get the lists and, on request and with its Agreement
    and Disclaimer Form, the images from
    {_HOMEPAGE},
    where the licence is to be looked up too, and place them as
      manual_dir/ConceptsList/Concepts81.txt
      manual_dir/ImageList/Imagelist.txt
      manual_dir/Groundtruth/AllLabels/Labels_airport.txt and 80 others
      manual_dir/Flickr/actor/0001_2124494179.jpg and so on
    """

    def _info(self):
        label = tfds.features.ClassLabel(num_classes=CONCEPTS)
        return tfds.core.DatasetInfo(
            builder=self,
            description=_DESCRIPTION,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(encoding_format="jpeg"),
                    "image/filename": tfds.features.Text(),
                    "labels": tfds.features.Sequence(label),
                }
            ),
            homepage=_HOMEPAGE,
            citation=_CITATION,
            license=f"See {_HOMEPAGE}",
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager):
        pool = read_nus_wide(str(dl_manager.manual_dir))
        for note in pool.notes:
            logging.warning("nus_wide: %s", note)
        self.info.features["labels"].feature.names = pool.class_names
        return {"train": self._generate_examples(pool.images)}

    def _generate_examples(self, images):
        for i, (name, row) in enumerate(
            zip(images.names, images.labels, strict=True)
        ):
            yield (
                i,
                {
                    "image": str(images.root / name),
                    "image/filename": name,
                    "labels": np.flatnonzero(row),
                },
            )
