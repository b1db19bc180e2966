"""Splits keep given parts and copies together, are stratified, and leave the test part alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.data.samples import random_images
from tuner.data.images import Images, make_images
from tuner.data.splits.split import Split, make_split, n_outer_folds
from tuner.data.splits.split_rules import Policies, Splits
from tuner.errors import ConfigurationError, DataError
from tuner.space.split_settings import SplitSettings, SplitSizes

# What seed 7 has given since the splits were written.
KNOWN_TEST = [5, 6, 11, 12, 14, 18, 25, 35, 37, 44, 49, 60, 63, 69, 72, 75, 83, 84]
KNOWN_VALIDATION = [3, 8, 16, 17, 20, 22, 24, 28, 40, 45, 48, 53, 79, 81, 86]


def images_of(
    labels: Sequence[int],
    parts: Sequence[str] | None = None,
    copies: int = 0,
    groups: Sequence[str] = (),
) -> Images:
    """Images of noise; the last `copies` are exact copies of the first ones, labels included."""
    labels = list(labels)
    pixels = random_images(len(labels))
    for i in range(copies):
        pixels[-1 - i] = pixels[i]
        labels[-1 - i] = labels[i]
    n_classes = max(labels) + 1
    return make_images(
        name="tiny",
        images=pixels,
        labels=labels,
        parts=parts or [""] * len(labels),
        origins=[f"image {i}" for i in range(len(labels))],
        class_names=[f"class {i}" for i in range(n_classes)],
        groups=groups,
    )


def pixel_copies(images: Images, *pairs: tuple[int, int]) -> Images:
    """The same data, with copies of other images at some places: pairs of copy and original."""
    pixels = images.images.copy()
    for copy, original in pairs:
        pixels[copy] = pixels[original]
    fields = {
        name: getattr(images, name)
        for name in ("name", "labels", "parts", "origins", "class_names", "groups")
    }
    return make_images(images=pixels, **fields | {"groups": images.groups.tolist()})


def near_copies(images: Images, sets: Sequence[Sequence[int]]) -> Images:
    """The same data, some of whose images are said to be near-identical."""
    near_group = images.near_group.copy()
    for members in sets:
        near_group[list(members)] = near_group[members[0]]
    return replace(images, near_group=near_group)


def split_of(
    images: Images, *, seed: int = 1, splits: Splits | None = None, **fields: Any
) -> Split:
    """A split; the fields are those of the settings and of the policies."""
    policies = {name: fields.pop(name) for name in ("duplicates", "conflicting") if name in fields}
    return make_split(
        images, SplitSettings(seed=seed, **fields), splits or Splits(), Policies(**policies)
    )


def assert_whole(images: Images, part: Sequence[int], sets: Sequence[Sequence[int]]) -> None:
    for members in sets:
        assert len(set(members) & set(part)) in (0, len(members))


def assert_partition(images: Images, split: Split) -> None:
    together = np.concatenate([split.train, split.validation, split.test])
    assert sorted(together.tolist()) == list(range(len(images.labels)))
    for part in (split.train, split.validation, split.test):
        assert part.dtype == np.int64
        assert (np.diff(part) > 0).all()


def contents(images: Images, part: np.ndarray) -> set[bytes]:
    return {images.images[i].tobytes() for i in part}


def test_without_parts_a_tenth_tests_and_a_tenth_of_the_rest_validates() -> None:
    images = images_of([0, 0, 0, 1] * 250)
    split = split_of(images, seed=1)
    assert_partition(images, split)
    assert (len(split.train), len(split.validation), len(split.test)) == (810, 90, 100)
    assert np.bincount(images.labels[split.test]).tolist() == [75, 25]
    assert np.bincount(images.labels[split.train]).tolist() in ([607, 203], [608, 202])
    assert (
        split.rule
        == "Test: stratified 10 % of all images. Validation: stratified 10 % of the rest."
        " Identical images stay together."
    )


def test_small_sets_seal_a_fifth() -> None:
    images = images_of([0, 1] * 40)
    split = split_of(images, seed=1)
    assert_partition(images, split)
    assert (len(split.train), len(split.validation), len(split.test)) == (51, 13, 16)
    assert np.bincount(images.labels[split.test]).tolist() == [8, 8]


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


def test_three_given_parts_are_kept() -> None:
    parts = ["train"] * 6 + ["validation"] * 4 + ["test"] * 2
    split = split_of(images_of([0, 1] * 6, parts), seed=1)
    assert split.train.tolist() == [0, 1, 2, 3, 4, 5]
    assert split.validation.tolist() == [6, 7, 8, 9]
    assert split.test.tolist() == [10, 11]
    assert split.rule == "Test: the given test part. Validation: the given validation part."


@pytest.mark.parametrize("held_out", ["validation", "test"])
def test_single_held_out_part_tests(held_out: str) -> None:
    images = images_of([0, 1] * 300, ["train"] * 500 + [held_out] * 100)
    for seed in (1, 2):
        split = split_of(images, seed=seed)
        assert_partition(images, split)
        assert split.test.tolist() == list(range(500, 600))
        assert len(split.validation) == 50


def test_same_seed_same_split_and_another_seed_another() -> None:
    images = images_of([0, 1] * 100)
    first, again, other = (split_of(images, seed=seed) for seed in (1, 1, 2))
    assert first.train.tolist() == again.train.tolist()
    assert first.test.tolist() == again.test.tolist()
    assert first.test.tolist() != other.test.tolist()


def test_limit_never_touches_the_test_part() -> None:
    images = images_of([0, 0, 0, 1] * 250)
    whole, limited = split_of(images, seed=1), split_of(images, seed=1, limit=200)
    assert limited.test.tolist() == whole.test.tolist()
    assert set(limited.train) < set(whole.train)
    assert set(limited.validation) < set(whole.validation)
    assert (len(limited.train), len(limited.validation)) == (180, 20)
    assert np.bincount(images.labels[limited.train]).tolist() == [135, 45]
    assert limited.rule.endswith(" Limited to a stratified 200 of training and validation.")


def test_limit_beyond_the_data_changes_nothing() -> None:
    images = images_of([0, 1] * 100)
    whole, limited = split_of(images, seed=1), split_of(images, seed=1, limit=160)
    assert limited.train.tolist() == whole.train.tolist()
    assert limited.rule == whole.rule


def test_limit_keeps_every_class_in_training() -> None:
    images = images_of([0] * 985 + [1] * 15)
    split = split_of(images, seed=1, limit=30)
    assert len(split.train) + len(split.validation) == 30
    assert np.count_nonzero(images.labels[split.train] == 1) == 1


def test_limit_below_the_number_of_classes_is_refused() -> None:
    with pytest.raises(ConfigurationError) as caught:
        split_of(images_of(list(range(10)) * 20), seed=1, limit=7)
    assert (
        caught.value.message
        == "the limit of 7 images leaves fewer than one training image for each of 10 classes"
    )


def test_sizes_take_the_first_images_in_file_order() -> None:
    images = images_of([0, 1] * 300, ["test"] * 100 + ["train"] * 500)
    split = split_of(images, seed=1, sizes=SplitSizes(train=30, validation=20))
    assert split.train.tolist() == list(range(100, 130))
    assert split.validation.tolist() == list(range(130, 150))
    assert split.test.tolist() == list(range(100))
    assert split.rule.endswith(
        "Training: the first 30 images of the training part. Validation: the next 20 (copies are"
        " not kept apart)."
    )


def test_sizes_beyond_the_data_are_refused() -> None:
    images = images_of([0, 1] * 10, ["train"] * 16 + ["test"] * 4)
    with pytest.raises(ConfigurationError) as caught:
        split_of(images, seed=1, sizes=SplitSizes(train=10, validation=7))
    assert caught.value.message == "split asks for 10 + 7 images, but the training part holds 16"


def test_class_with_one_image_is_named_with_its_count() -> None:
    with pytest.raises(DataError) as caught:
        split_of(images_of([0] * 20 + [1]), seed=1)
    assert (
        caught.value.message
        == 'tiny: class "class 1" has 1 distinct image; at least 3 are needed to split'
    )


def test_class_without_training_image_is_named() -> None:
    parts = ["train"] * 20 + ["test"] * 10
    with pytest.raises(DataError) as caught:
        split_of(images_of([0, 1] * 10 + [2] * 10, parts), seed=1)
    assert caught.value.message == 'tiny: class "class 2" has no training image'


def test_small_sets_validate_on_five_folds() -> None:
    images = images_of([0, 1] * 40)
    split = split_of(images)
    assert len(split.folds) == 5
    rest = sorted(set(range(80)) - set(split.test.tolist()))
    assert sorted(np.concatenate([fold.validation for fold in split.folds]).tolist()) == rest
    for fold in split.folds:
        assert sorted([*fold.train.tolist(), *fold.validation.tolist()]) == rest
        assert len(fold.validation) in (12, 13)
        assert np.ptp(np.bincount(images.labels[fold.validation])) <= 1
    assert split.train is split.folds[0].train
    assert split.validation is split.folds[0].validation
    assert (
        split.rule
        == "Test: stratified 20 % of all images. Validation: each of 5 stratified folds of the rest"
        " once. Identical images stay together."
    )


def test_card_decides_on_the_folds() -> None:
    assert len(split_of(images_of([0, 1] * 40), splits=Splits(folds=3)).folds) == 3
    assert len(split_of(images_of([0, 1] * 40), splits=Splits(folds=1)).folds) == 1
    assert len(split_of(images_of([0, 1] * 300), splits=Splits(folds=2)).folds) == 2
    assert len(split_of(images_of([0, 1] * 300)).folds) == 1


def test_folds_are_no_more_than_the_distinct_images_of_a_class() -> None:
    split = split_of(images_of([0] * 20 + [1] * 4))
    assert len(split.folds) == 3


def test_folds_of_a_given_validation_part_are_refused() -> None:
    parts = ["train"] * 6 + ["validation"] * 4 + ["test"] * 2
    with pytest.raises(ConfigurationError) as caught:
        split_of(images_of([0, 1] * 6, parts), splits=Splits(folds=5))
    assert caught.value.message == "tiny: splits.folds is 5, but the data give a validation part"
    assert caught.value.hint == "take folds, or the validation part, out of splits in the card."


def test_limits_hold_in_every_fold() -> None:
    split = split_of(images_of([0, 1] * 100), limit=50, max_train=30)
    assert [(len(fold.train), len(fold.validation)) for fold in split.folds] == [(30, 10)] * 5
    assert split.rule.endswith(
        " Limited to a stratified 50 of training and validation. Limited to a stratified 30"
        " training images."
    )


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


def test_conflicting_labels_are_left_out() -> None:
    images = pixel_copies(images_of([0, 1] * 100), (1, 0), (4, 2))
    split = split_of(images)
    assert split.dropped.conflicting.tolist() == [0, 1]
    assert split.dropped.reasons() == {0: "conflicting label", 1: "conflicting label"}
    assert sum(map(len, (split.train, split.validation, split.test))) == 198
    assert split.rule.endswith(" Left out: 2 with conflicting labels.")
    assert not split.is_official


def test_conflicting_labels_may_be_kept() -> None:
    images = pixel_copies(images_of([0, 1] * 100), (1, 0))
    for seed in range(10):
        split = split_of(images, seed=seed, conflicting="keep")
        assert_partition(images, split)
        assert_whole(images, split.test.tolist(), [(0, 1)])
        if 0 in split.test:
            assert not split.distinct_test[split.test < 2].any()


def test_given_test_part_stays_whole_and_its_copies_do_not_train() -> None:
    parts = ["train"] * 500 + ["test"] * 100
    images = pixel_copies(
        images_of([0, 1] * 300, parts), (510, 10), (512, 10), (521, 20), (540, 530)
    )
    split = split_of(images)
    assert split.test.tolist() == list(range(500, 600))
    assert split.dropped.copies_of_test.tolist() == [10]
    assert split.dropped.conflicting.tolist() == [20]
    assert split.test[~split.distinct_test].tolist() == [510, 512, 521, 540]
    assert split.is_official
    assert not {10, 20} & {*split.train.tolist(), *split.validation.tolist()}
    assert split.rule.endswith(" Left out: 1 with conflicting labels, 1 copies of test images.")


def test_copies_of_test_images_may_be_kept_and_still_count_as_seen() -> None:
    parts = ["train"] * 500 + ["test"] * 100
    images = pixel_copies(images_of([0, 1] * 300, parts), (510, 10))
    split = split_of(images, duplicates="keep")
    assert_partition(images, split)
    assert split.test[~split.distinct_test].tolist() == [510]


def test_copies_of_given_validation_images_do_not_train() -> None:
    parts = ["train"] * 300 + ["validation"] * 150 + ["test"] * 150
    images = pixel_copies(
        images_of([0, 1] * 300, parts), (310, 10), (460, 320), (462, 12), (340, 330)
    )
    split = split_of(images)
    assert split.dropped.copies_of_test.tolist() == [12, 320]
    assert split.dropped.duplicates.tolist() == [10]
    assert len(split.validation) == 149


@pytest.mark.parametrize("limit", [None, 200])
def test_given_validation_part_that_is_all_left_out_is_cut_from_training(limit: int | None) -> None:
    parts = ["train"] * 400 + ["validation"] * 100 + ["test"] * 100
    images = images_of([0, 1] * 300, parts)
    images = pixel_copies(images, *((400 + i, 500 + i) for i in range(100)))
    split = split_of(images, limit=limit)
    assert split.dropped.copies_of_test.tolist() == list(range(400, 500))
    n_seen = limit or 400
    assert (len(split.train), len(split.validation)) == (n_seen * 9 // 10, n_seen // 10)
    assert not {*split.train.tolist(), *split.validation.tolist()} & set(range(400, 600))
    assert split.rule.startswith(
        "Test: the given test part. Validation: stratified 10 % of the rest; all of the given"
        " validation part is left out. Identical images stay together."
    )


def test_each_image_counts_once_where_duplicates_are_dropped() -> None:
    parts = ["train"] * 300 + ["validation"] * 150 + ["test"] * 150
    images = pixel_copies(
        images_of([0, 1] * 300, parts), (310, 10), (312, 10), (22, 20), (460, 320), (464, 462)
    )
    split = split_of(images, duplicates="drop")
    assert split.dropped.duplicates.tolist() == [10, 22, 312]
    assert split.dropped.copies_of_test.tolist() == [320]
    assert len(split.test) == 150
    contents_seen = [images.copy_of[part].tolist() for part in (split.train, split.validation)]
    assert all(len(set(found)) == len(found) for found in contents_seen)


def test_duplicates_are_dropped_before_a_cut() -> None:
    split = split_of(images_of([0, 1] * 100, copies=20), duplicates="drop")
    assert split.dropped.duplicates.tolist() == list(range(180, 200))
    assert split.distinct_test.all()


def test_copies_within_a_cut_test_part_count_once() -> None:
    images = images_of([0, 1] * 100, copies=90)
    split = split_of(images)
    assert (
        len(np.unique(images.copy_of[split.test]))
        == np.count_nonzero(split.distinct_test)
        < len(split.test)
    )


def test_nothing_left_to_train_is_an_error() -> None:
    images = pixel_copies(
        images_of([0, 1, 0, 1], ["train", "train", "test", "test"]), (2, 0), (3, 1)
    )
    with pytest.raises(DataError) as caught:
        split_of(images)
    assert caught.value.message == (
        "tiny: no image is left to train on; left out: 2 copies of test images"
    )


def test_class_whose_images_were_all_left_out_is_named() -> None:
    images = images_of([0, 1] * 20 + [0, 2, 0, 2], ["train"] * 42 + ["test"] * 2)
    with pytest.raises(DataError) as caught:
        split_of(pixel_copies(images, (43, 41)))
    assert caught.value.message == 'tiny: class "class 2" has no training image'


def test_large_and_small_sets_are_on_both_sides_of_a_cut() -> None:
    sets = [range(i, i + 2) for i in range(0, 200, 2)]
    images = near_copies(images_of([i // 2 % 2 for i in range(400)]), sets)
    split = split_of(images)
    assert len(split.test) == 80
    assert np.count_nonzero(split.test < 200) == 40


def test_split_of_a_seed_is_the_same_on_every_machine() -> None:
    split = split_of(images_of([0, 0, 1] * 30, copies=10), seed=7)
    assert split.test.tolist() == KNOWN_TEST
    assert split.validation.tolist() == KNOWN_VALIDATION


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
