"""Copies are counted as images and as distinct images, within and across parts and labels."""

from __future__ import annotations

import pytest

from .samples import codes, data, find, look, origins

PARTS = ["train"] * 20 + ["validation"] * 10 + ["test"] * 10
LABELS = [0, 1] * 20


def test_data_without_a_fault_give_no_finding() -> None:
    found = look(data(LABELS, parts=PARTS))
    assert found.findings == ()
    assert found.verdict == "You can use the data. No problem was found."
    assert [(part.name, part.n, part.n_distinct) for part in found.parts] == [
        ("Training", 20, 20),
        ("PublicTest", 10, 10),
        ("PrivateTest", 10, 10),
    ]


def test_copies_within_a_part_are_counted() -> None:
    found = find(data(LABELS, parts=PARTS, same=[(0, 2, 4), (6, 8)]), "copies")
    assert found.summary == "Training: 20 images, 17 distinct; 3 copies."
    assert found.severity == "info"
    assert origins(found) == [["000.jpg", "002.jpg", "004.jpg"], ["006.jpg", "008.jpg"]]


def test_copies_in_data_without_parts_are_counted() -> None:
    assert find(data(LABELS, same=[(0, 2)]), "copies").summary == "40 images, 39 distinct; 1 copy."


def test_test_images_that_copy_a_training_image_are_counted_as_images_and_distinct() -> None:
    images = data(LABELS, parts=PARTS, same=[(0, 30, 32), (2, 34)])
    found = find(images, "copies-across-parts")
    assert found.summary == "3 of 10 PrivateTest images (30.0 %) copy an image of Training."
    assert dict(found.counts) == {"images": 3, "distinct": 2, "part": 10}
    assert found.severity == "warning"
    assert "left out of training" in found.meaning
    assert [[(s.origin, s.part, s.label) for s in group] for group in found.examples][1] == [
        ("002.jpg", "Training", "cat"),
        ("034.jpg", "PrivateTest", "cat"),
    ]


def test_kept_copies_are_named_as_what_they_do_to_the_score() -> None:
    images = data(LABELS, parts=PARTS, same=[(0, 30)])
    found = find(images, "copies-across-parts", policies={"duplicates": "keep"})
    assert "the score rewards memorized images" in found.meaning
    assert found.advice == "set policies: {duplicates: drop_from_train} in the card."


@pytest.mark.parametrize(
    ("n", "policy", "severity"),
    [
        (6, "keep", "error"),
        (5, "keep", "warning"),
        (6, "drop_from_train", "warning"),
        (6, "drop", "warning"),
    ],
)
def test_a_test_part_of_which_more_than_half_is_trained_on_makes_results_worthless(
    n: int, policy: str, severity: str
) -> None:
    images = data(LABELS, parts=PARTS, same=[(i, 30 + i) for i in range(n)])
    assert find(images, "copies-across-parts", policies={"duplicates": policy}).severity == severity


def test_the_held_out_part_tests_where_there_is_no_test_part() -> None:
    parts = ["train"] * 20 + ["validation"] * 20
    images = data(LABELS, parts=parts, same=[(i, 20 + i) for i in range(12)])
    assert find(images, "copies-across-parts", policies={"duplicates": "keep"}).severity == "error"


def test_one_image_under_two_labels_is_counted_in_the_whole_and_in_each_part() -> None:
    images = data(LABELS, parts=PARTS, same=[(0, 1, 2), (3, 30), (5, 7)])
    found = find(images, "conflicting-labels")
    assert (
        found.summary
        == "2 images occur with different labels (5 times in all, 12.5 %); 1 (3 times) within"
        " Training."
    )
    assert {
        "distinct": 2,
        "images": 5,
        "train_distinct": 1,
        "train_images": 3,
    }.items() <= found.counts.items()
    assert origins(found) == [["000.jpg", "001.jpg", "002.jpg"], ["003.jpg", "030.jpg"]]


def test_policy_decides_what_is_said_of_conflicting_labels() -> None:
    images = data(LABELS, same=[(0, 1)])
    assert "The run leaves them out" in find(images, "conflicting-labels").meaning
    kept = find(images, "conflicting-labels", policies={"conflicting": "keep"})
    assert "They stay in" in kept.meaning
    assert kept.advice.endswith("or set policies: {conflicting: drop} in the card.")


@pytest.mark.parametrize(("n", "severity"), [(4, "warning"), (5, "error")])
def test_more_than_a_fifth_of_conflicting_labels_makes_results_worthless(
    n: int, severity: str
) -> None:
    images = data(LABELS, same=[(2 * i, 2 * i + 1) for i in range(n)])
    assert find(images, "conflicting-labels").severity == severity


def test_near_copies_are_grouped_and_exact_copies_alone_are_none() -> None:
    assert "near-copies" not in codes(data(LABELS, same=[(0, 2)]))
    found = find(data(LABELS, same=[(0, 2)], near=[(0, 4), (6, 8)]), "near-copies")
    assert found.summary == "2 groups of near copies, 4 distinct images in all."
    assert origins(found) == [["000.jpg", "004.jpg"], ["006.jpg", "008.jpg"]]


def test_near_copies_across_parts_leave_out_the_exact_ones() -> None:
    found = find(
        data(LABELS, parts=PARTS, same=[(0, 30)], near=[(2, 32)]), "near-copies-across-parts"
    )
    assert (
        found.summary
        == "1 of 10 PrivateTest images (10.0 %) looks almost like an image of Training."
    )
    assert origins(found) == [["002.jpg", "032.jpg"]]


def test_near_copies_under_two_labels_are_named() -> None:
    found = find(data(LABELS, near=[(0, 1)]), "near-copies-conflicting")
    assert found.summary == "1 group of near copies (2 images) holds more than one label."
    assert [[s.label for s in group] for group in found.examples] == [["cat", "dog"]]


def test_exact_copies_under_two_labels_are_told_once() -> None:
    assert codes(data(LABELS, same=[(0, 1)])) == ["conflicting-labels"]


def test_all_groups_are_kept_as_examples() -> None:
    images = data([0, 1] * 60, same=[(4 * i, 4 * i + 2) for i in range(30)])
    found = find(images, "copies")
    assert origins(found) == [[f"{4 * i:03}.jpg", f"{4 * i + 2:03}.jpg"] for i in range(30)]
    assert found.n_examples == 30


def test_every_part_of_a_group_comes_first_and_every_label_next() -> None:
    images = data(LABELS, parts=PARTS, same=[(0, 2, 4, 5, 30)])
    assert origins(find(images, "conflicting-labels")) == [
        ["000.jpg", "030.jpg", "005.jpg", "002.jpg", "004.jpg"]
    ]
