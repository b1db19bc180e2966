"""A frozen network's features: computed batch by batch, once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.images import image_spec, training_data
from tuner.models.efficientnet import NoPretrainedWeightsError
from tuner.retrain import features
from tuner.retrain.features import with_features

DATA = training_data(40, 10, n_rest=7)


def means(images: np.ndarray) -> np.ndarray:
    """A frozen network that a test can check: 1408 times the image's mean."""
    return np.repeat(images.mean(axis=(1, 2, 3))[:, None], 1408, axis=1)


def never() -> bool:
    return False


def after(n: int) -> Callable[[], bool]:
    """Says `n` times that it goes on."""
    answers: Iterator[bool] = iter([False] * n)
    return lambda: next(answers, True)


def test_features_take_the_place_of_images_and_test_rows_stay_empty(tmp_path: Path) -> None:
    found = with_features(DATA, means, tmp_path / "features.npy", never)
    assert found is not None
    assert (found.inputs.shape, found.inputs.dtype) == ((57, 1408), np.float32)
    np.testing.assert_allclose(found.inputs[:50, 0], DATA.inputs[:50].mean(axis=(1, 2, 3)), rtol=1e-5)
    assert not found.inputs[50:].any()
    np.testing.assert_array_equal(found.labels, DATA.labels)


def test_features_that_are_there_are_not_computed_again(tmp_path: Path) -> None:
    first = with_features(DATA, means, tmp_path / "features.npy", never)
    again = with_features(DATA, lambda images: pytest.fail("computed again"), tmp_path / "features.npy", never)
    assert first is not None
    assert again is not None
    np.testing.assert_array_equal(first.inputs, again.inputs)


@pytest.mark.parametrize(("n_answers", "n_batches"), [(0, 0), (1, 0), (3, 2)])
def test_stops_between_batches_and_leaves_no_part_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_answers: int, n_batches: int
) -> None:
    monkeypatch.setattr(features, "PREDICT_BATCH", 10)
    seen: list[int] = []

    def counted(images: np.ndarray) -> np.ndarray:
        seen.append(len(images))
        return means(images)

    assert with_features(DATA, counted, tmp_path / "features.npy", after(n_answers)) is None
    assert seen == [10] * n_batches
    assert list(tmp_path.iterdir()) == []


def test_extractor_predicts_with_the_frozen_network(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = keras.layers.Input((8, 8, 1))
    frozen = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(inputs))
    monkeypatch.setattr(features, "build_extractor", lambda values, spec: frozen)
    found = features.extractor({"input_size": 32}, image_spec())(DATA.inputs[:3])
    np.testing.assert_allclose(found[:, 0], DATA.inputs[:3].mean(axis=(1, 2, 3)), rtol=1e-5)


def test_extractor_without_weights_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(values: Any, spec: Any) -> keras.Model:
        raise NoPretrainedWeightsError("no network")

    monkeypatch.setattr(features, "build_extractor", refuse)
    with pytest.raises(NoPretrainedWeightsError, match="no network"):
        features.extractor({"input_size": 32}, image_spec())
