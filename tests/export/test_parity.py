import keras
import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf.export import ParityError, ParityReport, parity


@pytest.fixture(scope="module")
def checks(saved_models, litert_files):
    """For each kind of artefact its check and its files."""
    return {
        "saved_model": (hn.export.check_saved_model, saved_models),
        "litert": (hn.export.check_litert, litert_files),
    }


KINDS = pytest.mark.parametrize("kind", ["saved_model", "litert"])


@KINDS
@pytest.mark.parametrize("name", ["12", "48", "zero"])
def test_an_artefact_gives_the_models_bits(kind, name, checks, models, images):
    check, paths = checks[kind]
    report = check(paths[name], models[name], images)
    assert report == ParityReport(
        artefact=str(paths[name]),
        bits_compared=len(images) * models[name].bits,
        bits_moved=0,
        largest_moved_z=0.0,
    )
    assert report.share == 0.0


@KINDS
def test_an_artefact_of_other_weights_is_found(kind, checks, models, images):
    check, paths = checks[kind]
    with pytest.raises(ParityError, match=r"12.* of 840 differ") as error:
        check(paths["12"], models["other"], images)
    assert str(paths["12"]) in str(error.value)


@KINDS
def test_an_artefact_of_another_length_is_found(kind, checks, models, images):
    check, paths = checks[kind]
    with pytest.raises(ParityError, match=r"\(70, 6\) rather than \(70, 2\)"):
        check(paths["48"], models["12"], images)


@KINDS
def test_a_bit_at_zero_may_move(kind, checks, models, images):
    check, paths = checks[kind]
    model = keras.models.clone_model(models["zero"])
    # Every z is 0 but those of bit 0, which set the scale, and of bit 1,
    # which is too close to 0 for its sign to be promised.
    kernel, bias = (np.zeros_like(w) for w in model.hash_layer.get_weights())
    bias[:2] = 1.0, -1e-5
    model.hash_layer.set_weights([kernel, bias])
    report = check(paths["zero"], model, images)
    assert report.bits_moved == len(images)
    assert report.share == pytest.approx(1 / 12)
    assert report.largest_moved_z == pytest.approx(1e-5)
    bias[1] = -1e-3
    model.hash_layer.set_weights([kernel, bias])
    with pytest.raises(ParityError, match="70 of 840"):
        check(paths["zero"], model, images)


@pytest.mark.parametrize("quantize", ["float16", "int8"])
def test_of_a_quantized_file_the_bits_are_only_counted(
    quantize, quantized_files, models, images
):
    path = quantized_files[quantize]
    assert hn.export.check_litert(path, models["12"], images).share < 0.02
    report = hn.export.check_litert(path, models["other"], images)
    assert report.share > 0.1
    assert report.largest_moved_z > 0


@KINDS
@pytest.mark.parametrize(
    "wrong, message",
    [
        (np.zeros((0, 16, 20, 3), np.uint8), r"shape=\(0, 16, 20, 3\)"),
        (np.zeros((2, 20, 20, 3), np.uint8), r"shape=\(2, 20, 20, 3\)"),
        (np.zeros((2, 16, 20, 3), int), "dtype=int64"),
    ],
)
def test_refuses_other_images(kind, wrong, message, checks, models):
    check, paths = checks[kind]
    with pytest.raises(ValueError, match=message):
        check(paths["12"], models["12"], wrong)


@KINDS
def test_refuses_a_model_of_nan(kind, checks, models, images):
    check, paths = checks[kind]
    model = keras.models.clone_model(models["zero"])
    kernel, bias = model.hash_layer.get_weights()
    model.hash_layer.set_weights([np.full_like(kernel, np.nan), bias])
    with pytest.raises(ValueError, match="NaN for 70 of 70 inputs"):
        check(paths["zero"], model, images)


class Disturbed(hn.export.LiteRTEncoder):
    """An encoder one of whose outputs is wrong."""

    change = None

    def run(self, images):
        outputs = super().run(images)
        # The file gives none.
        outputs["z"] = np.where(outputs["signs"] > 0, 1e-3, -1e-3)
        self.change(outputs)
        return outputs


def turn_signs(outputs):
    outputs["signs"] = -outputs["signs"]


def make_a_sign_zero(outputs):
    outputs["signs"][0, 0] = 0


def turn_a_z(outputs):
    outputs["z"][0, 1] *= -1


def make_a_z_infinite(outputs):
    outputs["z"][0, 1] *= np.inf


def turn_subnormal_zs(outputs):
    outputs["z"] *= -1e-37


@pytest.mark.parametrize(
    "change, agrees",
    [
        (turn_signs, False),
        (make_a_sign_zero, False),
        (turn_a_z, False),
        (make_a_z_infinite, False),
        (turn_subnormal_zs, True),
        (lambda outputs: None, True),
    ],
)
def test_outputs_that_disagree_are_found(
    change, agrees, litert_files, models, images, monkeypatch
):
    monkeypatch.setattr(parity, "LiteRTEncoder", Disturbed)
    monkeypatch.setattr(Disturbed, "change", staticmethod(change))
    path = litert_files["12"]
    if agrees:
        report = hn.export.check_litert(path, models["12"], images)
        assert report.bits_moved == 0
    else:
        with pytest.raises(ParityError, match="codes, signs and z that disag"):
            hn.export.check_litert(path, models["12"], images)
