"""One vocabulary for the parts of a split: in folders, tables, columns and arrays."""

from __future__ import annotations

import pytest

from tuner.data.folders.part_names import (
    free_role,
    is_part,
    named_parts,
    role_of,
    role_within,
    split_roles,
)


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("Train", "train"),
        ("training_set", "train"),
        ("seg_train", "train"),
        ("x_val", "validation"),
        ("dev", "validation"),
        ("Test (1)", "test"),
        ("testset", "test"),
        ("hold-out", "test"),
        ("HeldOut", "test"),
        ("evaluation", "evaluation"),
    ],
)
def test_a_part_is_called_alike_in_folders_and_tables(name: str, role: str) -> None:
    assert (role_of(name), role_within(name), named_parts([name]), is_part(name)) == (
        role,
        role,
        {name: role},
        True,
    )


@pytest.mark.parametrize(
    "name", ["hold", "held", "tr", "te", "blood_test", "latest", "trainer", "devil", ""]
)
def test_folders_of_other_names_may_be_classes(name: str) -> None:
    assert named_parts([name, "release"]) == {}
    assert not is_part(name)


def test_fers_parts_may_be_folders() -> None:
    assert named_parts(["Training", "PublicTest", "PrivateTest", "docs"]) == {
        "Training": "train",
        "PublicTest": "validation",
        "PrivateTest": "test",
    }
    assert named_parts(["Training", "PublicTest"]) == {"Training": "train"}


def test_short_words_are_parts_of_tables_and_arrays() -> None:
    assert (role_of("tr"), role_of("te"), role_within("mnist_tr")) == ("train", "test", "train")
    assert (role_of("mnist_train"), role_within("mnist_train")) == (None, "train")


def test_evaluation_takes_the_role_that_is_free() -> None:
    assert free_role("evaluation", {"train"}) == "test"
    assert free_role("evaluation", {"train", "test"}) == "validation"
    assert free_role("train", {"test"}) == "train"


@pytest.mark.parametrize(
    ("values", "roles"),
    [
        ({"train", "test"}, {"train": "train", "test": "test"}),
        (
            {"Train set", "eval", "test"},
            {"Train set": "train", "eval": "validation", "test": "test"},
        ),
        ({"tr", "held out"}, {"tr": "train", "held out": "test"}),
        (
            {"Training", "PublicTest"},
            {"Training": "train", "PublicTest": "validation", "PrivateTest": "test"},
        ),
    ],
)
def test_values_of_a_column_tell_the_parts(values: set[str], roles: dict[str, str]) -> None:
    found = split_roles(values)
    assert found is not None
    assert found.roles() == roles


@pytest.mark.parametrize(
    "values", [{"train", "1"}, {"train", "test1", "test2"}, {"fold1", "fold2"}]
)
def test_values_that_do_not_tell_them_are_asked_about(values: set[str]) -> None:
    assert split_roles(values) is None
