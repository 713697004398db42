import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

HERE = pathlib.Path(__file__)
LONG = b"longer than what a string holds in place, \0 and \xff within"


class Mirror(tf.Module):
    """A signature for each dtype, which gives back what it takes."""

    DTYPES = [
        tf.float32,
        tf.float64,
        tf.int32,
        tf.int64,
        tf.int8,
        tf.uint8,
        tf.bool,
        tf.string,
    ]

    def signatures(self):
        return {dtype.name: self.signature(dtype) for dtype in self.DTYPES}

    @staticmethod
    def signature(dtype):
        spec = tf.TensorSpec(None, dtype, name="x")

        @tf.function(input_signature=[spec])
        def mirror(x):
            return {"y": tf.identity(x), "shape": tf.shape(x)}

        return mirror


def mirrored_inputs():
    inputs = {
        f"{dtype.name}/{shape}": np.arange(-3, 3)
        .astype(dtype.as_numpy_dtype)[: int(np.prod(shape))]
        .reshape(shape)
        for dtype in Mirror.DTYPES[:-1]
        for shape in [(), (6,), (2, 3), (0, 3)]
    }
    inputs["string/many"] = np.array([b"", b"a", LONG, b"b" * 22, b"c" * 23])
    inputs["string/one"] = np.array([LONG])
    inputs["string/none"] = np.array([], "S1")
    return inputs


def refused_inputs(images):
    return {
        "serving_default/size": images[:, :, :16],
        "serving_default/channels": images[..., :1],
        "serving_default/rank": images[0],
        "serving_default/dtype": images.astype(np.float32),
        "embed/size": images[:, :, :16],
        "embed/dtype": images.astype(np.int32),
        "encode_images/dtype": images.astype(np.float64),
        "encode_bytes/dtype": images,
    }


@pytest.fixture(scope="module")
def outputs(saved_models, images, tmp_path_factory):
    """What `Mirror` and an encoder gave, in one process."""
    folder = tmp_path_factory.mktemp("c_session")
    module = Mirror()
    mirror = str(folder / "mirror")
    tf.saved_model.save(module, mirror, signatures=module.signatures())
    inputs = {**mirrored_inputs(), **refused_inputs(images)}
    np.savez(folder / "inputs.npz", **inputs)
    command = [
        sys.executable,
        HERE.with_name("run_c_session.py"),
        folder / "inputs.npz",
        folder / "outputs.npz",
        mirror,
        saved_models["12"],
    ]
    subprocess.run([*map(str, command)], check=True, cwd=folder)
    with np.load(folder / "outputs.npz") as outputs:
        return {
            key.partition("/in_c_session/")[2]: outputs[key] for key in outputs
        }


@pytest.mark.parametrize("dtype", Mirror.DTYPES[:-1])
@pytest.mark.parametrize("shape", [(), (6,), (2, 3), (0, 3)])
def test_arrays_go_in_and_come_out(dtype, shape, outputs):
    inputs = mirrored_inputs()
    key = f"{dtype.name}/{shape}"
    assert outputs[f"{key}/shape"].tolist() == list(shape)
    assert outputs[f"{key}/y"].dtype == inputs[key].dtype
    np.testing.assert_array_equal(outputs[f"{key}/y"], inputs[key])


@pytest.mark.parametrize("key", ["string/many", "string/one", "string/none"])
def test_strings_go_in_and_come_out(key, outputs):
    inputs = mirrored_inputs()
    lengths = outputs[f"{key}/y_lengths"]
    assert lengths.tolist() == [len(value) for value in inputs[key]]
    assert outputs[f"{key}/y"].tobytes() == b"".join(inputs[key])


@pytest.mark.parametrize(
    "key, message",
    [
        ("serving_default/size", "[?,16,20,3]"),
        ("serving_default/channels", "[?,16,20,3]"),
        ("serving_default/rank", "[?,16,20,3]"),
        ("serving_default/dtype", "to be uint8 but float is provided"),
        ("embed/size", "[?,16,20,3]"),
        ("embed/dtype", "to be uint8 but int32 is provided"),
        ("encode_images/dtype", "to be uint8 but double is provided"),
        ("encode_bytes/dtype", "to be string but uint8 is provided"),
    ],
)
def test_what_is_wrong_is_refused_with_what_is_wanted(key, message, outputs):
    assert message in str(outputs[f"{key}/error"])
    assert [name for name in outputs if name.startswith(key)] == [
        f"{key}/error"
    ]
