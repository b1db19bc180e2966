"""DINOv2's vision transformers in Keras' own layers.

Oquab et al., "DINOv2: Learning Robust Visual Features without Supervision", TMLR 2024, on the
network of Dosovitskiy et al., ICLR 2021. No layer is a class of its own, so a saved model loads
wherever Keras is installed: the table of positions, the class token and the projection of patches
are one layer, and what DINOv2 calls layer scale is part of the kernel before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import keras
from keras import layers

from tuner.space.vocabulary import Pooling

PATCH = 14
# Of ImageNet's pixels on the 0-1 scale.
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_EPSILON = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large a transformer is.

    Attributes:
        width: Numbers of a token.
        n_heads: Of each attention.
        n_blocks: Of attention and a dense network of four times the width.
    """

    width: int
    n_heads: int
    n_blocks: int = 12


SIZES: Mapping[str, Size] = MappingProxyType(
    {
        "dinov2_small": Size(width=384, n_heads=6),
        "dinov2_base": Size(width=768, n_heads=12),
    }
)


def build(name: str, size: Size, side: int, pooling: Pooling) -> keras.Model:
    """Build a network with random weights.

    Args:
        name: Of the network.
        size: How large it is.
        side: Height and width of the images in pixels, a multiple of `PATCH`.
        pooling: `avg` or `max`, over the tokens of all patches.

    Returns:
        A model from RGB images (n, side, side, 3), 0-255, to features (n, 2 * width): the class
            token, then the pooled patches, as in the paper's linear evaluation.
    """
    n_patches = (side // PATCH) ** 2
    inputs = layers.Input((side, side, 3))
    x = layers.Rescaling(
        [1 / (255 * std) for std in _STD],
        offset=[-mean / std for mean, std in zip(_MEAN, _STD, strict=True)],
    )(inputs)
    x = _tokens(_patches(x, side // PATCH), n_patches, size.width)
    for i in range(1, size.n_blocks + 1):
        x = _through(x, size, f"block{i}_")
    x = layers.LayerNormalization(epsilon=_EPSILON, name="top_norm")(x)
    pool = layers.GlobalAveragePooling1D if pooling == "avg" else layers.GlobalMaxPooling1D
    class_token = layers.Flatten()(layers.Cropping1D((0, n_patches))(x))
    pooled = pool(name=f"{pooling}_pool")(layers.Cropping1D((1, 0))(x))
    return keras.Model(inputs, layers.Concatenate()([class_token, pooled]), name=name)


def _patches(images: keras.KerasTensor, n: int) -> keras.KerasTensor:
    """The pixels of each of `n` x `n` patches in a row, (n * n, PATCH * PATCH * 3)."""
    x = layers.Reshape((n, PATCH, n, PATCH * 3))(images)
    return layers.Reshape((n * n, PATCH * PATCH * 3))(layers.Permute((1, 3, 2, 4))(x))


def _tokens(patches: keras.KerasTensor, n_patches: int, width: int) -> keras.KerasTensor:
    """The class token, then a projection of each patch, each with its position added.

    A row of zeros is projected to the bias alone, which is the class token there.
    """
    normal = keras.initializers.TruncatedNormal(stddev=0.02)
    return layers.EinsumDense(
        "btp,pw->btw",
        (n_patches + 1, width),
        bias_axes="tw",
        kernel_initializer=normal,
        bias_initializer=normal,
        name="tokens",
    )(layers.ZeroPadding1D((1, 0))(patches))


def _through(x: keras.KerasTensor, size: Size, prefix: str) -> keras.KerasTensor:
    def normed(inputs: keras.KerasTensor, name: str) -> keras.KerasTensor:
        return layers.LayerNormalization(epsilon=_EPSILON, name=f"{prefix}{name}")(inputs)

    inner = normed(x, "attention_norm")
    attention = layers.MultiHeadAttention(
        size.n_heads, size.width // size.n_heads, name=f"{prefix}attention"
    )
    x = layers.Add(name=f"{prefix}attention_add")([x, attention(inner, inner)])
    inner = normed(x, "mlp_norm")
    inner = layers.Dense(4 * size.width, activation="gelu", name=f"{prefix}mlp_expand")(inner)
    inner = layers.Dense(size.width, name=f"{prefix}mlp_project")(inner)
    return layers.Add(name=f"{prefix}mlp_add")([x, inner])
