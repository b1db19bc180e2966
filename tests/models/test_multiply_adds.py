"""What a network computes for an image."""

from __future__ import annotations

import keras
import pytest

from tests.images import image_spec
from tuner.models.backbones import dinov2
from tuner.models.multiply_adds import multiply_adds
from tuner.models.registry import build


def test_convolutions_count_for_each_place_and_dense_layers_once() -> None:
    values = {"conv_blocks": 1, "filters": 4, "dense_units": 10, "kernel_size": 3}
    model = build("cnn", values, image_spec(n_classes=2, side=8))
    # 9 weights of 4 filters on 64 places; 4x4x4 maps to 10 units, and these to 2 classes.
    assert multiply_adds(model) == 9 * 4 * 64 + 64 * 10 + 10 * 2


def test_transformer_counts_for_each_token_and_its_attention() -> None:
    size = dinov2.Size(width=8, n_heads=2, n_blocks=3)
    model = dinov2.build("tiny", size, side=28, pooling="avg")
    # 4 patches and the class token, of 14 x 14 x 3 numbers.
    tokens = 5 * 588 * 8
    # Query, key, value and output; queries with keys, and with values; to 32 numbers and back.
    block = 4 * (5 * 8 * 8) + 2 * (5 * 5 * 8) + 2 * (5 * 8 * 32)
    assert multiply_adds(model) == tokens + 3 * block


def test_attention_to_other_tokens_counts_each_side_with_its_own() -> None:
    queries, values = keras.Input((6, 5)), keras.Input((4, 3))
    attention = keras.layers.MultiHeadAttention(num_heads=2, key_dim=7, value_dim=8)
    model = keras.Model([queries, values], attention(queries, values))
    projections = 6 * 5 * 14 + 4 * 3 * 14 + 4 * 3 * 16 + 6 * 16 * 5
    assert multiply_adds(model) == projections + 6 * 4 * (14 + 16)


@pytest.mark.parametrize(
    ("equation", "output_shape"), [("ijp,pw->ijw", (6, 9)), ("...p,pw->...w", 9)]
)
def test_einsum_counts_for_each_place(equation: str, output_shape: int | tuple[int, int]) -> None:
    inputs = keras.Input((6, 5))
    layer = keras.layers.EinsumDense(equation, output_shape=output_shape)
    assert multiply_adds(keras.Model(inputs, layer(inputs))) == 6 * 5 * 9


@pytest.mark.slow
def test_efficientnet_b2_takes_about_what_its_authors_say() -> None:
    values = {"weights": "none", "input_size": 260}
    model = build("efficientnet_b2", values, image_spec(n_classes=7, side=48))
    # 1.0 billion (Tan and Le, ICML 2019, table 2).
    assert 0.9e9 < multiply_adds(model) < 1.1e9
