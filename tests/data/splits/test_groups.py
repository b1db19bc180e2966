"""Groups, copies and nearly identical images stay together in a split."""

from __future__ import annotations

import numpy as np
import pytest

from tests.data.splits.split_images import (
    assert_partition,
    assert_whole,
    contents,
    images_of,
    near_copies,
    pixel_copies,
    split_of,
)


@pytest.mark.parametrize("seed", range(5))
def test_identical_images_stay_together(seed: int) -> None:
    images = images_of([0, 1, 2] * 60, copies=60)
    split = split_of(images, seed=seed)
    assert_partition(images, split)
    train, validation, test = (
        contents(images, part) for part in (split.train, split.validation, split.test)
    )
    assert not train & validation
    assert not train & test
    assert not validation & test


def test_identical_images_of_two_classes_stay_together() -> None:
    images = images_of([0, 1] * 40)
    images.images[1] = images.images[0]
    split = split_of(images, seed=3)
    assert any({0, 1} <= set(part.tolist()) for part in (split.train, split.validation, split.test))


@pytest.mark.parametrize("seed", range(5))
def test_groups_are_never_parted(seed: int) -> None:
    groups = [f"person {i // 4}" for i in range(240)]
    images = images_of([i // 4 % 2 for i in range(240)], groups=groups)
    split = split_of(images, seed=seed)
    sets = [range(i, i + 4) for i in range(0, 240, 4)]
    assert len(split.test) == 48
    assert_whole(images, split.test.tolist(), sets)
    for fold in split.folds:
        assert_whole(images, fold.train.tolist(), sets)
        assert_whole(images, fold.validation.tolist(), sets)
    assert split.rule.startswith("Test: stratified 20 % of all images. ")
    assert split.rule.endswith(" Groups stay together.")


def test_copies_in_two_groups_join_them() -> None:
    groups = [f"person {i // 4}" for i in range(240)]
    images = pixel_copies(images_of([i // 4 % 2 for i in range(240)], groups=groups), (0, 9))
    for seed in range(10):
        split = split_of(images, seed=seed)
        assert_whole(images, split.test.tolist(), [[*range(4), *range(8, 12)]])


def test_images_without_a_group_are_groups_of_their_own() -> None:
    groups = ["a"] * 10 + [""] * 90
    split = split_of(images_of([0, 1] * 50, groups=groups))
    assert_whole(images_of([0, 1]), split.test.tolist(), [range(10)])
    assert len(split.test) == 20


def test_two_groups_of_a_class_both_give_test_images_and_are_folds() -> None:
    groups = [f"series {i % 4}" for i in range(80)]
    images = images_of([i % 2 for i in range(80)], groups=groups)
    split = split_of(images)
    assert np.unique(images.groups[split.test], return_counts=True)[1].tolist() == [4, 4, 4, 4]
    assert len(split.folds) == 2
    for fold in split.folds:
        assert not set(images.groups[fold.train]) & set(images.groups[fold.validation])
    assert (
        split.rule
        == "Test: stratified 20 % of all images (taken from within the groups, which are on both"
        " sides). Validation: each of 2 stratified folds of the rest once (groups stay together)."
    )


def test_a_single_group_of_a_class_is_cut_for_validation_too() -> None:
    images = images_of([i % 2 for i in range(80)], groups=[f"series {i % 2}" for i in range(80)])
    split = split_of(images)
    assert len(split.folds) == 1
    assert_partition(images, split)
    assert (len(split.validation), len(split.test)) == (13, 16)
    assert split.rule.endswith(
        "% of the rest. Taken from within the groups, which are on both sides."
    )


@pytest.mark.parametrize("seed", range(5))
def test_near_identical_images_are_never_parted(seed: int) -> None:
    sets = [range(i, i + 2) for i in range(0, 120, 2)]
    images = near_copies(images_of([i // 2 % 2 for i in range(200)]), sets)
    split = split_of(images, seed=seed)
    assert_whole(images, split.test.tolist(), sets)
    for fold in split.folds:
        assert_whole(images, fold.train.tolist(), sets)
    assert split.rule.startswith(
        "Test: stratified 20 % of all images. Validation: each of 5 stratified folds of the rest"
        " once. Near-identical images stay together."
    )


@pytest.mark.parametrize("seed", range(5))
def test_near_identical_images_join_groups(seed: int) -> None:
    images = images_of(
        [i // 4 % 2 for i in range(240)], groups=[f"person {i // 4}" for i in range(240)]
    )
    split = split_of(near_copies(images, [(0, 9), (2, 30)]), seed=seed)
    sets = [
        [*range(4), *range(8, 12), *range(28, 32)],
        *(range(i, i + 4) for i in range(0, 240, 4)),
    ]
    for part in (split.test, *(fold.validation for fold in split.folds)):
        assert_whole(images, part.tolist(), sets)
    assert len(split.folds) == 5
    assert split.rule.endswith(" Groups and near-identical images stay together.")


@pytest.mark.parametrize("seed", range(5))
def test_near_identical_images_without_a_group_stay_together_where_all_chain_too_far(
    seed: int,
) -> None:
    groups = [f"person {i // 4}" if i < 120 else "" for i in range(240)]
    images = images_of([i // 120 for i in range(240)], groups=groups)
    # The first set holds an image of each person, so that with it the first class would be one
    # unit.
    loose = [(i, i + 1) for i in range(120, 240, 2)]
    split = split_of(near_copies(images, [range(0, 120, 4), *loose]), seed=seed)
    sets = [*loose, *(range(i, i + 4) for i in range(0, 120, 4))]
    for part in (split.test, *(fold.validation for fold in split.folds)):
        assert_whole(images, part.tolist(), sets)
    assert split.rule.endswith(
        " Groups stay together, and near-identical images without a group; the others chain too"
        " far."
    )


def test_groups_of_the_card_stay_whole_where_near_identical_sets_chain_too_far() -> None:
    images = images_of(
        [i // 4 % 2 for i in range(240)], groups=[f"person {i // 4}" for i in range(240)]
    )
    split = split_of(near_copies(images, [range(240)]))
    for part in (split.test, *(fold.validation for fold in split.folds)):
        assert_whole(images, part.tolist(), [range(i, i + 4) for i in range(0, 240, 4)])
    assert (len(split.test), len(split.folds)) == (48, 5)
    assert split.rule.endswith(" Groups stay together; near-identical ones chain too far.")


def test_one_group_leaves_near_identical_images_of_others_together() -> None:
    sets = [range(i, i + 2) for i in range(20, 200, 2)]
    images = near_copies(
        images_of([i // 2 % 2 for i in range(200)], groups=["a"] * 10 + [""] * 190), sets
    )
    for seed in range(5):
        split = split_of(images, seed=seed)
        for part in (split.test, *(fold.validation for fold in split.folds)):
            assert_whole(images, part.tolist(), [range(10), *sets])


def test_near_identical_sets_that_hold_a_whole_class_are_ignored() -> None:
    images = near_copies(images_of([0, 1] * 40, copies=2), [range(0, 80, 2)])
    split = split_of(images)
    assert (len(split.test), len(split.folds)) == (16, 5)
    assert_whole(images, split.test.tolist(), [(0, 79), (1, 78)])
    assert split.rule.endswith(
        " Identical images stay together; near-identical ones chain too far."
    )
