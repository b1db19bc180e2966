"""Transfer learning in two stages, on a network of random weights that come from a file."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.images import train_task, training_data
from tuner.models.backbones import lite2
from tuner.models.backbones.catalog import BACKBONES
from tuner.records.training import EpochMetrics, TrainResult, TrainTask
from tuner.training import transfer
from tuner.training.checkpoint import load_checkpoint
from tuner.training.data import TrainingData
from tuner.training.finished import finished_model
from tuner.training.fit import Hooks, run_task
from tuner.training.prepared import PreparedModels

MODEL = "efficientnet_lite2"
DATA = training_data(30, 10, n_rest=7)


@pytest.fixture(scope="module", autouse=True)
def small_network() -> Iterator[None]:
    """The network with one narrow block per stage: its blocks have all their parts and names."""
    firsts = [block for block in lite2.BLOCKS if block.prefix.endswith("a_")]
    narrow = [replace(block, expansion=min(block.expansion, 2), filters=4) for block in firsts]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lite2, "BLOCKS", tuple(narrow))
        yield


@pytest.fixture(scope="module")
def weights(small_network: None, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("weights") / "random.weights.h5"
    keras.utils.set_random_seed(1)
    lite2.build(32, "avg").save_weights(path)
    return str(path)


def task(weights: str, folder: Path, **changes: Any) -> TrainTask:
    values = {
        "weights": weights,
        "input_size": 32,
        "batch_size": 15,
        "head_epochs": 1,
        **changes.pop("values", {}),
    }
    usual = {
        "model": MODEL,
        "values": values,
        "schedule": "cosine",
        "schedule_epochs": 3,
        "save_to": folder / "t.npz",
    }
    return train_task(**usual | changes)


def trained(order: TrainTask, data: TrainingData, **hooks: Any) -> TrainResult:
    return run_task(order, data, Hooks(on_epoch=_no_listener, **hooks), PreparedModels())


def _no_listener(order: TrainTask, epoch: EpochMetrics) -> None:
    return


def layers_by_name(values: Mapping[str, Any], checkpoint: Path) -> dict[str, list[np.ndarray]]:
    """Weights of the network's layers, and of its head's."""
    model = finished_model(MODEL, values, DATA.spec, checkpoint)
    network = model.get_layer("efficientnet_lite2")
    return {
        layer.name: layer.get_weights()
        for layer in (*network.layers, *model.layers)
        if layer is not network
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


def test_features_of_images_that_test_are_never_computed(weights: str, tmp_path: Path) -> None:
    trained(task(weights, tmp_path), replace(DATA, features=tmp_path / "features"))
    (path,) = (tmp_path / "features").glob("*.npy")
    marks = np.load(path)[:, -1]
    # A row that was computed ends with its checksum, which is never 0.
    np.testing.assert_array_equal(marks != 0, [True] * 40 + [False] * 7)


def test_features_are_computed_once_for_all_settings_of_the_head(
    weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = replace(DATA, features=tmp_path / "features")
    trained(task(weights, tmp_path), data)
    monkeypatch.setattr(transfer, "features_of", lambda *_: pytest.fail("computed again"))
    other = task(
        weights, tmp_path, values={"dense_units": 8, "dropout": 0.0, "learning_rate": 0.01}, seed=5
    )
    assert trained(other, data).failure is None


def test_features_of_another_size_are_others(weights: str, tmp_path: Path) -> None:
    data = replace(DATA, features=tmp_path / "features")
    trained(task(weights, tmp_path), data)
    trained(task(weights, tmp_path, values={"input_size": 40}), data)
    assert len(list((tmp_path / "features").glob("*.npy"))) == 2


def test_flip_computes_a_mirrored_view_too(weights: str, tmp_path: Path) -> None:
    flipped = replace(DATA, inputs=DATA.inputs[:, :, ::-1])
    trained(task(weights, tmp_path, values={"flip": True}), replace(DATA, features=tmp_path / "a"))
    trained(task(weights, tmp_path), replace(flipped, features=tmp_path / "b"))
    (mirrored,) = (tmp_path / "a").glob("*mirrored.npy")
    (of_flipped,) = (tmp_path / "b").glob("*as_is.npy")
    np.testing.assert_array_equal(np.load(mirrored)[:40], np.load(of_flipped)[:40])


def test_without_a_folder_features_are_kept_in_memory(weights: str, tmp_path: Path) -> None:
    with_folder = trained(task(weights, tmp_path), replace(DATA, features=tmp_path / "features"))
    (tmp_path / "t.npz").unlink()
    without = trained(task(weights, tmp_path), DATA)
    assert [epoch.metrics for epoch in without.epochs] == [
        epoch.metrics for epoch in with_folder.epochs
    ]


def test_finished_model_of_a_head_predicts_from_images_what_the_head_does_from_features(
    weights: str, tmp_path: Path
) -> None:
    order = task(weights, tmp_path, values={"dropout": 0.0})
    trained(order, DATA)
    whole = finished_model(MODEL, order.values, DATA.spec, tmp_path / "t.npz")
    features = transfer.features_of(DATA.inputs[:5], MODEL, order.values, DATA.spec)
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


def test_stop_while_features_are_computed_leaves_nothing_half_done(
    weights: str, tmp_path: Path
) -> None:
    result = trained(
        task(weights, tmp_path), replace(DATA, features=tmp_path / "f"), is_stopping=lambda: True
    )
    assert (result.ended_by, result.epochs, result.failure) == ("request", (), None)
    assert not (tmp_path / "t.npz").exists()


def test_deadline_that_has_passed_lets_features_and_a_first_epoch_end(
    weights: str, tmp_path: Path
) -> None:
    result = trained(
        task(weights, tmp_path, stop_at=time.time() - 1), replace(DATA, features=tmp_path / "f")
    )
    assert (result.ended_by, len(result.epochs), result.failure) == ("deadline", 1, None)


def test_full_disk_under_the_features_is_no_fault_of_the_setting(
    weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tuner.training.features.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        trained(task(weights, tmp_path), replace(DATA, features=tmp_path / "f"))


def test_every_backbone_of_the_vocabulary_is_in_the_catalogue() -> None:
    from tuner.space.vocabulary import BACKBONE_NAMES

    assert tuple(BACKBONES) == BACKBONE_NAMES
