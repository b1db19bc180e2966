"""Splits keep given parts and copies together, are stratified, and leave the test part alone."""

from __future__ import annotations

import numpy as np
import pytest

from tests.data.splits.split_images import assert_partition, images_of, near_copies, split_of
from tuner.data.splits.split_rules import Splits
from tuner.errors import ConfigurationError, DataError
from tuner.space.split_settings import SplitSizes

# What seed 7 has given since the splits were written.
KNOWN_TEST = [5, 6, 11, 12, 14, 18, 25, 35, 37, 44, 49, 60, 63, 69, 72, 75, 83, 84]
KNOWN_VALIDATION = [3, 8, 16, 17, 20, 22, 24, 28, 40, 45, 48, 53, 79, 81, 86]


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
