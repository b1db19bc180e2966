"""EfficientNet-Lite: EfficientNet without squeeze-and-excitation and with ReLU6, in Keras layers.

Their source is TensorFlow's model garden (tpu/models/official/efficientnet/lite, 2020). Stem, first
stage, last stage and top of each are those of B0; the layers are named as those of
`keras.applications`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import keras
from keras import layers

from tuner.space.vocabulary import Pooling

_STEM_FILTERS, _TOP_FILTERS = 32, 1280
# Of the last block; keras.applications takes the same.
_MAX_DROP_RATE = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class MBConv:
    """An inverted residual block.

    Attributes:
        prefix: What its layers' names begin with.
        kernel_size: Of its depthwise convolution.
        strides: Of the same.
        expansion: Its inner channels, as a multiple of those that come in; 1 has no expanding
            convolution.
        filters: Channels that go out.
        is_residual: Whether what comes in is added to what goes out.
        drop_rate: Share of the images for which only the added part is left, in training.
    """

    prefix: str
    kernel_size: int
    strides: int
    expansion: int
    filters: int
    is_residual: bool
    drop_rate: float


def _blocks(filters: tuple[int, ...], repeats: tuple[int, ...]) -> Iterator[MBConv]:
    """The blocks of all stages, given what a stage's blocks put out and how many they are."""
    kernel_sizes = 3, 3, 5, 3, 5, 5, 3
    strides = 1, 2, 2, 2, 1, 2, 1
    for stage, n in enumerate(repeats):
        for i in range(n):
            before = sum(repeats[:stage]) + i
            yield MBConv(
                prefix=f"block{stage + 1}{'abcde'[i]}_",
                kernel_size=kernel_sizes[stage],
                strides=strides[stage] if i == 0 else 1,
                expansion=6 if stage else 1,
                filters=filters[stage],
                is_residual=i > 0,
                drop_rate=_MAX_DROP_RATE * before / sum(repeats),
            )


BLOCKS: Mapping[str, tuple[MBConv, ...]] = MappingProxyType(
    {
        "efficientnet_lite0": tuple(
            _blocks((16, 24, 40, 80, 112, 192, 320), (1, 2, 2, 3, 3, 4, 1))
        ),
        "efficientnet_lite2": tuple(
            _blocks((16, 24, 48, 88, 120, 208, 352), (1, 3, 3, 4, 4, 5, 1))
        ),
    }
)


def build(name: str, input_size: int, pooling: Pooling) -> keras.Model:
    """Build a network with random weights and without its classifier.

    Args:
        name: One of `BLOCKS`.
        input_size: Height and width of the images in pixels.
        pooling: `avg` or `max`, over the last maps.

    Returns:
        A model from RGB images (n, input_size, input_size, 3), 0-255, to features (n, 1280).
    """
    inputs = layers.Input((input_size, input_size, 3))
    x = layers.Rescaling(1 / 128, offset=-127 / 128)(inputs)
    x = _activated(
        _convolved(x, _STEM_FILTERS, "stem_conv", "stem_bn", kernel_size=3, strides=2),
        "stem_activation",
    )
    for block in BLOCKS[name]:
        x = _through(block, x)
    x = _activated(_convolved(x, _TOP_FILTERS, "top_conv", "top_bn"), "top_activation")
    pool = layers.GlobalAveragePooling2D if pooling == "avg" else layers.GlobalMaxPooling2D
    return keras.Model(inputs, pool(name=f"{pooling}_pool")(x), name=name)


def _through(block: MBConv, inputs: keras.KerasTensor) -> keras.KerasTensor:
    x, name = inputs, block.prefix
    if block.expansion > 1:
        n_inner = block.expansion * inputs.shape[-1]
        x = _activated(
            _convolved(x, n_inner, f"{name}expand_conv", f"{name}expand_bn"),
            f"{name}expand_activation",
        )
    x = layers.DepthwiseConv2D(
        block.kernel_size,
        strides=block.strides,
        padding="same",
        use_bias=False,
        depthwise_initializer=_initializer(),
        name=f"{name}dwconv",
    )(x)
    x = _activated(layers.BatchNormalization(name=f"{name}bn")(x), f"{name}activation")
    x = _convolved(x, block.filters, f"{name}project_conv", f"{name}project_bn")
    if not block.is_residual:
        return x
    x = layers.Dropout(block.drop_rate, noise_shape=(None, 1, 1, 1), name=f"{name}drop")(x)
    return layers.Add(name=f"{name}add")([x, inputs])


def _convolved(
    x: keras.KerasTensor,
    filters: int,
    name: str,
    norm_name: str,
    *,
    kernel_size: int = 1,
    strides: int = 1,
) -> keras.KerasTensor:
    options: dict[str, Any] = {
        "padding": "same",
        "use_bias": False,
        "kernel_initializer": _initializer(),
    }
    x = layers.Conv2D(filters, kernel_size, strides=strides, name=name, **options)(x)
    return layers.BatchNormalization(name=norm_name)(x)


def _activated(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return layers.ReLU(max_value=6, name=name)(x)


def _initializer() -> keras.initializers.Initializer:
    """As in keras.applications."""
    return keras.initializers.VarianceScaling(
        scale=2.0, mode="fan_out", distribution="truncated_normal"
    )
