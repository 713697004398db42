import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

from hashnet_tf.export.litert_conversion import with_robust_ranges

KERNEL = np.diag([1.0, -2.0]).astype("float32")


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory):
    """x to x K, calibrated on zeros, before it is quantised."""
    module = tf.Module()
    module.kernel = tf.constant(KERNEL)

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32)])
    def times_kernel(x):
        return {"y": tf.matmul(x, module.kernel)}

    module.times_kernel = times_kernel
    folder = str(tmp_path_factory.mktemp("calibrated"))
    tf.saved_model.save(module, folder, {"serving_default": times_kernel})
    converter = tf.lite.TFLiteConverter.from_saved_model(folder)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: [[np.zeros((1, 2), "float32")]]
    with pytest.warns(UserWarning, match="tf.lite.Interpreter is deprecated"):
        return tf.lite.experimental.QuantizationDebugger(
            converter=converter
        ).calibrated_model


def ranges(content):
    """Returns the (least, largest) of x and of y."""
    graph = schema.Model.GetRootAs(content, 0).Subgraphs(0)
    found = []
    for i in (graph.Inputs(0), graph.Outputs(0)):
        told = graph.Tensors(i).Quantization()
        found.append((told.Min(0), told.Max(0)))
    return found


@pytest.mark.parametrize("batch_size", [1, 4])
def test_leaves_outliers_out(batch_size, calibrated):
    x = np.random.default_rng(0).uniform(-1, 1, (200, 2)).astype("float32")
    x[17] = 1000.0
    y = x @ KERNEL
    content = with_robust_ranges(calibrated, {"x": x}, batch_size)
    for values, (low, high) in zip((x, y), ranges(content), strict=True):
        lowest, highest = np.sort(values.min(1)), np.sort(values.max(1))
        # By hand, the 2nd and 98th percentile of 200: .02 * 199 = 3.98.
        assert low == pytest.approx(
            0.02 * lowest[3] + 0.98 * lowest[4], rel=1e-4
        )
        assert high == pytest.approx(
            0.02 * highest[196] + 0.98 * highest[195], rel=1e-4
        )


def test_zero_is_within_every_range(calibrated):
    x = np.random.default_rng(1).uniform(5, 9, (100, 2)).astype("float32")
    (low, high), (y_low, y_high) = ranges(
        with_robust_ranges(calibrated, {"x": x})
    )
    assert low == 0.0 and high > 8.0
    assert y_low < -16.0 and 5.0 < y_high < 9.0


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_refuses_what_is_not_finite(wrong, calibrated):
    x = np.zeros((8, 2), "float32")
    x[3, 1] = wrong
    with pytest.raises(ValueError, match="finite activations"):
        with_robust_ranges(calibrated, {"x": x})
