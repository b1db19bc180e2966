"""Every image is predicted by a training that has not seen it; a stopped command goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.data.samples import random_images
from tests.images import banded_images, image_spec, tiny_dataset
from tests.store.recipes import make_recipe
from tuner.data.cards.card import Card
from tuner.data.dataset import Dataset, load_dataset
from tuner.data.images import make_images
from tuner.data.splits.split import make_split
from tuner.data.splits.split_rules import Policies, Splits
from tuner.errors import DataError
from tuner.pipeline.training_data import training_data
from tuner.production.out_of_fold import Plan, cut_parts, predict_out_of_fold
from tuner.records.events import EpochEnded, Event, Notice
from tuner.space.split_settings import SplitSettings


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """Sixty banded images of two classes, among them two identical ones."""
    x, y = banded_images(60, image_spec())
    same = np.flatnonzero(y == 0)[:2]
    x[same[1]] = x[same[0]]
    np.savez(tmp_path / "a.npz", x=x, y=y)
    card = Card.model_validate(
        {
            "name": "tiny",
            "title": "tiny",
            "files": {"type": "npz", "path": "a.npz"},
            "image": {"height": 8, "width": 8, "channels": 1},
            "class_names": ["c0", "c1"],
        }
    )
    return load_dataset(card, tmp_path, SplitSettings(seed=0))


def test_no_image_is_predicted_by_what_trained_on_it(dataset: Dataset) -> None:
    parts = cut_parts(dataset, 4, 0, with_test=True).parts
    assert len(parts) == 4
    everything = np.sort(np.concatenate([part.predicted for part in parts]))
    assert np.array_equal(everything, np.arange(60))
    test, copy_of = dataset.split.test, dataset.images.copy_of
    for part in parts:
        assert not np.intersect1d(part.train, part.predicted).size
        assert not np.intersect1d(part.train, test).size
        assert not np.intersect1d(copy_of[part.train], copy_of[part.predicted]).size


def test_a_sealed_test_part_stays_out(dataset: Dataset) -> None:
    parts = cut_parts(dataset, 3, 0, with_test=False).parts
    predicted = np.concatenate([part.predicted for part in parts])
    assert not np.intersect1d(predicted, dataset.split.test).size


def test_folds_are_at_most_as_many_as_a_class_has_images_apart(dataset: Dataset) -> None:
    labels, (fold, *_) = dataset.images.labels, dataset.split.folds
    pool = np.setdiff1d(np.arange(60), dataset.split.test)

    def with_few(n: int) -> Dataset:
        kept = np.sort(np.r_[pool[labels[pool] == 0][-n:], pool[labels[pool] == 1]])
        few = replace(fold, train=kept, validation=kept[:0])
        return replace(dataset, split=replace(dataset.split, folds=(few,)))

    few = cut_parts(with_few(3), 5, 0, with_test=False)
    assert len(few.parts) == 3
    assert few.limit.startswith('3 folds instead of 5: class "c0" has no more images')
    assert cut_parts(with_few(3), 3, 0, with_test=False).limit == ""
    with pytest.raises(DataError, match='class "c0" has 1 distinct image; at least 2'):
        cut_parts(with_few(1), 5, 0, with_test=False)


def declared(near: Sequence[Sequence[int]]) -> Dataset:
    """Forty images that train or validate and twenty that test, as the data declare."""
    labels = [0, 1] * 30
    images = make_images(
        name="tiny",
        images=random_images(60),
        labels=labels,
        parts=["train"] * 40 + ["test"] * 20,
        origins=[f"image {i}" for i in range(60)],
        class_names=["c0", "c1"],
        groups=(),
    )
    near_group = images.near_group.copy()
    for members in near:
        near_group[list(members)] = near_group[members[0]]
    images = replace(images, near_group=near_group)
    split = make_split(images, SplitSettings(seed=1), Splits(), Policies(duplicates="keep"))
    assert split.is_official
    return replace(tiny_dataset(), images=images, split=split)


def test_a_test_image_goes_to_the_fold_of_its_near_copies() -> None:
    sets = [(0, 2, 40, 42), (5, 43), (7, 45), (9, 11, 47), (12, 48), (44, 46)]
    dataset = declared(sets)
    cut = cut_parts(dataset, 4, 0, with_test=True)
    assert (cut.n_left_out, cut.limit) == (0, "")
    everything = np.concatenate([part.predicted for part in cut.parts])
    assert sorted(everything.tolist()) == list(range(60))
    near = dataset.images.near_group
    for part in cut.parts:
        assert not np.intersect1d(near[part.train], near[part.predicted]).size


def test_a_test_image_with_near_copies_in_several_folds_is_left_out() -> None:
    # They chain through a whole class, so that the folds part them.
    chained = [*range(0, 40, 2), 40, 42, 44]
    dataset = declared([chained])
    cut = cut_parts(dataset, 4, 0, with_test=True)
    assert cut.n_left_out == 3
    everything = np.concatenate([part.predicted for part in cut.parts])
    assert sorted(everything.tolist()) == sorted({*range(60)} - {40, 42, 44})
    assert cut_parts(dataset, 4, 0, with_test=False).n_left_out == 0


@pytest.mark.slow
def test_a_second_command_takes_over_what_was_predicted(dataset: Dataset, tmp_path: Path) -> None:
    recipe, data = replace(make_recipe(), image=dataset.spec), training_data(dataset, tmp_path)
    parts = cut_parts(dataset, 2, 0, with_test=False).parts
    plan = Plan(parts=parts, epochs=2, fingerprint=dataset.images.fingerprint)
    told: list[Event] = []
    folder = tmp_path / "labels"
    folder.mkdir()
    first = predict_out_of_fold(recipe, data, plan, folder, told.append)
    assert sum(isinstance(event, EpochEnded) for event in told) == 4
    assert first.probabilities.sum(axis=1) == pytest.approx(np.ones(len(first.rows)), abs=1e-5)
    files = sorted(folder.iterdir())
    assert len(files) == 2
    # As after `kill -9` in the second fold: the first one's predictions are there, the other's not.
    files[1].write_bytes(b"half")
    told.clear()
    second = predict_out_of_fold(recipe, data, plan, folder, told.append)
    assert sum(isinstance(event, EpochEnded) for event in told) == 2
    assert [e.text for e in told if isinstance(e, Notice)] == ["fold 1 of 2 was predicted before"]
    assert np.array_equal(first.probabilities, second.probabilities)
    # Of other labels nothing is taken over.
    told.clear()
    other = replace(data, labels=np.where(data.labels >= 0, 1 - data.labels, data.labels))
    predict_out_of_fold(recipe, other, plan, folder, told.append)
    assert sum(isinstance(event, EpochEnded) for event in told) == 4
    assert len(list(folder.iterdir())) == 2
