"""Weights for the network of these tests."""

from __future__ import annotations

import keras
import pytest

from tuner.models.backbones import lite2


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("weights") / "random.weights.h5"
    keras.utils.set_random_seed(1)
    lite2.build(32, "avg").save_weights(path)
    return str(path)
