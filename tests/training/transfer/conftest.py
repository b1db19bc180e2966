"""A small network for these tests, and weights for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import keras
import pytest

from tests.training.transfer.small_network import MODEL
from tuner.models.backbones import lite


@pytest.fixture(scope="module", autouse=True)
def small_network() -> Iterator[None]:
    """EfficientNet-Lite2 with one narrow block per stage that has a block's parts and names."""
    firsts = [block for block in lite.BLOCKS[MODEL] if block.prefix.endswith("a_")]
    narrow = [replace(block, expansion=min(block.expansion, 2), filters=4) for block in firsts]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lite, "BLOCKS", {MODEL: tuple(narrow)})
        yield


@pytest.fixture(scope="module")
def weights(small_network: None, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("weights") / "random.weights.h5"
    keras.utils.set_random_seed(1)
    lite.build(MODEL, 32, "avg").save_weights(path)
    return str(path)
