"""Parameters and multiply-adds of the CNN family are counted as those of the built network."""

from __future__ import annotations

from typing import Any

import pytest

from tests.images import image_spec
from tests.models.test_cnn import SETTINGS
from tuner.models import cnn_size
from tuner.models.multiply_adds import multiply_adds
from tuner.models.registry import build, complete

MORE: list[dict[str, Any]] = [
    {"conv_blocks": 2, "convs_per_block": 3, "filters_0": 3, "kernel_size": 5, "dense_units": 7},
    {"conv_blocks": 2, "batch_norm": False, "pooling": "global_average"},
    {"conv_blocks": 1, "dense_units": 0, "filters": 2},
]


@pytest.mark.parametrize("values", [*SETTINGS, *MORE], ids=str)
@pytest.mark.parametrize(("side", "channels"), [(8, 1), (11, 3)])
def test_count_is_that_of_the_built_network(
    values: dict[str, Any], side: int, channels: int
) -> None:
    spec = image_spec(n_classes=3, side=side, channels=channels)
    whole, network = complete("cnn", values), build("cnn", values, spec)
    assert cnn_size.n_parameters(whole, spec) == network.count_params()
    assert cnn_size.multiply_adds(whole, spec) == multiply_adds(network)
