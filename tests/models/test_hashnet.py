import keras
import numpy as np
import pytest
import tensorflow as tf

import hashnet_tf as hn


def logits(model, inputs):
    """z as the compiled network gives it, whose rounding `encode` shares."""
    (outputs,) = model.backbone.outputs
    whole = keras.Model(model.backbone.inputs, model.hash_layer(outputs))
    return whole.predict_on_batch(inputs)


@pytest.mark.parametrize("bits", [1, 12, 48])
def test_encode_packs_the_signs_of_the_logits(bits, hashnet, images):
    model = hashnet(bits)
    z = logits(model, images)
    np.testing.assert_allclose(
        model.logits(images, training=False), z, atol=1e-4
    )
    codes = model.encode(images)
    assert codes.dtype == np.uint8
    assert codes.shape == (21, -(-bits // 8))
    np.testing.assert_array_equal(codes, np.packbits(z >= 0, axis=1))
    assert 0.3 < np.mean(z >= 0) < 0.7
    # Of z = 0 the bit is 1.
    for weight in model.hash_layer.weights:
        weight.assign(keras.ops.zeros_like(weight))
    expected = np.packbits(np.ones((21, bits), bool), axis=1)
    np.testing.assert_array_equal(model.encode(images), expected)


def test_encode_in_batches_equals_one_batch(hashnet, images):
    model = hashnet()
    expected = np.packbits(logits(model, images) >= 0, axis=1)
    for batch_size in (1, 2, 20, 21, 22, 1000):
        codes = model.encode(images, batch_size=batch_size)
        np.testing.assert_array_equal(codes, expected, f"{batch_size}")


def test_encode_takes_what_gives_batches(hashnet, images):
    model = hashnet()
    expected = model.encode(images)
    data = tf.data.Dataset.from_tensor_slices(images)
    for inputs in (
        data.batch(4),
        # Batches of several sizes, one of them empty.
        [images[:3], images[3:3], images[3:10], images[10:]],
        (batch for batch in np.split(images, 3)),
        tf.constant(images),
        images.astype("float64"),
    ):
        np.testing.assert_array_equal(model.encode(inputs), expected)


def test_encode_of_nothing(hashnet, images):
    model = hashnet()
    nothing = tf.data.Dataset.from_tensor_slices(images[:0]).batch(4)
    for inputs in (images[:0], nothing, []):
        codes = model.encode(inputs)
        assert codes.shape == (0, 2) and codes.dtype == np.uint8


def test_encode_sees_new_weights(hashnet, images):
    model = hashnet()
    before = model.encode(images)
    model.compile(
        keras.optimizers.Adam(0.1),
        hn.losses.WeightedPairwiseLoss(),
        run_eagerly=True,
    )
    model.fit(images, np.arange(21) % 3, epochs=3, verbose=0)
    # What is encoded with is compiled.
    model.run_eagerly = False
    after = model.encode(images)
    assert (before != after).any()
    z = logits(model, images)
    np.testing.assert_array_equal(after, np.packbits(z >= 0, axis=1))
    model.hash_layer.kernel.assign(-model.hash_layer.kernel)
    model.hash_layer.bias.assign(-model.hash_layer.bias)
    assert (z != 0).all()
    np.testing.assert_array_equal(
        model.encode(images), np.packbits(z < 0, axis=1)
    )


@pytest.mark.parametrize(
    "shape", [(2, 11, 12, 3), (2, 12, 12, 1), (12, 12, 3), (2, 12)]
)
def test_encode_refuses_another_shape(shape, hashnet, images):
    model = hashnet()
    message = r"\[n, 12, 12, 3\], .* Received: inputs.shape="
    for _ in range(2):
        with pytest.raises(ValueError, match=message):
            model.encode(np.zeros(shape, "uint8"))
        model.encode(images[:3])


def test_encode_gives_no_code_for_what_is_no_number(hashnet, images):
    model = hashnet()
    broken = images.astype("float32")
    broken[[3, 17]] = np.nan
    with pytest.raises(ValueError, match="NaN for 2 of 21 inputs"):
        model.encode(broken)
    model.hash_layer.kernel.assign(model.hash_layer.kernel * np.nan)
    with pytest.raises(ValueError, match="NaN for 21 of 21 inputs"):
        model.encode(images)


def test_encode_does_not_depend_on_beta(hashnet, images):
    model = hashnet(48)
    expected = model.encode(images)
    for beta in (1e-3, 7.07, 1e6):
        model.scaled_tanh.beta.assign(beta)
        np.testing.assert_array_equal(model.encode(images), expected)


def test_encode_and_predict_leave_the_model_as_it_is(hashnet, images, tmp_path):
    model = hashnet()
    sizes = []
    for name in ("before.weights.h5", "after.weights.h5"):
        weights = [weight.path for weight in model.weights]
        model.save_weights(tmp_path / name)
        sizes.append((tmp_path / name).stat().st_size)
        model.encode(images)
        model.predict(images, verbose=0)
        model.load_weights(tmp_path / name)
    # An encoder kept as a layer would be saved a second time.
    assert sizes[0] == sizes[1]
    assert [weight.path for weight in model.weights] == weights


def test_calls_give_the_scaled_tanh_of_the_logits(hashnet, images):
    model = hashnet()
    model.scaled_tanh.beta.assign(3.0)
    z = np.asarray(model.logits(images, training=False), "float64")
    expected = np.tanh(3.0 * z)
    assert expected.std() > 0.1
    np.testing.assert_allclose(model(images), expected, atol=1e-5)
    np.testing.assert_allclose(
        model.predict(images, verbose=0), expected, atol=1e-5
    )
    assert model.compute_output_shape((None, 12, 12, 3)) == (None, 12)


def test_the_hash_layer_begins_as_the_paper_has_it():
    features = keras.Input((400,))
    keras.utils.set_random_seed(0)
    model = hn.HashNet(keras.Model(features, features), bits=64)
    kernel, bias = model.hash_layer.get_weights()
    assert kernel.shape == (400, 64)
    # Five standard errors of the mean and of the deviation.
    assert abs(kernel.mean()) < 5 * 0.01 / kernel.size**0.5
    assert abs(kernel.std() / 0.01 - 1) < 5 / (2 * kernel.size) ** 0.5
    assert (bias == 0).all()
    assert model.bits == 64


def functional():
    inputs = keras.Input((12, 12, 3))
    return keras.Model(inputs, keras.layers.Flatten()(inputs))


def sequential():
    return keras.Sequential(
        [keras.Input((12, 12, 3)), keras.layers.Flatten()], name="layers"
    )


def nested():
    inputs = keras.Input((12, 12, 3))
    x = sequential()(keras.layers.BatchNormalization()(inputs))
    return keras.Sequential(
        [
            keras.Model(inputs, x, name="inner"),
            keras.layers.Dense(9, activation="relu"),
        ],
        name="outer",
    )


@pytest.mark.parametrize("make", [functional, sequential, nested])
def test_backbones_of_each_kind(make, hashnet, images, tmp_path):
    model = hashnet(20, make())
    expected = np.packbits(logits(model, images) >= 0, axis=1)
    np.testing.assert_array_equal(model.encode(images), expected)
    path = tmp_path / "model.keras"
    model.save(path)
    loaded = keras.saving.load_model(path)
    np.testing.assert_array_equal(loaded.encode(images), expected)
    before = loaded.get_weights()
    loaded.compile("adam", hn.losses.WeightedPairwiseLoss(), run_eagerly=True)
    loaded.fit(images, np.arange(21) % 2, verbose=0)
    for old, weight in zip(before, loaded.weights, strict=True):
        if weight.trainable:
            assert (old != weight.numpy()).any(), weight.path


@pytest.mark.parametrize("bits", [7, 48])
def test_config_round_trip(bits, hashnet, images):
    model = hashnet(bits, name="mine")
    # Keras empties the configuration of a functional model that it reads.
    twin = hn.HashNet.from_config(model.get_config())
    assert twin.get_config() == model.get_config()
    assert (twin.name, twin.bits) == ("mine", bits)
    assert [w.path for w in twin.weights] == [w.path for w in model.weights]
    twin.set_weights(model.get_weights())
    np.testing.assert_array_equal(twin.encode(images), model.encode(images))


@pytest.mark.parametrize(
    "bits", [7, *(pytest.param(k, marks=pytest.mark.slow) for k in (1, 12, 48))]
)
def test_keras_round_trip(bits, hashnet, images, tmp_path):
    model = hashnet(bits)
    model.compile(
        hn.optimizers.default_optimizer(0.01, steps=9),
        hn.losses.WeightedPairwiseLoss(alpha=0.3, similarity="jaccard"),
        # To compile two models takes longer than all else.
        run_eagerly=bits == 7,
    )
    schedule = hn.schedules.StagedBeta([2.0, 5.0], steps_per_stage=1)
    callbacks = [hn.callbacks.Continuation(schedule)]
    ids = np.arange(21) % 3
    arguments = dict(batch_size=7, shuffle=False, verbose=0)
    model.fit(images, ids, **arguments, callbacks=callbacks)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.scaled_tanh.beta.numpy() == 5.0
    assert loaded.optimizer.iterations.numpy() == 3
    assert loaded.loss.get_config() == model.loss.get_config()
    np.testing.assert_array_equal(loaded.encode(images), model.encode(images))
    np.testing.assert_array_equal(
        loaded.predict(images, verbose=0), model.predict(images, verbose=0)
    )
    # It goes on as if it had never been saved.
    model.fit(images, ids, **arguments)
    loaded.fit(images, ids, **arguments)
    for one, other in zip(loaded.weights, model.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_weights_alone_round_trip(hashnet, images, tmp_path):
    model, other = hashnet(12), hashnet(12)
    other.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    model.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(other.encode(images), model.encode(images))


def in_half_precision(inputs):
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(inputs)
    x = keras.layers.Conv2D(8, 3, activation="relu")(x)
    return keras.layers.GlobalAveragePooling2D()(x)


@pytest.fixture
def half_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy(before)


def test_mixed_float16(half_precision, hashnet, images, tmp_path):
    inputs = keras.Input((12, 12, 3))
    model = hashnet(20, keras.Model(inputs, in_half_precision(inputs)))
    z = logits(model, images)
    assert z.dtype == np.float16
    assert model(images).dtype == tf.float16
    assert {weight.dtype for weight in model.weights} == {"float32"}
    codes = model.encode(images)
    np.testing.assert_array_equal(codes, np.packbits(z >= 0, axis=1))
    # From Keras' first scale, 2 ^ 15, the first step overflows and is left out.
    optimizer = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(0.1), initial_scale=4.0
    )
    model.compile(optimizer, hn.losses.WeightedPairwiseLoss())
    schedule = hn.schedules.SquareRootBeta(gamma=0.001, step_size=1)
    history = model.fit(
        images,
        np.arange(21) % 3,
        batch_size=7,
        verbose=0,
        callbacks=[hn.callbacks.Continuation(schedule)],
    )
    # 1.001 is no float16: beta is kept in float32.
    assert history.history["beta"] == [schedule(2)]
    assert model.scaled_tanh.beta.numpy() == np.float32(schedule(2))
    assert model.optimizer.iterations.numpy() == 3
    codes = model.encode(images)
    model.save(tmp_path / "model.keras")
    keras.config.set_dtype_policy("float32")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for layer in (loaded, loaded.hash_layer, loaded.scaled_tanh):
        assert layer.compute_dtype == "float16"
    np.testing.assert_array_equal(loaded.encode(images), codes)


def test_a_policy_of_its_own(images):
    inputs = keras.Input((12, 12, 3))
    backbone = keras.Model(inputs, in_half_precision(inputs))
    model = hn.HashNet(backbone, 20, dtype="mixed_bfloat16")
    assert model(images).dtype == tf.bfloat16
    twin = hn.HashNet.from_config(model.get_config())
    assert twin(images).dtype == tf.bfloat16


@pytest.mark.slow
def test_on_top_of_joins_head_and_network(standardise, images, tmp_path):
    network = hn.models.backbone("small_cnn", (12, 12, 3))
    features = network.predict(images, verbose=0)
    inputs = keras.Input((128,))
    hidden = keras.layers.Dense(6, activation="relu", name="hidden")(inputs)
    head = hn.HashNet(keras.Model(inputs, hidden), bits=20)
    head.compile(keras.optimizers.Adam(0.1), hn.losses.WeightedPairwiseLoss())
    schedule = hn.schedules.StagedBeta([4.0], steps_per_stage=1)
    head.fit(
        features,
        np.arange(21) % 3,
        verbose=0,
        callbacks=[hn.callbacks.Continuation(schedule)],
    )
    z = logits(standardise(head, features), features)
    whole = head.on_top_of(network)
    assert whole.bits == 20
    assert whole.backbone.input_shape == (None, 12, 12, 3)
    np.testing.assert_allclose(
        whole.predict(images, verbose=0), np.tanh(4 * z), atol=1e-4
    )
    assert np.abs(z).min() > 1e-4
    np.testing.assert_array_equal(
        whole.encode(images), np.packbits(z >= 0, axis=1)
    )
    np.testing.assert_array_equal(whole.encode(images), head.encode(features))
    whole.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.encode(images), whole.encode(images))
    # Further training of the head leaves the whole's hash layer alone.
    head.hash_layer.kernel.assign(-head.hash_layer.kernel)
    np.testing.assert_array_equal(whole.encode(images), loaded.encode(images))


@pytest.mark.parametrize("bits", [0, -1, 12.0, "12", None])
def test_refuses_bits(bits):
    with pytest.raises(ValueError, match=f"Received: bits={bits}"):
        hn.HashNet(functional(), bits)


def two_outputs():
    inputs = keras.Input((4,))
    return keras.Model(inputs, [inputs, keras.layers.Dense(2)(inputs)])


@pytest.mark.parametrize(
    "backbone, message",
    [
        (None, "Received: backbone=None"),
        ("small_cnn", "Received: backbone='small_cnn'"),
        (keras.layers.Dense(4), "Received: backbone=<Dense"),
        (keras.Sequential([keras.layers.Dense(4)]), "built=False"),
        (
            keras.Sequential(
                [keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3)]
            ),
            r"Received: backbone.output_shape=\(None, 6, 6, 4\)",
        ),
        (two_outputs(), r"output_shape=\[\(None, 4\), \(None, 2\)\]"),
    ],
)
def test_refuses_a_backbone_that_does_not_end_in_features(backbone, message):
    with pytest.raises(ValueError, match=message):
        hn.HashNet(backbone)


@pytest.mark.parametrize("batch_size", [0, -1])
def test_encode_refuses_a_batch_size(batch_size, hashnet, images):
    with pytest.raises(ValueError, match=f"Received: batch_size={batch_size}"):
        hashnet().encode(images, batch_size)


def test_encode_refuses_labelled_batches(hashnet, images):
    labelled = tf.data.Dataset.from_tensor_slices((images, range(21))).batch(4)
    with pytest.raises(ValueError, match="Received: a tuple of 2"):
        hashnet().encode(labelled)
    with pytest.raises(ValueError, match="Received: a dict of 1"):
        hashnet().encode([{"images": images}])


@pytest.mark.parametrize("framing", ["whole", "paper", "modern"])
def test_framing_stays_with_the_model(framing, hashnet, tmp_path):
    model = hn.HashNet(hashnet(12).backbone, 12, framing)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.framing == framing
    features = keras.Input((4,))
    head = hn.HashNet(keras.Model(features, features), 12, framing)
    images = keras.Input((2, 2, 1))
    network = keras.Model(images, keras.layers.Flatten()(images))
    assert head.on_top_of(network).framing == framing


def test_a_model_that_tells_no_framing_sees_all(hashnet):
    config = hashnet(12).get_config()
    del config["framing"]
    assert hn.HashNet.from_config(config).framing == "whole"


def test_refuses_another_framing(hashnet):
    with pytest.raises(ValueError, match="Received: framing='crop'$"):
        hn.HashNet(hashnet(12).backbone, 12, framing="crop")


def with_softmax():
    inputs = keras.Input((4,))
    return keras.Model(
        inputs, keras.layers.Dense(3, activation="softmax")(inputs), name="all"
    )


def with_a_softmax_layer():
    return keras.Sequential(
        [keras.Input((4,)), with_softmax(), keras.layers.Softmax()], name="all"
    )


def ending_in_a_model():
    return keras.Sequential([keras.Input((4,)), with_softmax()], name="all")


@pytest.mark.parametrize(
    "make", [with_softmax, with_a_softmax_layer, ending_in_a_model]
)
def test_a_backbone_with_its_classifier_is_told(make):
    with pytest.warns(UserWarning, match="'all' ends in a softmax") as caught:
        hn.HashNet(make(), 8)
    assert caught[0].filename == __file__
