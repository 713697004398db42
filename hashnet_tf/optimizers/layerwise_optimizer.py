"""Learning rates a layer, which Keras 3 lacks, and coupled L2."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="hashnet_tf")
class LayerwiseOptimizer(keras.optimizers.Optimizer):
    """Gives layers their own multiple of another optimizer's learning rate.

    HashNet trains its hash layer from scratch at 10 times the learning rate
    of the network it fine-tunes (section 4.1, ICCV 2017). Every Keras
    optimizer updates each variable through one method, to which this passes
    the multiplied rate and the gradient with the L2 penalty's share; all else
    (slots, clipping, moving averages, iterations) is the inner optimizer's.
    Its decoupled `weight_decay`, if set, goes at the rate without multiplier.

    Args:
        inner_optimizer: `keras.optimizers.Optimizer`, not built yet and not
            itself the wrapper of another; a `LossScaleOptimizer` goes around
            this one.
        multipliers: Dict from a layer's name (or names joined by "/", down to
            a variable's: "hash/bias") to a positive float; a variable takes
            the longest name that its path contains, or 1.
        l2: Non-negative float: `l2 * w` is added to the gradient of each
            weight of two or more dimensions, so that biases and
            normalisations do not decay, as in the released code. That is the
            gradient of `l2 / 2 * |w|^2`, not Keras' decoupled `weight_decay`.
        name: Name of the optimizer.

    Raises:
        ValueError: If `inner_optimizer` is none of these, a multiplier or `l2`
            is out of range or, when it is built, a name is in no variable's
            path.

    Example:

    >>> import keras
    >>> from hashnet_tf.optimizers import LayerwiseOptimizer
    >>> optimizer = LayerwiseOptimizer(
    ...     keras.optimizers.SGD(0.001, momentum=0.9), {"hash": 10.0}, l2=5e-4
    ... )
    """

    def __init__(self, inner_optimizer, multipliers, l2=0.0, name="layerwise"):
        # The update of a wrapper is never called, and the multipliers would
        # do nothing.
        if not isinstance(
            inner_optimizer, keras.optimizers.Optimizer
        ) or hasattr(inner_optimizer, "inner_optimizer"):
            raise ValueError(
                "`inner_optimizer` must be a keras.optimizers.Optimizer that"
                " wraps no other."
                f" Received: inner_optimizer={inner_optimizer!r}"
            )
        if not all(factor > 0 for factor in multipliers.values()):
            raise ValueError(
                "`multipliers` must map names to positive numbers."
                f" Received: multipliers={multipliers}"
            )
        if not l2 >= 0:
            raise ValueError(f"`l2` must not be negative. Received: l2={l2}")
        super().__init__(learning_rate=0.0, name=name)
        self.inner_optimizer = inner_optimizer
        self.multipliers = dict(multipliers)
        self.l2 = l2

    def build(self, variables):
        self.inner_optimizer.build(variables)
        super().build(variables)
        self._factors = self._factors_of([v.path for v in variables])
        self._decays = [self.l2 > 0 and len(v.shape) > 1 for v in variables]
        inner = self.inner_optimizer
        if inner.update_step != self._update_step:
            self._inner_update_step = inner.update_step
            inner.update_step = self._update_step
            # Under torch some optimizers update all variables at once and
            # would pass `update_step` by.
            if keras.backend.backend() == "torch":
                inner._backend_update_step = self._update_one_by_one

    def _factors_of(self, paths):
        factors = [1.0] * len(paths)
        for name in sorted(self.multipliers, key=len):
            found = [f"/{name}/" in f"/{path}/" for path in paths]
            if not any(found):
                raise ValueError(
                    "Each name of `multipliers` must be that of a trainable"
                    f" layer. Received: {name!r} among the variables {paths}"
                )
            factors = [
                self.multipliers[name] if hit else factor
                for hit, factor in zip(found, factors, strict=True)
            ]
        return factors

    def _update_step(self, gradient, variable, learning_rate):
        index = self.inner_optimizer._get_variable_index(variable)
        if self._decays[index]:
            weight = ops.cast(ops.convert_to_tensor(variable), gradient.dtype)
            gradient = gradient + self.l2 * weight
        self._inner_update_step(
            gradient, variable, learning_rate * self._factors[index]
        )

    def _update_one_by_one(self, gradients, variables, learning_rate):
        for gradient, variable in zip(gradients, variables, strict=True):
            self._update_step(gradient, variable, learning_rate)

    def apply(self, grads, trainable_variables=None):
        if not self.built:
            self.build(list(trainable_variables))
        self.inner_optimizer.apply(grads, trainable_variables)

    @property
    def variables(self):
        return self.inner_optimizer.variables

    @property
    def iterations(self):
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self):
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate):
        self.inner_optimizer.learning_rate = learning_rate

    @property
    def loss_scale_factor(self):
        return self.inner_optimizer.loss_scale_factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, loss_scale_factor):
        # A `LossScaleOptimizer` sets None, or gradients were divided twice.
        # The constructor of the base class sets it too, before there is an
        # inner optimizer.
        if hasattr(self, "inner_optimizer"):
            self.inner_optimizer.loss_scale_factor = loss_scale_factor

    def scale_loss(self, loss):
        return self.inner_optimizer.scale_loss(loss)

    def finalize_variable_values(self, var_list):
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self):
        return {
            "inner_optimizer": keras.saving.serialize_keras_object(
                self.inner_optimizer
            ),
            "multipliers": self.multipliers,
            "l2": self.l2,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        inner_optimizer = keras.saving.deserialize_keras_object(
            config.pop("inner_optimizer"), custom_objects=custom_objects
        )
        return cls(inner_optimizer, **config)
