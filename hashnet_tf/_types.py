"""Names for types that Keras has no name for, or a wrong one."""

import typing

import keras

# An array or a tensor of the backend that Keras runs on.
Tensor: typing.TypeAlias = typing.Any

# What `get_config` gives: plain values by the constructor's names.
Config: typing.TypeAlias = dict[str, typing.Any]

# To a type checker `keras.ops` returns what any of the backends might, None
# and symbolic tensors among it, and a layer takes what its defaults are.
ops: typing.Any = keras.ops
layers: typing.Any = keras.layers
