"""The names in the Kotlin sources are those of what Python writes."""

import json
import re

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

import hashnet_tf as hn
from hashnet_tf._framings import DECODER, FRAMINGS
from hashnet_tf.datasets.pixels.header import JPEG_RATIO, MAX_PIXELS
from hashnet_tf.export._litert_file import read_metadata
from hashnet_tf.export._metadata import NAME
from hashnet_tf.retrieval.codes import BIT_ORDER

CONSTANT = re.compile(r'const val (\w+) = "([^"]*)"')


def source_of(android, name):
    folder = android / "hashnet/src/main/kotlin/hashnet/android"
    return (folder / name).read_text(encoding="utf-8")


def constants(android, name):
    return dict(CONSTANT.findall(source_of(android, name)))


def number(android, file, name):
    text = source_of(android, file)
    return int(re.search(rf"const val {name} = (\d+)", text)[1])


@pytest.fixture(scope="module")
def runner(litert_files):
    interpreter = Interpreter(model_path=str(litert_files["12"]))
    (key,) = interpreter.get_signature_list()
    return key, interpreter.get_signature_runner(key)


def test_encoder(android, runner):
    key, runner = runner
    names = constants(android, "EncoderContract.kt")
    assert names["SIGNATURE"] == key
    images = runner.get_input_details()
    assert list(images) == [names["IMAGES"]]
    assert images["images"]["dtype"] == np.uint8
    assert images["images"]["shape_signature"].tolist() == [-1, 16, 20, 3]
    # A file of a dynamic batch stands ready for one image.
    assert images["images"]["shape"].tolist() == [1, 16, 20, 3]
    outputs = runner.get_output_details()
    assert {names["CODES"], names["SIGNS"]} <= set(outputs)
    assert outputs[names["CODES"]]["dtype"] == np.uint8
    assert outputs[names["CODES"]]["shape"].tolist() == [1, 2]
    assert outputs[names["SIGNS"]]["shape_signature"][-1] == 12


def test_what_a_file_tells(android, litert_files):
    names = constants(android, "EncoderDescription.kt")
    assert names.pop("ENTRY") == NAME
    assert names.pop("USUAL") in FRAMINGS
    told = read_metadata(litert_files["12"].read_bytes())
    assert set(names.values()) <= set(told)


def test_code_set(android, code_set_folder):
    folder = code_set_folder
    names = constants(android, "CodeIndex.kt")
    assert np.load(folder / names["CODES"]).shape == (70, 2)
    assert len(json.loads((folder / names["IDS"]).read_text())) == 70
    manifest = json.loads((folder / names["MANIFEST"]).read_text())
    assert manifest[names["BITS"]] == 12
    assert manifest[names["BIT_ORDER"]] == names["HIGHEST_FIRST"] == BIT_ORDER
    assert isinstance(manifest[names["MODEL_DIGEST"]], str)
    # The 70 images are pixels.
    assert manifest[names["DECODER"]] is None
    assert number(android, "CodeIndex.kt", "TURNS") == DECODER


def test_large_pictures_are_halved_alike(android):
    source = source_of(android, "DecodePicture.kt")
    assert "MAX_PIXELS = 1L shl 26\n" in source
    assert MAX_PIXELS == 1 << 26
    assert "inSampleSize = 2\n" in source
    assert JPEG_RATIO == 2


def test_every_name_is_known_to_these_tests(android):
    assert set(constants(android, "EncoderContract.kt")) == set(
        "SIGNATURE IMAGES CODES SIGNS".split()
    )
    assert set(constants(android, "CodeIndex.kt")) == set(
        "CODES IDS MANIFEST THUMBNAILS BITS BIT_ORDER MODEL_DIGEST"
        " HIGHEST_FIRST DECODER".split()
    )
    assert set(constants(android, "EncoderDescription.kt")) == set(
        "ENTRY FRAMING USUAL QUANTIZE MODEL_DIGEST".split()
    )


@pytest.mark.slow
def test_a_phone_and_a_server_give_the_same_bits(
    hamming, saved_models, litert_files, tmp_path
):
    rng = np.random.default_rng(0)
    photo = rng.integers(0, 256, (120, 90, 3), dtype=np.uint8)
    server = tf.saved_model.load(str(saved_models["48"]))
    encode = server.signatures["encode_images"]
    expected = encode(images=tf.constant(photo[None]))["codes"].numpy()
    framed = hamming.frame(tmp_path / "photo", photo, (16, 20))
    phone = hn.export.LiteRTEncoder(litert_files["48"])
    np.testing.assert_array_equal(phone.encode(framed[None]), expected)
