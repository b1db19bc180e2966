"""Iterables of batches are read once, and are the same data set each time."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pandas as pd
import psutil
import pytest

from tests.api.given_data.test_arrays import RNG, X, Y, load
from tuner.api.given_data.batches import read_batches
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
        (iter([]), "yields no batches"),
        (iter([(X, Y, Y)]), "a batch is 3 parts; expected (x, y)"),
        (iter([X]), "a batch is ndarray of shape (12, 8, 8, 3); expected (x, y)"),
        (iter([{"picture": X, "label": Y}]), "expected (x, y)"),
        (
            iter([(X[0], np.eye(8)[2])]),
            "may be a batch of grey images, or one image with a one-hot",
        ),
        (iter([(X, Y[:-1])]), "a batch has 12 images, but 11 labels"),
        (iter([(X, Y), (X, np.eye(3)[Y])]), "some labels are one-hot and others are not"),
        (iter([(X, Y), (X[:, :4], Y)]), "images are of different sizes, 8 x 8 x 3 and 4 x 8 x 3"),
    ],
)
def test_other_batches_are_refused(tmp_path: Path, given: Any, message: str) -> None:
    with pytest.raises(DataError) as raised:
        place_of(given, data_root=tmp_path)
    assert message in raised.value.message


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["ape", "bee", "cat"], dtype=object)[Y],
        np.array([b"ape", b"bee", b"cat"], dtype=object)[Y],
        pd.Series(np.array(["ape", "bee", "cat"])[Y]),
    ],
    ids=["objects", "bytes", "Series"],
)
def test_labels_may_be_text(tmp_path: Path, labels: Any) -> None:
    found = load(tmp_path, iter([(X, labels)]))
    known = {image.tobytes(): label for image, label in zip(X, Y, strict=True)}
    assert found.class_names == ("ape", "bee", "cat")
    assert [known[image.tobytes()] for image in found.images] == found.labels.tolist()


def test_text_of_several_lengths_is_the_same_in_other_batches(tmp_path: Path) -> None:
    labels = np.array(["a", "bee", "rhino"])[Y]
    first = iter([(X[:1], labels[:1]), (X[1:], labels[1:])])
    assert place_of(first, data_root=tmp_path) == place_of(iter([(X, labels)]), data_root=tmp_path)


def test_grey_images_with_an_image_of_the_second_class_are_a_batch(tmp_path: Path) -> None:
    grey = np.repeat(X[..., 0], 2, axis=2)
    found = load(tmp_path, iter([(grey, np.arange(12) == 4)]))
    assert found.images.shape == (12, 8, 16, 1)


def test_reading_takes_room_for_two_copies_of_the_images(tmp_path: Path) -> None:
    # More than numpy's and hashlib's own needs.
    batches = [(RNG.integers(0, 256, (100, 64, 64, 3), np.uint8), np.arange(100) % 2)] * 10
    n_bytes = sum(x.nbytes for x, _ in batches)
    tracemalloc.start()
    try:
        read_batches(((x.copy(), y) for x, y in batches), "here", tmp_path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2.2 * n_bytes


def test_more_than_a_third_of_the_free_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = SimpleNamespace(available=2.9 * X.nbytes)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    with pytest.raises(DataError, match="a third of the free memory"):
        place_of(iter([(X, Y)]), data_root=tmp_path)


def test_a_data_set_without_an_end_is_refused_before_it_is_read(tmp_path: Path) -> None:
    class Repeated(Loader):
        def cardinality(self) -> int:
            return -1

        def __iter__(self) -> Iterator[list[Tensor]]:
            raise AssertionError

    with pytest.raises(DataError, match="repeats without end"):
        place_of(Repeated(0), data_root=tmp_path)


def test_reading_ends_at_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNER_CACHE_LIMIT", "5KB")

    def forever() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for _ in range(4):
            yield X, Y
        raise AssertionError

    with pytest.raises(DataError, match="the images take"):
        place_of(forever(), data_root=tmp_path)
