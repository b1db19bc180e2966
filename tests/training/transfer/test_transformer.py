"""A vision transformer in transfer learning: a head on its features, then its last block."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.models.backbones.dinov2_files import random_tensors, write_tensors
from tests.training.transfer.small_network import DATA, task, trained
from tuner.models.backbones import dinov2
from tuner.training.finished import finished_model, load_finished, save_model
from tuner.training.transfer import extraction

pytestmark = pytest.mark.slow

MODEL = "dinov2_small"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Random ones in the published layout and size."""
    tensors = random_tensors(dinov2.SIZES[MODEL], spread=0.05)
    return str(write_tensors(tensors, tmp_path_factory.mktemp("weights") / "model.safetensors"))


def test_head_trains_on_features_that_are_computed_once(
    weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = replace(DATA, features=tmp_path / "features")
    order = replace(task(weights, tmp_path, values={"dropout": 0.0}), model=MODEL)
    result = trained(order, data)
    assert result.failure is None
    assert result.n_parameters == (768 + 1) * 2
    (kept,) = (tmp_path / "features").glob("*.npy")
    # 32 pixels are two patches a side.
    assert kept.name.startswith("dinov2_small-28-avg-")
    whole = finished_model(MODEL, order.values, DATA.spec, tmp_path / "t.npz")
    path = save_model(whole, tmp_path / "model.keras", DATA.spec)
    loaded = load_finished(path, MODEL, order.values, DATA.spec)
    found = loaded.predict(DATA.inputs[:5], verbose=0)
    np.testing.assert_allclose(found, whole.predict(DATA.inputs[:5], verbose=0), atol=1e-6)

    def refuse(*args: object) -> np.ndarray:
        raise AssertionError("computed twice")

    monkeypatch.setattr(extraction, "features_of", refuse)
    again = replace(order, values={**order.values, "batch_size": 10})
    assert trained(again, data).failure is None


def test_last_block_is_trained_after_the_head(weights: str, tmp_path: Path) -> None:
    order = replace(task(weights, tmp_path, values={"unfreeze_blocks": 1}), model=MODEL)
    result = trained(order, DATA)
    assert result.failure is None
    whole = finished_model(MODEL, order.values, DATA.spec, tmp_path / "t.npz")
    network = whole.get_layer(MODEL)
    tensors = random_tensors(dinov2.SIZES[MODEL], spread=0.05)
    kernels = {i: tensors[f"encoder.layer.{i - 1}.mlp.fc1.weight"].T for i in (11, 12)}
    same = {
        i: np.array_equal(network.get_layer(f"block{i}_mlp_expand").get_weights()[0], kernel)
        for i, kernel in kernels.items()
    }
    assert same == {11: True, 12: False}
