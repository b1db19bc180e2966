"""A data set as a run sees it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.data.samples import make_card, random_images
from tuner.data.dataset import load_dataset, pixel_statistics, summary
from tuner.space.definition import SplitSettings


def test_statistics_are_those_of_the_training_part(tmp_path: Path) -> None:
    x = random_images(100, channels=3)
    np.savez(tmp_path / "a.npz", x=x, y=np.arange(100) % 2)
    dataset = load_dataset(make_card({"type": "npz", "path": "a.npz"}, channels=3), tmp_path, SplitSettings(seed=1))
    train = x[dataset.split.train].reshape(-1, 3).astype(np.float64)
    assert dataset.spec.mean == pytest.approx(train.mean(axis=0))
    assert dataset.spec.std == pytest.approx(train.std(axis=0))
    assert dataset.spec.shape == (4, 4, 3)


def test_statistics_of_white_images_do_not_overflow() -> None:
    mean, std = pixel_statistics(np.full((1100, 8, 8, 1), 255, dtype=np.uint8), np.arange(1100))
    assert (mean, std) == ((255.0,), (0.0,))


def test_summary_counts_every_part(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=random_images(100), y=np.arange(100) % 2)
    dataset = load_dataset(make_card({"type": "npz", "path": "a.npz"}), tmp_path, SplitSettings(seed=1, limit=40))
    found = summary(dataset)
    assert (found.n_train, found.n_validation, found.n_test) == (32, 8, 20)
    assert found.train_counts == (16, 16)
    assert (found.name, found.title, found.limit, found.n_unreadable) == ("tiny", "Tiny", 40, 0)
    assert found.fingerprint == dataset.images.fingerprint
