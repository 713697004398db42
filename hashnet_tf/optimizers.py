"""Gives each layer its own learning rate, and names the two recipes."""

from collections.abc import Mapping, Sequence
from typing import Any, final

import keras
from keras import ops

__all__ = [
    "LayerwiseAdam",
    "LayerwiseMixin",
    "LayerwiseSGD",
    "default_optimizer",
    "paper_optimizer",
]

# The hash layer at 10 times the rate of the network below it.
_PAPER_MULTIPLIERS = {"hash": 10.0}


class LayerwiseMixin(keras.optimizers.Optimizer):
    """Makes any Keras optimizer layer-wise.

    HashNet trains its hash layer from scratch at 10 times the learning rate
    of the network it fine-tunes (section 4.1, ICCV 2017). With the multiplier
    m of a variable w, its gradient g and the learning rate r, the optimizer
    gets the gradient g + l2 w and the rate m r for this variable. The rest is
    as Keras has it. Gradients are clipped before `l2 * w` is added. Keras'
    decoupled `weight_decay` uses the rate r, without the multiplier.

    Abstract: stands before a Keras optimizer in one line, as below. An
    optimizer that wraps another goes around, as
    `keras.optimizers.LossScaleOptimizer(LayerwiseAdam(...))`.

    Args:
        *args: Arguments of the Keras optimizer.
        multipliers: Dict from a name to a positive float. A name is that of a
            layer, names joined by "/" down to the variable ("hash/bias"), or
            that of a whole model within the one that is trained (a backbone).
            If several names hold a variable, the innermost counts, and of
            those that end together the longest. All else has 1.
        l2: Non-negative float: `l2 * w` is added to the gradient of each
            weight of two or more dimensions, so that biases and
            normalisations do not decay, as in the released code. That is the
            gradient of `l2 / 2 * |w|^2`.
        **kwargs: Arguments of the Keras optimizer, by name.

    Attributes:
        multipliers: Dict as given.
        l2: Float as given.

    Raises:
        ValueError: If a multiplier or `l2` is out of range or, when it is
            built, a name is in no variable's path.

    Example:

    >>> import keras, hashnet_tf as hn
    >>> @keras.saving.register_keras_serializable(package="mine")
    ... class LayerwiseAdamW(
    ...     hn.optimizers.LayerwiseMixin, keras.optimizers.AdamW
    ... ):
    ...     pass
    >>> LayerwiseAdamW(1e-3, multipliers={"hash": 10.0}).multipliers
    {'hash': 10.0}
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # In either case the multipliers would do nothing.
        before = cls.__mro__[: cls.__mro__.index(LayerwiseMixin)]
        if issubclass(cls, keras.optimizers.LossScaleOptimizer) or any(
            issubclass(base, keras.optimizers.Optimizer)
            and not issubclass(base, LayerwiseMixin)
            for base in before
        ):
            raise TypeError(
                "LayerwiseMixin must stand before an optimizer that wraps no"
                f" other. Received: bases={cls.__bases__}"
            )

    def __init__(
        self,
        *args: Any,
        multipliers: Mapping[str, float] | None = None,
        l2: float = 0.0,
        **kwargs: Any,
    ) -> None:
        multipliers = dict(multipliers or {})
        if not all(factor > 0 for factor in multipliers.values()):
            raise ValueError(
                "`multipliers` must map names to positive numbers."
                f" Received: multipliers={multipliers}"
            )
        if not l2 >= 0:
            raise ValueError(f"`l2` must not be negative. Received: l2={l2}")
        super().__init__(*args, **kwargs)
        self.multipliers = multipliers
        self.l2 = l2
        self._paths_within = ()

    def resolve(self, model: keras.Model) -> None:
        """Lets `multipliers` name the models within a model.

        The path of a Keras variable holds the names of the models around it
        only where they made it on their first call, so a backbone that was
        built before is not in the paths of its weights. `compile` of HashNet
        calls this; with another model, call it before the first step.

        Args:
            model: `keras.Model` that is trained.

        Example:

        >>> import keras, hashnet_tf as hn
        >>> backbone = hn.models.backbone("small_cnn", (16, 16, 3))
        >>> model = keras.Sequential([backbone, keras.layers.Dense(8)])
        >>> optimizer = hn.optimizers.LayerwiseSGD(
        ...     0.1, multipliers={backbone.name: 0.1}
        ... )
        >>> optimizer.resolve(model)
        >>> model.compile(optimizer, "mse")
        """
        found = []

        def collect(holder: keras.Model, names: str) -> None:
            for layer in holder.layers:
                if isinstance(layer, keras.Model):
                    within = f"{names}{layer.name}/"
                    found.extend(
                        (id(variable), f"/{within}{variable.path}/")
                        for variable in layer.trainable_variables
                    )
                    collect(layer, within)

        collect(model, "")
        self._paths_within = tuple(found)

    # Keras' optimizers have several names for the argument.
    def build(self, *args: Any, **kwargs: Any) -> None:
        if self.built:
            return
        (variables,) = (*args, *kwargs.values())
        self._factors = self._factors_of(variables)
        super().build(variables)

    def _factors_of(self, variables: Sequence[keras.Variable]) -> list[float]:
        factors, unknown = [], set(self.multipliers)
        for variable in variables:
            paths = [f"/{variable.path}/"]
            paths += [p for key, p in self._paths_within if key == id(variable)]
            # What comes behind a name is the shorter, the further in it is.
            held = [
                (len(path.rpartition(f"/{name}/")[2]), -len(name), name)
                for name in self.multipliers
                for path in paths
                if f"/{name}/" in path
            ]
            factors.append(self.multipliers[min(held)[2]] if held else 1.0)
            unknown -= {name for _, _, name in held}
        if unknown:
            raise ValueError(
                "Each name of `multipliers` must be that of a trainable layer,"
                " or of a model within the one given to `resolve`. Received:"
                f" {min(unknown)!r} among the variables"
                f" {[variable.path for variable in variables]}"
            )
        return factors

    # Keras' optimizers that update all variables at once, under torch, are
    # classes of their own, which a subclass of the public ones is not.
    def update_step(
        self, gradient: Any, variable: Any, learning_rate: Any
    ) -> None:
        if self.l2 > 0 and len(variable.shape) > 1:
            weight: Any = ops.cast(
                ops.convert_to_tensor(variable), gradient.dtype
            )
            gradient = gradient + self.l2 * weight
        factor = self._factors[self._get_variable_index(variable)]
        super().update_step(gradient, variable, learning_rate * factor)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "multipliers": dict(self.multipliers),
            "l2": self.l2,
        }


@final
@keras.saving.register_keras_serializable(package="hashnet_tf")
class LayerwiseAdam(LayerwiseMixin, keras.optimizers.Adam):
    """Keras' Adam with a multiple of the learning rate for each layer.

    Args:
        *args: Arguments of `keras.optimizers.Adam`.
        multipliers: As in `LayerwiseMixin`.
        l2: As in `LayerwiseMixin`.
        **kwargs: Arguments of `keras.optimizers.Adam`, by name.

    Raises:
        ValueError: As `LayerwiseMixin`.

    Example:

    >>> import hashnet_tf as hn
    >>> optimizer = hn.optimizers.LayerwiseAdam(1e-4, multipliers={"hash": 10})
    """


@final
@keras.saving.register_keras_serializable(package="hashnet_tf")
class LayerwiseSGD(LayerwiseMixin, keras.optimizers.SGD):
    """Keras' SGD with a multiple of the learning rate for each layer.

    Args:
        *args: Arguments of `keras.optimizers.SGD`.
        multipliers: As in `LayerwiseMixin`.
        l2: As in `LayerwiseMixin`.
        **kwargs: Arguments of `keras.optimizers.SGD`, by name.

    Raises:
        ValueError: As `LayerwiseMixin`.

    Example:

    >>> import hashnet_tf as hn
    >>> optimizer = hn.optimizers.LayerwiseSGD(
    ...     0.001, momentum=0.9, multipliers={"hash": 10.0}, l2=5e-4
    ... )
    """


@keras.saving.register_keras_serializable(
    package="hashnet_tf", name="LayerwiseOptimizer"
)
class _LayerwiseOptimizer(LayerwiseMixin):
    """Opens what version 0.1 saved, whose layer-wise rates were a wrapper.

    Its variables were those of the optimizer within, in the same order.
    """

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Any = None
    ) -> LayerwiseMixin:
        inner = keras.saving.deserialize_keras_object(
            config["inner_optimizer"], custom_objects=custom_objects
        )
        # Under torch Keras makes its own subclass of what is asked for.
        base = getattr(keras.optimizers, type(inner).__name__, None)
        if base is None or not isinstance(inner, base):
            base = type(inner)
        for layerwise in LayerwiseMixin.__subclasses__():
            if layerwise.__bases__ == (LayerwiseMixin, base):
                break
        else:
            layerwise = type(
                f"Layerwise{base.__name__}", (LayerwiseMixin, base), {}
            )
            keras.saving.register_keras_serializable("hashnet_tf")(layerwise)
        outer = {key: config[key] for key in ("multipliers", "l2", "name")}
        return layerwise.from_config({**inner.get_config(), **outer})


def paper_optimizer(
    learning_rate: float,
    steps: int,
    multipliers: Mapping[str, float] = _PAPER_MULTIPLIERS,
    halvings: int = 5,
) -> LayerwiseSGD:
    """Returns the optimizer of the paper and its released code.

    SGD with momentum 0.9, L2 of 5e-4, the hash layer at 10 times the rate, the
    rate halved every `steps // halvings` steps (section 4.1 of HashNet, ICCV
    2017; the released code halves every 2,000 of 10,000 steps).

    The rates printed with the released code do not carry over: the gradient
    there is 2 / alpha times too large.

    Args:
        learning_rate: Positive float, the first rate of the backbone.
        steps: Positive int, the optimizer steps of the whole training.
        multipliers: As in `LayerwiseMixin`.
        halvings: Positive int, the halvings up to step `steps`.

    Returns:
        `LayerwiseSGD`.

    Example:

    >>> from hashnet_tf.optimizers import paper_optimizer
    >>> optimizer = paper_optimizer(1e-3, steps=10_000)
    """
    rate = keras.optimizers.schedules.ExponentialDecay(
        learning_rate,
        decay_steps=max(1, steps // halvings),
        decay_rate=0.5,
        staircase=True,
    )
    return LayerwiseSGD(rate, momentum=0.9, multipliers=multipliers, l2=5e-4)


def default_optimizer(
    learning_rate: float,
    steps: int,
    multipliers: Mapping[str, float] = _PAPER_MULTIPLIERS,
) -> LayerwiseAdam:
    """Returns Adam with a cosine decay, the hash layer at 10 times the rate.

    What `hashnet train` uses unless told otherwise.

    Args:
        learning_rate: Positive float, the first rate of the backbone.
        steps: Positive int, the optimizer steps of the whole training.
        multipliers: As in `LayerwiseMixin`.

    Returns:
        `LayerwiseAdam`.

    Example:

    >>> from hashnet_tf.optimizers import default_optimizer
    >>> optimizer = default_optimizer(1e-4, steps=2_000)
    """
    rate = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    return LayerwiseAdam(rate, multipliers=multipliers)


class LayerwiseModel(keras.Model):
    """Keras model whose optimizer may have multipliers for whole backbones.

    Abstract: what is trained here derives from it. An optimizer sees variables
    only, so `compile` tells a layer-wise one which models hold them.
    """

    def compile(
        self,
        optimizer: str
        | dict[str, Any]
        | keras.optimizers.Optimizer = "rmsprop",
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Compiles as `keras.Model.compile`, whose arguments it takes."""
        optimizer = keras.optimizers.get(optimizer)
        inner = getattr(optimizer, "inner_optimizer", optimizer)
        if isinstance(inner, LayerwiseMixin):
            inner.resolve(self)
        super().compile(optimizer, *args, **kwargs)

    # Keras compiles no loaded model whose `compile` is not its own.
    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles a loaded model, with the optimizer's variables there."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)
