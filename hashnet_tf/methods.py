"""Every method by name: HashNet, its variants, its rivals.

The one list of them. The choices and the help of `hashnet train --method`, the
loss and the network of a training, the systems of the tables and the tests all
read it. A method of one's own is one file and one line here.

It imports no Keras, so that the help of a command need not wait for it.
"""

import collections.abc

from hashnet_tf._method import HASHNET_SETTINGS as HASHNET_SETTINGS
from hashnet_tf._method import LIKELIHOODS as LIKELIHOODS
from hashnet_tf._method import RIVAL_SETTINGS as RIVAL_SETTINGS
from hashnet_tf._method import SIMILARITIES as SIMILARITIES
from hashnet_tf._method import USUAL as USUAL
from hashnet_tf._method import Method, Tried


def _deep(
    name: str,
    title: str,
    reference: str,
    learner: str,
    network: str | None = None,
    layers: tuple[str, ...] = (),
    takes: tuple[str, ...] = (),
    tries: tuple[Tried, ...] = ({},),
) -> Method:
    """Returns a rival that is trained at a beta of 1."""
    fixes = {"beta": 1.0}
    return Method(
        name,
        title,
        reference,
        "deep",
        learner,
        network,
        fixes,
        layers=layers,
        takes=takes,
        tries=tries,
    )


def _each(setting: str, *values: float) -> tuple[Tried, ...]:
    return tuple({setting: value} for value in values)


_HASHNET = "Cao et al., Deep Learning to Hash by Continuation, ICCV 2017"
_PAIRWISE = "hashnet_tf.losses:WeightedPairwiseLoss"
_BETAS = _each("beta", 1.0, 3.0, 10.0)
# Where the loss itself leaves nothing to choose.
_DROPOUTS = _each("dropout", 0.3, 0.5, 0.7)
_LOGITS = "hashnet_tf.models:LogitsModel"
_CLASSIFIED = "hashnet_tf.models:ClassifiedModel"

METHODS: dict[str, Method] = {
    method.name: method
    for method in [
        Method(
            "hashnet", "HashNet", _HASHNET, "hashnet", _PAIRWISE, tries=_BETAS
        ),
        Method(
            "hashnet-r",
            "HashNet-R",
            "HashNet of Cao et al., ICCV 2017, with even odds of being similar"
            " at a radius; this package, 2026",
            "hashnet",
            _PAIRWISE,
            fixes={"likelihood": "radius"},
            # On given features a beta that rises gains nothing by it.
            tries=tuple(
                {"radius": radius, "beta": 1.0} for radius in (6.0, 8.0, 10.0)
            ),
        ),
        Method(
            "hashnet+c",
            "HashNet+C",
            _HASHNET,
            "hashnet",
            _PAIRWISE,
            fixes={"similarity": "jaccard"},
            tries=_BETAS,
        ),
        Method(
            "hashnet-w",
            "HashNet-W",
            _HASHNET,
            "hashnet",
            _PAIRWISE,
            fixes={"class_weights": "none"},
            tries=_BETAS,
        ),
        Method(
            "hashnet-sgn",
            "HashNet-sgn",
            _HASHNET,
            "hashnet",
            _PAIRWISE,
            fixes={"beta": 1.0},
            tries=_DROPOUTS,
        ),
        _deep(
            "dhn",
            "DHN",
            "Zhu et al., Deep Hashing Network for Efficient Similarity"
            " Retrieval, AAAI 2016",
            "hashnet_tf.losses:DHNLoss",
            takes=("quantization",),
            tries=_each("quantization", 1.0, 10.0, 100.0),
        ),
        _deep(
            "dnnh",
            "DNNH",
            "Lai et al., Simultaneous Feature Learning and Hash Coding with"
            " Deep Neural Networks, CVPR 2015",
            "hashnet_tf.losses:DNNHLoss",
            takes=("margin",),
            tries=_each("margin", 1.0, 2.0, 4.0),
        ),
        _deep(
            "cnnh",
            "CNNH",
            "Xia et al., Supervised Hashing for Image Retrieval via Image"
            " Representation Learning, AAAI 2014",
            "hashnet_tf.losses:CNNHLoss",
            tries=_DROPOUTS,
        ),
        _deep(
            "dpsh",
            "DPSH",
            "Li et al., Feature Learning based Deep Supervised Hashing with"
            " Pairwise Labels, IJCAI 2016",
            "hashnet_tf.losses:DPSHLoss",
            _LOGITS,
            takes=("quantization",),
            tries=_each("quantization", 1.0, 10.0, 100.0),
        ),
        _deep(
            "dch",
            "DCH",
            "Cao et al., Deep Cauchy Hashing for Hamming Space Retrieval, CVPR"
            " 2018",
            "hashnet_tf.losses:DCHLoss",
            takes=("gamma", "quantization"),
            tries=_each("gamma", 5.0, 10.0, 20.0),
        ),
        _deep(
            "greedyhash",
            "GreedyHash",
            "Su et al., Greedy Hash: Towards Fast Optimization for Accurate"
            " Hash Coding in CNN, NeurIPS 2018",
            "hashnet_tf.losses:GreedyHashLoss",
            _CLASSIFIED,
            layers=("classifier",),
            takes=("quantization",),
            tries=_each("quantization", 1.0, 10.0, 100.0),
        ),
        _deep(
            "csq",
            "CSQ",
            "Yuan et al., Central Similarity Quantization for Efficient Image"
            " and Video Retrieval, CVPR 2020",
            "hashnet_tf.losses:CSQLoss",
            _LOGITS,
            takes=("quantization",),
            tries=_each("quantization", 0.5, 5.0, 50.0),
        ),
        _deep(
            "orthohash",
            "OrthoHash",
            "Hoe et al., One Loss for All: Deep Hashing with a Single Cosine"
            " Similarity based Learning Objective, NeurIPS 2021",
            "hashnet_tf.losses:OrthoHashLoss",
            _LOGITS,
            takes=("margin",),
            tries=_each("margin", 0.4, 0.8, 1.6),
        ),
        Method(
            "sdh",
            "SDH",
            "Shen et al., Supervised Discrete Hashing, CVPR 2015",
            "supervised",
            "hashnet_tf.shallow:SDH",
        ),
        Method(
            "ksh",
            "KSH",
            "Liu et al., Supervised Hashing with Kernels, CVPR 2012",
            "supervised",
            "hashnet_tf.shallow:KSH",
        ),
        Method(
            "itq-cca",
            "ITQ-CCA",
            "Gong et al., Iterative Quantization: A Procrustean Approach to"
            " Learning Binary Codes for Large-Scale Image Retrieval, TPAMI"
            " 2013",
            "supervised",
            "hashnet_tf.shallow:ITQCCA",
        ),
        Method(
            "itq",
            "ITQ",
            "Gong and Lazebnik, Iterative Quantization: A Procrustean Approach"
            " to Learning Binary Codes, CVPR 2011",
            "unsupervised",
            "hashnet_tf.shallow:ITQ",
            is_map=True,
        ),
        Method(
            "pca",
            "PCA",
            "Gong and Lazebnik, Iterative Quantization: A Procrustean Approach"
            " to Learning Binary Codes (its PCA-direct), CVPR 2011",
            "unsupervised",
            "hashnet_tf.shallow:PCAHash",
            is_map=True,
        ),
        Method(
            "bre",
            "BRE",
            "Kulis and Darrell, Learning to Hash with Binary Reconstructive"
            " Embeddings, NIPS 2009",
            "supervised",
            "hashnet_tf.shallow:BRE",
        ),
        Method(
            "sh",
            "SH",
            "Weiss et al., Spectral Hashing, NIPS 2008",
            "unsupervised",
            "hashnet_tf.shallow:SpectralHashing",
        ),
        Method(
            "lsh",
            "LSH",
            "Charikar, Similarity Estimation Techniques from Rounding"
            " Algorithms, STOC 2002",
            "unsupervised",
            "hashnet_tf.shallow:LSH",
            is_map=True,
        ),
        Method(
            "floats",
            "Floats",
            "Babenko et al., Neural Codes for Image Retrieval, ECCV 2014",
            "vectors",
            "hashnet_tf.shallow:FloatRanking",
        ),
        Method(
            "sign",
            "Sign",
            "Agrawal et al., Analyzing the Performance of Multilayer Neural"
            " Networks for Object Recognition, ECCV 2014",
            "vectors",
            "hashnet_tf.shallow:SignRanking",
            is_map=True,
        ),
        Method(
            "pq",
            "PQ",
            "Jegou et al., Product Quantization for Nearest Neighbor Search,"
            " TPAMI 2011",
            "vectors",
            "hashnet_tf.shallow:PQRanking",
        ),
        Method(
            "rabitq",
            "RaBitQ",
            "Gao and Long, RaBitQ: Quantizing High-Dimensional Vectors with a"
            " Theoretical Error Bound for Approximate Nearest Neighbor Search,"
            " SIGMOD 2024",
            "vectors",
            "hashnet_tf.shallow:RaBitQRanking",
        ),
    ]
}


class _Names(collections.abc.Collection[str]):
    """The names of some of the methods, as `METHODS` holds them when asked."""

    def __init__(self, chosen: collections.abc.Callable[[Method], bool]):
        self._chosen = chosen

    def __contains__(self, name: object) -> bool:
        return any(name == known for known in self)

    def __iter__(self) -> collections.abc.Iterator[str]:
        return (
            name for name, method in METHODS.items() if self._chosen(method)
        )

    def __len__(self) -> int:
        return sum(1 for _ in self)


# What trains a network by a loss.
DEEP_METHODS: collections.abc.Collection[str] = _Names(lambda m: m.is_deep)
# What fits a hash layer without labels.
MAP_METHODS: collections.abc.Collection[str] = _Names(lambda m: m.is_map)
# What `hashnet train` can train.
TRAINED_METHODS: collections.abc.Collection[str] = _Names(
    lambda m: m.is_deep or m.is_map
)
