"""Classes that are tiny, rare, or missing in a part."""

from __future__ import annotations

import pytest

from .samples import codes, data, find, look


def test_a_class_of_two_distinct_images_makes_results_worthless() -> None:
    images = data([0] * 20 + [1] * 8, same=[range(20, 27)])
    found = find(images, "tiny-classes")
    assert found.severity == "error"
    assert found.summary == '1 class with fewer than 3 distinct images: "dog" (2).'
    assert look(images).errors == (found,)
    assert look(images).verdict == "Results on this data would be worthless."


def test_a_class_of_nine_images_is_small_and_one_of_ten_is_not() -> None:
    found = find(data([0] * 10 + [1] * 9), "tiny-classes")
    assert (found.severity, found.summary) == (
        "warning",
        '1 class with fewer than 10 distinct images: "dog" (9).',
    )
    assert codes(data([0] * 10 + [1] * 10)) == []


def test_a_class_without_any_image_is_named() -> None:
    images = data([0, 1] * 10, classes=("cat", "dog", "emu"))
    assert (
        find(images, "tiny-classes").summary
        == '1 class with fewer than 3 distinct images: "emu" (0).'
    )


def test_many_tiny_classes_are_counted_and_the_first_named() -> None:
    labels = [0] * 20 + list(range(1, 13)) * 4
    images = data(labels, classes=[f"c{i}" for i in range(13)])
    summary = find(images, "tiny-classes").summary
    assert summary.startswith('12 classes with fewer than 10 distinct images: "c1" (4), "c2" (4)')
    assert summary.endswith('"c10" (4) and 2 more.')


def test_imbalance_gives_the_ratio_and_the_remedies() -> None:
    images = data([0] * 33 + [1] * 10)
    found = find(images, "class-imbalance")
    assert found.summary == 'class "cat" has 3.3 times the images of "dog" (33 to 10).'
    assert "77 % of the images" in found.meaning
    assert "val_macro_f1" in found.advice
    assert "imbalance: class_weights" in found.advice
    assert codes(data([0] * 29 + [1] * 10)) == []


def test_imbalance_is_that_of_the_training_part() -> None:
    parts = ["train"] * 24 + ["test"] * 40
    images = data([0, 1] * 12 + [0] * 36 + [1] * 4, parts=parts)
    assert "class-imbalance" not in codes(images)


@pytest.mark.parametrize(("part", "severity"), [("train", "error"), ("test", "warning")])
def test_class_missing_in_a_part(part: str, severity: str) -> None:
    other = "test" if part == "train" else "train"
    images = data([0, 1] * 12 + [0] * 12, parts=[other] * 24 + [part] * 12)
    found = find(images, "class-missing-in-part")
    name = {"train": "Training", "test": "PrivateTest"}[part]
    assert (found.severity, found.summary) == (severity, f'{name} has no image of 1 class: "dog".')
