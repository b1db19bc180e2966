"""Transfer learning in two stages, on a network of random weights that come from a file."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.transfer.small_network import DATA, MODEL, task, trained
from tuner.models.backbones.catalog import BACKBONES
from tuner.records.training import TrainTask
from tuner.training.checkpoint import load_checkpoint
from tuner.training.data import TrainingData
from tuner.training.finished import finished_model
from tuner.training.prepared import PreparedModels
from tuner.training.transfer import extraction

pytestmark = pytest.mark.slow


def layers_by_name(values: Mapping[str, Any], checkpoint: Path) -> dict[str, list[np.ndarray]]:
    """Weights of the network's layers, and of its head's."""
    model = finished_model(MODEL, values, DATA.spec, checkpoint)
    network = model.get_layer("efficientnet_lite2")
    return {
        layer.name: layer.get_weights()
        for layer in (*network.layers, *model.layers)
        # Keras numbers the inputs, which have none.
        if layer is not network and layer.weights
    }


def changed(before: dict[str, list[np.ndarray]], after: dict[str, list[np.ndarray]]) -> set[str]:
    def differs(name: str) -> bool:
        return any(not np.array_equal(a, b) for a, b in zip(before[name], after[name], strict=True))

    return {name for name in after if differs(name)}


def test_frozen_network_trains_a_head_whose_checkpoint_holds_nothing_else(
    weights: str, tmp_path: Path
) -> None:
    result = trained(task(weights, tmp_path), replace(DATA, features=tmp_path / "features"))
    assert result.failure is None
    assert [epoch.epoch for epoch in result.epochs] == [1, 2]
    assert result.n_parameters == (1280 + 1) * 2
    assert (tmp_path / "t.npz").stat().st_size < 100_000


def test_finished_model_of_a_head_predicts_from_images_what_the_head_does_from_features(
    weights: str, tmp_path: Path
) -> None:
    order = task(weights, tmp_path, values={"dropout": 0.0})
    trained(order, DATA)
    whole = finished_model(MODEL, order.values, DATA.spec, tmp_path / "t.npz")
    features = extraction.features_of(DATA.inputs[:5], MODEL, order.values, DATA.spec)
    kernel, bias, *_ = load_checkpoint(tmp_path / "t.npz").weights
    logits = features @ kernel + bias
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(whole(DATA.inputs[:5].astype("float32")), expected, rtol=1e-4)


@pytest.mark.parametrize("unfreeze_blocks", [0, 1])
def test_promoted_trial_ends_with_the_weights_of_one_that_trained_in_one_go(
    weights: str, tmp_path: Path, unfreeze_blocks: int
) -> None:
    values = {"unfreeze_blocks": unfreeze_blocks, "fine_tune_learning_rate": 1e-3}
    first, second, whole = (tmp_path / name for name in ("1.npz", "2.npz", "3.npz"))
    trained(task(weights, tmp_path, values=values, last_epoch=1, save_to=first), DATA)
    trained(
        task(
            weights,
            tmp_path,
            values=values,
            first_epoch=2,
            last_epoch=3,
            resume_from=first,
            save_to=second,
        ),
        DATA,
    )
    trained(task(weights, tmp_path, values=values, last_epoch=3, save_to=whole), DATA)
    for promoted, in_one_go in zip(
        load_checkpoint(second).state, load_checkpoint(whole).state, strict=True
    ):
        np.testing.assert_array_equal(promoted, in_one_go)


def test_fine_tuning_changes_the_last_block_and_the_head_but_no_batch_normalization(
    weights: str, tmp_path: Path
) -> None:
    order = task(weights, tmp_path, values={"unfreeze_blocks": 1, "fine_tune_learning_rate": 1e-3})
    before = layers_by_name(order.values, _trained_from_file(weights, tmp_path))
    trained(order, DATA)
    after = layers_by_name(order.values, tmp_path / "t.npz")
    assert changed(before, after) == {
        "block7a_expand_conv",
        "block7a_dwconv",
        "block7a_project_conv",
        "top_conv",
        "head_output",
    }


def _trained_from_file(weights: str, folder: Path) -> Path:
    """A checkpoint of the network as its file has it, with a head of its own."""
    frozen = task(
        weights,
        folder,
        values={"unfreeze_blocks": 1, "fine_tune_learning_rate": 1e-8},
        last_epoch=1,
    )
    path = folder / "before.npz"
    trained(replace(frozen, save_to=path, warmup_epochs=0, schedule_epochs=1, last_epoch=0), DATA)
    return path


def test_head_is_trained_before_blocks_are_unfrozen(
    weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    prepare = PreparedModels.prepare

    def noted(self: PreparedModels, order: TrainTask, data: TrainingData) -> Any:
        steps.append(order.model)
        return prepare(self, order, data)

    monkeypatch.setattr(PreparedModels, "prepare", noted)
    values = {
        "unfreeze_blocks": 1,
        "fine_tune_learning_rate": 1e-8,
        "head_epochs": 15,
        "learning_rate": 1e-2,
    }
    result = trained(task(weights, tmp_path, values=values, last_epoch=1), DATA)
    assert steps == [f"{MODEL}/head", MODEL]
    alone = trained(
        task(weights, tmp_path, values={"head_epochs": 1, "learning_rate": 1e-8}, last_epoch=1),
        DATA,
    )
    assert result.epochs[0].metrics["val_loss"] != alone.epochs[0].metrics["val_loss"]


def test_deadline_that_has_passed_lets_features_and_a_first_epoch_end(
    weights: str, tmp_path: Path
) -> None:
    result = trained(
        task(weights, tmp_path, stop_at=time.time() - 1), replace(DATA, features=tmp_path / "f")
    )
    assert (result.ended_by, len(result.epochs), result.failure) == ("deadline", 1, None)


def test_every_backbone_of_the_vocabulary_is_in_the_catalogue() -> None:
    from tuner.space.vocabulary import BACKBONE_NAMES

    assert tuple(BACKBONES) == BACKBONE_NAMES
