"""Makes vectors like embeddings of texts, for the benchmarks of vectors.

Each is an offset that all have in common, the centre of its topic and noise
whose directions differ in strength, brought to unit length. The figures that
methods reach on them are told by `pairs.py` and `estimator.py`.
"""

import numpy as np

import hashnet_tf as hn

OFFSET, NOISE, FALL = 3.0, 2.25, 0.25
ASKING, AT = 1_000, 1_000


def topic_vectors(seed, count=20_000, width=384, topics=50):
    """Returns float32 `[count, width]` and the topic of each."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(topics, width))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    offset = rng.normal(size=width)
    offset *= OFFSET / np.linalg.norm(offset)
    strength = np.arange(1, width + 1) ** -FALL
    strength *= NOISE / np.linalg.norm(strength)
    turned, _ = np.linalg.qr(rng.normal(size=(width, width)))
    labels = rng.integers(0, topics, count)
    vectors = offset + centres[labels]
    vectors += (rng.normal(size=(count, width)) * strength) @ turned
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), labels


def measure(encode, vectors, labels):
    """Returns MAP of the first vectors, which ask, among all others."""
    codes = encode(vectors)
    return hn.retrieval.mean_average_precision(
        codes[:ASKING],
        codes[ASKING:],
        labels[:ASKING],
        labels[ASKING:],
        top_k=AT,
    )


def told(name, values, unit="MAP@1000"):
    """Prints the mean of the seeds and half of their range."""
    spread = (max(values) - min(values)) / 2
    print(
        f"RESULT {name}: {unit} {np.mean(values):.4f} +- {spread:.4f}"
        f" ({len(values)} seeds)",
        flush=True,
    )
