"""Features in place of images: computed once, only for the needed images, by any training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.transfer.small_network import DATA, task, trained
from tuner.training.transfer import extraction

pytestmark = pytest.mark.slow


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
    monkeypatch.setattr(extraction, "features_of", lambda *_: pytest.fail("computed again"))
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


def test_stop_while_features_are_computed_leaves_nothing_half_done(
    weights: str, tmp_path: Path
) -> None:
    result = trained(
        task(weights, tmp_path), replace(DATA, features=tmp_path / "f"), is_stopping=lambda: True
    )
    assert (result.ended_by, result.epochs, result.failure) == ("request", (), None)
    assert not (tmp_path / "t.npz").exists()


def test_full_disk_under_the_features_is_no_fault_of_the_setting(
    weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tuner.training.transfer.features.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        trained(task(weights, tmp_path), replace(DATA, features=tmp_path / "f"))
