"""What a split leaves out: conflicting labels, copies of test images and duplicates."""

from __future__ import annotations

import numpy as np
import pytest

from tests.data.splits.split_images import (
    assert_partition,
    assert_whole,
    images_of,
    pixel_copies,
    split_of,
)
from tuner.errors import DataError


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
