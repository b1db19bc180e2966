"""Splits keep given parts, keep copies together, are stratified, and never let anything touch the test part."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tests.data.samples import random_images
from tuner.data.images import Images, make_images
from tuner.data.split import Split, make_split
from tuner.errors import ConfigurationError, DataError
from tuner.space.definition import SplitSizes


def images_of(labels: Sequence[int], parts: Sequence[str] | None = None, copies: int = 0) -> Images:
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
    )


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
    split = make_split(images, seed=1)
    assert_partition(images, split)
    assert (len(split.train), len(split.validation), len(split.test)) == (810, 90, 100)
    assert np.bincount(images.labels[split.test]).tolist() == [75, 25]
    assert np.bincount(images.labels[split.train]).tolist() in ([607, 203], [608, 202])
    assert split.rule == (
        "A stratified 10 % of all images tests (identical images together); "
        "a stratified 10 % of the rest validates (identical images together)."
    )


def test_small_sets_seal_a_fifth() -> None:
    images = images_of([0, 1] * 40)
    split = make_split(images, seed=1)
    assert_partition(images, split)
    assert (len(split.train), len(split.validation), len(split.test)) == (51, 13, 16)
    assert np.bincount(images.labels[split.test]).tolist() == [8, 8]


@pytest.mark.parametrize("seed", range(5))
def test_identical_images_stay_together(seed: int) -> None:
    images = images_of([0, 1, 2] * 60, copies=60)
    split = make_split(images, seed=seed)
    assert_partition(images, split)
    train, validation, test = (contents(images, part) for part in (split.train, split.validation, split.test))
    assert not train & validation
    assert not train & test
    assert not validation & test


def test_identical_images_of_two_classes_stay_together() -> None:
    images = images_of([0, 1] * 40)
    images.images[1] = images.images[0]
    split = make_split(images, seed=3)
    assert any({0, 1} <= set(part.tolist()) for part in (split.train, split.validation, split.test))


def test_three_given_parts_are_kept() -> None:
    parts = ["train"] * 6 + ["validation"] * 4 + ["test"] * 2
    split = make_split(images_of([0, 1] * 6, parts), seed=1)
    assert split.train.tolist() == [0, 1, 2, 3, 4, 5]
    assert split.validation.tolist() == [6, 7, 8, 9]
    assert split.test.tolist() == [10, 11]
    assert split.rule == "The given test part tests; the given validation part validates."


@pytest.mark.parametrize("held_out", ["validation", "test"])
def test_single_held_out_part_tests(held_out: str) -> None:
    images = images_of([0, 1] * 300, ["train"] * 500 + [held_out] * 100)
    for seed in (1, 2):
        split = make_split(images, seed=seed)
        assert_partition(images, split)
        assert split.test.tolist() == list(range(500, 600))
        assert len(split.validation) == 50


def test_same_seed_same_split_and_another_seed_another() -> None:
    images = images_of([0, 1] * 100)
    first, again, other = (make_split(images, seed=seed) for seed in (1, 1, 2))
    assert first.train.tolist() == again.train.tolist()
    assert first.test.tolist() == again.test.tolist()
    assert first.test.tolist() != other.test.tolist()


def test_limit_never_touches_the_test_part() -> None:
    images = images_of([0, 0, 0, 1] * 250)
    whole, limited = make_split(images, seed=1), make_split(images, seed=1, limit=200)
    assert limited.test.tolist() == whole.test.tolist()
    assert set(limited.train) < set(whole.train)
    assert set(limited.validation) < set(whole.validation)
    assert (len(limited.train), len(limited.validation)) == (180, 20)
    assert np.bincount(images.labels[limited.train]).tolist() == [135, 45]
    assert limited.rule.endswith("; limited to a stratified 200 of training and validation.")


def test_limit_beyond_the_data_changes_nothing() -> None:
    images = images_of([0, 1] * 100)
    whole, limited = make_split(images, seed=1), make_split(images, seed=1, limit=160)
    assert limited.train.tolist() == whole.train.tolist()
    assert limited.rule == whole.rule


def test_limit_keeps_every_class_in_training() -> None:
    images = images_of([0] * 985 + [1] * 15)
    split = make_split(images, seed=1, limit=30)
    assert len(split.train) + len(split.validation) == 30
    assert np.count_nonzero(images.labels[split.train] == 1) == 1


def test_limit_below_the_number_of_classes_is_refused() -> None:
    with pytest.raises(ConfigurationError) as caught:
        make_split(images_of(list(range(10)) * 20), seed=1, limit=7)
    assert caught.value.message == "the limit of 7 images leaves fewer than one training image for each of 10 classes"


def test_sizes_take_the_first_images_in_file_order() -> None:
    images = images_of([0, 1] * 300, ["test"] * 100 + ["train"] * 500)
    split = make_split(images, seed=1, sizes=SplitSizes(train=30, validation=20))
    assert split.train.tolist() == list(range(100, 130))
    assert split.validation.tolist() == list(range(130, 150))
    assert split.test.tolist() == list(range(100))


def test_sizes_beyond_the_data_are_refused() -> None:
    images = images_of([0, 1] * 10, ["train"] * 16 + ["test"] * 4)
    with pytest.raises(ConfigurationError) as caught:
        make_split(images, seed=1, sizes=SplitSizes(train=10, validation=7))
    assert caught.value.message == "split asks for 10 + 7 images, but the training part holds 16"


def test_class_with_one_image_is_named_with_its_count() -> None:
    with pytest.raises(DataError) as caught:
        make_split(images_of([0] * 20 + [1]), seed=1)
    assert caught.value.message == 'tiny: class "class 1" has 1 distinct image; at least 2 are needed to split'


def test_class_without_training_image_is_named() -> None:
    parts = ["train"] * 20 + ["test"] * 10
    with pytest.raises(DataError) as caught:
        make_split(images_of([0, 1] * 10 + [2] * 10, parts), seed=1)
    assert caught.value.message == 'tiny: class "class 2" has no training image'
