"""Outer folds of nested cross-validation: each image tests once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tests.data.splits.split_images import contents, images_of, pixel_copies, split_of
from tuner.data.images import Images
from tuner.data.splits.split import Split, n_outer_folds
from tuner.data.splits.split_rules import Policies
from tuner.errors import ConfigurationError, DataError


def outer_splits(images: Images, **fields: Any) -> list[Split]:
    """The splits of nested cross-validation."""
    return [
        split_of(images, outer=i, **fields) for i in range(1, n_outer_folds(images, Policies()) + 1)
    ]


def assert_each_tests_once(images: Images, found: Sequence[Split]) -> None:
    tested = np.concatenate([split.test for split in found])
    assert sorted(tested.tolist()) == list(range(len(images.labels)))
    for split in found:
        seen = {*split.folds[0].train.tolist(), *split.folds[0].validation.tolist()}
        assert seen == set(range(len(images.labels))) - set(split.test.tolist())


@pytest.mark.parametrize("seed", range(3))
def test_outer_folds_test_every_image_once_and_leave_inner_folds(seed: int) -> None:
    images = images_of([0, 1] * 40, copies=20)
    found = outer_splits(images, seed=seed)
    assert_each_tests_once(images, found)
    assert [len(split.folds) for split in found] == [5] * 5
    for split in found:
        assert not contents(images, split.test) & contents(
            images, np.concatenate([split.train, split.validation])
        )
        assert np.bincount(images.labels[split.test]).min() >= 6
    assert (
        found[1].rule
        == "Test: outer fold 2 of 5. Validation: each of 5 stratified folds of the rest once."
        " Identical images stay together."
    )


def test_outer_folds_are_no_more_than_the_distinct_images_of_a_class() -> None:
    images = images_of([0] * 20 + [1] * 3)
    found = outer_splits(images)
    assert_each_tests_once(images, found)
    assert [len(split.folds) for split in found] == [2, 2, 2]


def test_groups_are_never_parted_by_outer_folds() -> None:
    images = images_of(
        [i // 4 % 2 for i in range(96)], groups=[f"person {i // 4}" for i in range(96)]
    )
    found = outer_splits(images)
    assert_each_tests_once(images, found)
    for split in found:
        assert not set(images.groups[split.test]) & set(images.groups[split.train])
    assert found[0].rule.startswith("Test: outer fold 1 of 5. ")
    assert found[0].rule.endswith(" Groups stay together.")


def test_two_groups_of_a_class_both_give_images_to_each_outer_fold() -> None:
    images = images_of([i % 2 for i in range(80)], groups=[f"series {i % 4}" for i in range(80)])
    found = outer_splits(images)
    assert_each_tests_once(images, found)
    for split in found:
        assert np.unique(images.groups[split.test], return_counts=True)[1].tolist() == [4, 4, 4, 4]
        assert len(split.folds) == 2


def test_dropped_images_are_in_no_outer_fold() -> None:
    images = pixel_copies(images_of([0, 1] * 40), (1, 0))
    tested = np.concatenate([split.test for split in outer_splits(images)])
    assert sorted(tested.tolist()) == list(range(2, 80))


def test_outer_folds_keep_to_the_seed() -> None:
    images = images_of([0, 1] * 40)
    first, again, other = (split_of(images, outer=1, seed=seed).test.tolist() for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_limit_never_touches_an_outer_fold() -> None:
    images = images_of([0, 1] * 40)
    assert (
        split_of(images, outer=2, limit=30).test.tolist() == split_of(images, outer=2).test.tolist()
    )


def test_outer_fold_that_is_not_there_is_refused() -> None:
    for number in (0, 6):
        with pytest.raises(ConfigurationError) as caught:
            split_of(images_of([0, 1] * 40), outer=number)
        assert (
            caught.value.message == f"tiny: outer fold {number} is to test, but there are 5 of them"
        )
        assert caught.value.hint == "take one of 1 to 5."


def test_outer_folds_of_a_given_test_part_are_refused() -> None:
    images = images_of([0, 1] * 40, ["train"] * 60 + ["test"] * 20)
    for refused in (lambda: n_outer_folds(images, Policies()), lambda: split_of(images, outer=1)):
        with pytest.raises(ConfigurationError) as caught:
            refused()
        assert (
            caught.value.message
            == "tiny: nested cross-validation tests every image in turn, but these data give a test"
            " part of 20 images, and only scores on that part can be compared with others'"
        )
        assert caught.value.hint == "leave --nested out."


def test_too_few_images_for_outer_folds_are_an_error() -> None:
    with pytest.raises(DataError) as caught:
        n_outer_folds(images_of([0] * 20 + [1] * 2), Policies())
    assert (
        caught.value.message
        == 'tiny: class "class 1" has 2 distinct images; at least 3 are needed to split'
    )
