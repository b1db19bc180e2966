"""What a network computes for an image."""

from __future__ import annotations

import pytest

from tests.images import image_spec
from tuner.models.multiply_adds import multiply_adds
from tuner.models.registry import build


def test_convolutions_count_for_each_place_and_dense_layers_once() -> None:
    values = {"conv_blocks": 1, "filters": 4, "dense_units": 10, "kernel_size": 3}
    model = build("cnn", values, image_spec(n_classes=2, side=8))
    # 9 weights of 4 filters on 64 places; 4x4x4 maps to 10 units, and these to 2 classes.
    assert multiply_adds(model) == 9 * 4 * 64 + 64 * 10 + 10 * 2


@pytest.mark.slow
def test_efficientnet_b2_takes_about_what_its_authors_say() -> None:
    values = {"weights": "none", "input_size": 260}
    model = build("efficientnet_b2", values, image_spec(n_classes=7, side=48))
    # 1.0 billion (Tan and Le, ICML 2019, table 2).
    assert 0.9e9 < multiply_adds(model) < 1.1e9
