"""Iterables of batches are read once, and are the same data set each time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.api.given_data.test_arrays import X, Y, load
from tuner.api.given_data.place import place_of
from tuner.errors import DataError


class Sequence(keras.utils.PyDataset):
    def __len__(self) -> int:
        return 3

    def __getitem__(self, at: int) -> tuple[np.ndarray, np.ndarray]:
        return X[4 * at : 4 * at + 4], Y[4 * at : 4 * at + 4]


class Tensor:
    """As PyTorch's: NumPy gets it without its gradients only."""

    def __init__(self, values: Any, *, is_detached: bool = False) -> None:
        self.values, self.is_detached = np.asarray(values), is_detached

    def detach(self) -> Tensor:
        return Tensor(self.values, is_detached=True)

    def cpu(self) -> Tensor:
        return self

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        assert self.is_detached
        return self.values


class Loader:
    """As PyTorch's `DataLoader`: channels first, floats of 0 to 1, in another order each time."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __len__(self) -> int:
        return 3

    def __iter__(self) -> Iterator[list[Tensor]]:
        order = np.random.default_rng(self.seed).permutation(12)
        for rows in np.split(order, 3):
            yield [Tensor(np.moveaxis(X[rows], -1, 1) / np.float32(255)), Tensor(Y[rows])]


def tf_data() -> Any:
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices((X, Y))


GIVEN = {
    "PyDataset": Sequence,
    "DataLoader": lambda: Loader(0),
    "generator": lambda: ((x[None], y[None]) for x, y in zip(X, Y, strict=True)),
    "single images": lambda: zip(X, Y, strict=True),
    "dicts": lambda: iter([{"image": X, "label": Y}]),
}
if keras.backend.backend() == "tensorflow":
    GIVEN |= {
        "tf.data": lambda: tf_data().shuffle(12, seed=1).batch(5),
        "tf.data, single images": tf_data,
    }


@pytest.mark.parametrize("name", sorted(GIVEN))
def test_all_images_are_read_with_their_labels(tmp_path: Path, name: str) -> None:
    found = load(tmp_path, GIVEN[name]())
    assert len(found.images) == 12
    known = {image.tobytes(): label for image, label in zip(X, Y, strict=True)}
    for image, label in zip(found.images, found.labels, strict=True):
        assert known[image.tobytes()] == label


def test_a_shuffled_data_set_is_the_same_one(tmp_path: Path) -> None:
    places = {place_of(Loader(seed), data_root=tmp_path) for seed in (0, 1)}
    assert len(places) == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (iter([]), "gives no batches"),
        (iter([(X, Y, Y)]), "a batch is 3 parts; expected (x, y)"),
        (iter([X]), "a batch is ndarray of shape (12, 8, 8, 3); expected (x, y)"),
        (iter([{"picture": X, "label": Y}]), "expected (x, y)"),
        (iter([(X, Y), (X[:, :4], Y)]), "images are of different sizes, 8 x 8 x 3 and 4 x 8 x 3"),
    ],
)
def test_other_batches_are_refused(tmp_path: Path, given: Any, message: str) -> None:
    with pytest.raises(DataError) as raised:
        place_of(given, data_root=tmp_path)
    assert message in raised.value.message


def test_a_data_set_without_an_end_is_refused_before_it_is_read(tmp_path: Path) -> None:
    class Repeated(Loader):
        def cardinality(self) -> int:
            return -1

        def __iter__(self) -> Iterator[list[Tensor]]:
            raise AssertionError

    with pytest.raises(DataError, match="repeats for ever"):
        place_of(Repeated(0), data_root=tmp_path)


def test_reading_ends_at_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNER_CACHE_LIMIT", "5KB")

    def forever() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for _ in range(4):
            yield X, Y
        raise AssertionError

    with pytest.raises(DataError, match="the images take"):
        place_of(forever(), data_root=tmp_path)
